import csv
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from domain.imports import DialectSpec, ImportOptions
from domain.vocabulary import JobFailureCode, LeadFieldKey, UnmappedColumns
from tests.transfer.child_run import ROOT, Answer, facts, request_for, run, run_process, spawn
from transfer.messages import ChildLimits, ChildMode, Position, RowMessage, decode_request, encode_request

Writer = Callable[..., Path]
K = LeadFieldKey
LENIENT = ImportOptions(required=())
SMALL = ChildLimits(block_rows=3)
LINUX = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")


def test_blank_lines_are_no_rows_and_keep_the_spreadsheet_s_count(file: Writer):
    answer = run(file("Name\nDana\n\n\nNoa\n\n"), options=LENIENT)
    assert (answer.rows, answer.done.total_rows) == ([2, 5], 2)


def test_a_cell_with_line_breaks_moves_lines_and_not_rows(file: Writer):
    answer = run(file('Name,Notes\r\nA,"one\r\ntwo\rthree"\r\nB,x\r\n'), options=LENIENT)
    assert (answer.rows, answer.blocks[0].ready.lines) == ([2, 3], [2, 5])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_one(file: Writer, end: str):
    answer = run(file(end.join(["Name", "A", "B", "C"])), options=LENIENT, limits=SMALL)
    assert (answer.column("name"), answer.blocks[0].ready.lines) == (["A", "B", "C"], [2, 3, 4])


def test_a_file_with_a_header_alone_is_done_with_no_rows(file: Writer):
    answer = run(file("Name,Phone\n"), options=LENIENT)
    assert (answer.done.total_rows, answer.blocks) == (0, [])


def test_s22_a_quote_that_is_never_closed_refuses_its_row(file: Writer):
    answer = run(file('Name,City\nA,x\nB,"y\nC,z\n'), options=LENIENT)
    assert answer.failed_rows == [3]
    assert "never closed" in answer.issues[0].message


def test_s22_an_unclosed_quote_in_row_one_of_a_large_file_ends_with_row_line_and_column(file: Writer):
    answer = run(file('Name,City\nA,"' + "B,x\n" * (1 << 19)), options=LENIENT)
    assert answer.failed.code is JobFailureCode.UNREADABLE_FILE
    assert answer.failed.message.startswith("Row 2 (line 2), column 2: a cell is longer than 1024 KB")


@LINUX
def test_s22_a_line_without_end_stops_within_bounded_memory(file: Writer):
    path = file("Name\n")
    with path.open("ab") as out:
        for _ in range(256):
            out.write(b"x" * (1 << 20))
    assert run(path, options=LENIENT).failed.message == "Line 2 is longer than 16 MB."
    assert peak_kilobytes(path) < 200_000


def test_s22_a_row_of_100_000_cells_fails_alone(file: Writer):
    answer = run(file("Name,City\nA,x\n" + "," * 100_000 + "y\nB,z\n"), options=LENIENT)
    assert (answer.failed_rows, answer.column("name")) == ([3], ["A", "B"])


@LINUX
def test_memory_does_not_grow_with_the_file(file: Writer):
    row = "Dana Levi,+33612345678,dana@example.com,web," + "x" * 60 + "\n"
    peaks = list[int]()
    for rows in (20_000, 200_000):
        path = file("Name,Phone,Email,Source,Notes\n" + row * rows, f"{rows}.csv")
        peaks.append(peak_kilobytes(path))
    assert peaks[1] - peaks[0] < 30_000


def peak_kilobytes(path: Path) -> int:
    """The peak memory of a run in a process of its own, in KB."""
    request = encode_request(request_for(path, str(path.parent)))
    script = (
        "import sys, transfer.child as c\n"
        "c.serve(c.decode_request(sys.stdin.buffer.read()), open('/dev/null', 'wb'))\n"
        "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])"
    )
    out = subprocess.run([sys.executable, "-c", script], input=request, capture_output=True, check=True, cwd=ROOT)
    return int(out.stdout)


def test_more_rows_than_the_limit_end_the_run(file: Writer):
    answer = run(file("Name\n" + "A\n" * 9), options=LENIENT, limits=ChildLimits(max_rows=5, block_rows=2))
    assert answer.failed.code is JobFailureCode.LIMIT_EXCEEDED
    assert answer.failed.message == "The file has more than 5 rows."


def test_a_file_beyond_its_memory_limit_is_a_file_error(file: Writer):
    rows = ",".join('{"name": "%s"}' % ("x" * 1_000) for _ in range(9_000))
    answer = run_process(
        file('[{"a": "' + "y" * (40 << 20) + '"},' + rows + "]"),
        options=LENIENT,
        limits=ChildLimits(memory_bytes=180 << 20, max_line_bytes=256 << 20),
    )
    assert answer.failed.code is JobFailureCode.UNSAFE_FILE


# ------------------------------------------------------------------ resume


def rest_of(answer: Answer, path: Path, at: Position, **request: object) -> Answer:
    return run(path, start=at, decided=answer.opened.dialect, **request)


def without_ids(lead: dict[str, str | None]) -> dict[str, str | None]:
    return {name: value for name, value in lead.items() if name != "id"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_run_can_be_resumed_behind_every_block(file: Writer, encoding: str):
    text = "Name,Notes\n" + "".join(
        f'Zoé {number},"a\n{"b" * number}é"\n' + "\n" * (number % 2) for number in range(20)
    )
    path = file(text.encode(encoding))
    request = {"options": LENIENT, "limits": SMALL}
    whole = run(path, **request)
    for place, block in enumerate(whole.blocks[:-1], start=1):
        rest = rest_of(whole, path, block.next, **request)
        assert rest.opened.dialect == whole.opened.dialect
        assert [b.ready.rows for b in rest.blocks] == [b.ready.rows for b in whole.blocks[place:]]
        assert [b.ready.lines for b in rest.blocks] == [b.ready.lines for b in whole.blocks[place:]]
        assert [b.next for b in rest.blocks] == [b.next for b in whole.blocks[place:]]
        assert list(map(without_ids, rest.leads)) == list(map(without_ids, whole.leads[block.next.rows :]))
        assert rest.done.total_rows == whole.done.total_rows == 20


@pytest.mark.parametrize("kind", ["json", "jsonl"])
def test_json_is_resumed_too(file: Writer, kind: str):
    items = [f'{{"name": "Lead {number}"}}' for number in range(9)]
    path = file("[" + ",".join(items) + "]" if kind == "json" else "\n".join(items))
    whole = run(path, options=LENIENT, limits=SMALL)
    rest = rest_of(whole, path, whole.blocks[1].next, options=LENIENT, limits=SMALL)
    assert rest.column("name") == ["Lead 6", "Lead 7", "Lead 8"]


def test_an_ambiguous_order_once_answered_is_not_asked_again(file: Writer):
    path = file("Created At\n" + "03/04/2021\n" * 9)
    dialect = DialectSpec(date_order="DMY")
    whole = run(path, options=LENIENT, dialect=dialect, limits=SMALL)
    rest = rest_of(whole, path, whole.blocks[0].next, options=LENIENT, dialect=dialect, limits=SMALL)
    assert rest.column("created_at") == whole.column("created_at")[3:]


# -------------------------------------------------- error file and retry

DIRTY = 'Name;Phone;Score\n"Dana; Levi";+33612345678;85\n=cmd;x;abc\nNoa;;101\n"multi\nline";5;x\n'


def error_rows(path: Path, delimiter: str = ";") -> list[dict[str, str]]:
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def test_the_error_file_holds_the_failed_rows_as_they_were(file: Writer, tmp_path: Path):
    errors = tmp_path / "errors.csv"
    answer = run(file(DIRTY), options=ImportOptions(required=(K.PHONE,)), errors_path=str(errors), import_id="job_1")
    assert answer.done.error_rows == 3
    assert error_rows(errors) == [
        {
            "Name": "'=cmd",
            "Phone": "x",
            "Score": "abc",
            "_import": "job_1",
            "_row": "3",
            "_line": "3",
            "_errors": "Phone: not a valid phone number; Score: score must be a whole number",
        },
        {
            "Name": "Noa",
            "Phone": "",
            "Score": "101",
            "_import": "job_1",
            "_row": "4",
            "_line": "4",
            "_errors": "Score: score must be between 0 and 100; Phone: phone is required",
        },
        {
            "Name": "multi\nline",
            "Phone": "5",
            "Score": "x",
            "_import": "job_1",
            "_row": "5",
            "_line": "5",
            "_errors": "Phone: not a valid phone number; Score: score must be a whole number",
        },
    ]


def test_a_file_without_failed_rows_has_no_error_file(file: Writer, tmp_path: Path):
    answer = run(file("Name\nDana\n"), options=LENIENT, errors_path=str(tmp_path / "errors"))
    assert (answer.done.error_rows, (tmp_path / "errors").exists()) == (None, False)


def test_the_error_file_can_be_written_in_a_pass_of_its_own_with_the_worker_s_refusals(file: Writer, tmp_path: Path):
    errors = tmp_path / "errors.csv"
    answer = run(
        file(DIRTY),
        mode=ChildMode.ERRORS,
        options=LENIENT,
        errors_path=str(errors),
        row_messages=(RowMessage(2, "two leads have this phone"),),
    )
    assert answer.blocks == []
    first = error_rows(errors)[0]
    assert (first["_row"], first["_errors"]) == ("2", "two leads have this phone")
    assert answer.done.error_rows == 4


def test_s23_all_rows_bad_gives_exact_counts_and_a_complete_error_file(file: Writer, tmp_path: Path):
    errors = tmp_path / "errors.csv"
    path = file("Name,Score\n" + "".join(f"Lead {number},bad\n" for number in range(12_000)))
    answer = run(path, options=LENIENT, errors_path=str(errors), limits=ChildLimits(max_issues=100))
    assert (len(answer.failed_rows), len(answer.issues), answer.groups[0].rows) == (12_000, 100, 12_000)
    assert [row["_row"] for row in error_rows(errors, ",")] == [str(number) for number in range(2, 12_002)]


def test_a_corrected_error_file_is_recognised_and_tells_its_source_rows(file: Writer, tmp_path: Path):
    errors = tmp_path / "errors.csv"
    run(file(DIRTY), options=ImportOptions(required=(K.PHONE,)), errors_path=str(errors), import_id="job_1")
    corrected = errors.read_text("utf-8-sig").replace("abc", "1").replace("101", "2").replace(";5;x", ";5;3")
    options = ImportOptions(required=(), unmapped=UnmappedColumns.CUSTOM)
    answer = run(file(corrected.encode("utf-8-sig")), options=options, only_rows=(3, 4))
    assert answer.opened.retry_of == "job_1"
    assert answer.opened.custom_keys == ()
    assert (answer.column("name"), answer.column("score")) == (["=cmd", "Noa"], ["1", "2"])
    assert (answer.blocks[0].ready.source_rows, answer.blocks[0].excluded) == ([3, 4], 1)


def test_of_a_whole_file_uploaded_again_only_the_failed_rows_run(file: Writer):
    answer = run(file("Name\nA\nB\nC\nD\n"), options=LENIENT, only_rows=(3, 5))
    assert (answer.rows, answer.column("name"), answer.blocks[0].excluded) == ([3, 5], ["B", "D"], 2)
    assert answer.done.total_rows == 4


def test_an_error_file_of_an_error_file_has_its_columns_once(file: Writer, tmp_path: Path):
    errors = tmp_path / "again.csv"
    path = file("Name,Score,_import,_row,_line,_errors\nDana,x,job_1,7,7,bad\n")
    run(path, options=LENIENT, errors_path=str(errors), import_id="job_2")
    (row,) = error_rows(errors, ",")
    assert (row["_import"], row["_row"]) == ("job_2", "2")
    assert list(row) == ["Name", "Score", "_import", "_row", "_line", "_errors"]


# ------------------------------------------------------------------- frames


def test_a_request_travels_as_json_and_comes_back_equal(file: Writer):
    request = request_for(file("x"), "/tmp", start=Position(rows=5, record=7, line=9, offset=11), facts=facts("FR"))
    assert decode_request(encode_request(request)) == request


def test_a_child_that_gets_no_request_fails_loudly(file: Writer):
    process = spawn(msgspec.structs.replace(request_for(file("x"), "scratch"), path="/nowhere/else.csv"))
    assert process.returncode != 0
