import gzip
import json
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from domain.imports import DialectSpec, ImportOptions
from domain.vocabulary import ImportFormat, JobFailureCode
from tests.transfer.child_run import Answer, run, run_process
from tests.transfer.packed_files import altered, workbook, zipped
from transfer.messages import ChildLimits
from transfer.read_xlsx import write_sheet

Writer = Callable[..., Path]
LENIENT = ImportOptions(required=())
CSV = "Name,Phone\nDana Levi,+33612345678\nNoa Cohen,0612345679\n"


def names(answer: Answer) -> list[str | None]:
    assert answer.failed is None, answer.failed
    return answer.column("name")


def test_gzip_is_unpacked(file: Writer):
    answer = run(file(gzip.compress(CSV.encode())), options=LENIENT)
    assert names(answer) == ["Dana Levi", "Noa Cohen"]


def test_a_zip_of_one_file_is_unpacked_and_clutter_does_not_count(file: Writer):
    answer = run(file(zipped({"leads.csv": CSV.encode(), "__MACOSX/._leads.csv": b"x"})), options=LENIENT)
    assert names(answer) == ["Dana Levi", "Noa Cohen"]


def test_a_zip_of_two_files_is_refused(file: Writer):
    answer = run(file(zipped({"a": CSV.encode(), "b": CSV.encode()})))
    assert answer.failed.message == "The ZIP archive holds 2 files; it must hold one."


@pytest.mark.parametrize(
    ("part", "word"),
    [
        ("content.xml", "OpenDocument"),
        ("xl/workbook.bin", ".xlsb"),
        ("Index/Document.iwa", "Numbers"),
        ("word/document.xml", "Word"),
    ],
)
def test_a_document_that_is_a_zip_archive_is_named(file: Writer, part: str, word: str):
    answer = run(file(zipped({"mimetype": b"x", part: b"<x/>", "styles.xml": b"<x/>"})))
    assert answer.failed.code is JobFailureCode.UNREADABLE_FILE
    assert word in answer.failed.message


def test_a_zip_whose_file_has_no_name_is_read_or_refused_as_any_other(file: Writer):
    answer = run(file(zipped({"x": b"name\nDana\n"}).replace(b"x", b"\0", 2)), options=LENIENT)
    assert answer.failed is not None or names(answer) == ["Dana"]


def test_a_packed_workbook_is_read_and_a_twice_packed_file_is_not(file: Writer):
    book = workbook([["Name"], ["Dana"]])
    assert names(run(file(gzip.compress(book)), options=LENIENT)) == ["Dana"]
    assert "packed twice" in run(file(gzip.compress(gzip.compress(CSV.encode())))).failed.message


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zipped({"bomb": data})])
def test_s21_a_bomb_is_stopped_by_its_real_bytes(file: Writer, pack: Callable[[bytes], bytes]):
    packed = file(pack(b"a,b\n" * (4 << 20)))
    answer = run(packed, limits=ChildLimits(max_bytes=8 << 20))
    assert answer.failed.code is JobFailureCode.UNSAFE_FILE
    assert "more than 8 MB" in answer.failed.message


@pytest.mark.parametrize("cut", [20, 40])
def test_s21_a_cut_off_archive_is_a_file_error(file: Writer, cut: int):
    assert run(file(gzip.compress(CSV.encode())[:cut])).failed.code is JobFailureCode.UNREADABLE_FILE
    assert run(file(zipped({"a": CSV.encode()})[:cut])).failed.code is JobFailureCode.UNREADABLE_FILE


def test_s20_a_workbook_s_values_read_as_people_see_them(file: Writer):
    def fill(book: openpyxl.Workbook) -> None:
        sheet = book.active
        sheet.append(["Name", "Phone", "Score", "AI Legitimate", "Created At", "Converted At", "Conversion Value"])
        sheet.append(["Dana", 33612345678, 85.0, True, datetime(2024, 1, 15, 14, 30, 22), date(2024, 2, 1), 1200.5])  # noqa: DTZ001 - Excel knows no zones
        sheet.append([])
        sheet.append(["Noa", "0612345679", None, False, 45306.5, None, None])

    answer = run(file(workbook([], fill), "leads.csv"), options=LENIENT)
    assert answer.opened.dialect.format is ImportFormat.XLSX
    assert answer.rows == [2, 4]
    dana, noa = answer.leads
    assert (dana["phone"], dana["score"], dana["ai_legitimate"]) == ("33612345678", "85", "t")
    assert (dana["created_at"], dana["converted_at"]) == ("2024-01-15 14:30:22+00:00", "2024-02-01 00:00:00+00:00")
    assert (dana["conversion_value"], noa["created_at"]) == ("1200.5", "2024-01-15 12:00:00+00:00")
    assert answer.blocks[0].ready.lines is None


def in_sheets(*sheets: tuple[str, list[str]]) -> bytes:
    """A workbook of sheets of one column, headers first."""

    def fill(book: openpyxl.Workbook) -> None:
        book.remove(book.active)
        for title, cells in sheets:
            sheet = book.create_sheet(title)
            for cell in cells:
                sheet.append([cell])

    return workbook([], fill)


@pytest.mark.parametrize(
    ("named", "read"), [(None, ["Name", *"abcde"]), ("Leads", ["Name", *"abcde"]), ("Leads 2", ["Name", *"cde"])]
)
def test_a_sheet_that_is_full_is_read_with_those_that_go_on_with_it(
    file: Writer, tmp_path: Path, named: str | None, read: list[str]
):
    book = in_sheets(("Leads", ["Name", *"ab"]), ("Leads 2", ["Name", *"cd"]), ("Leads 3", ["Name", "e"]),
                     ("Leads 4", ["Name", "f"]))  # fmt: skip
    written = write_sheet(file(book), named, tmp_path / "text", 1 << 20, rows_per_sheet=3)
    assert (tmp_path / "text").read_text().split() == read
    assert written.sheets == ("Leads", "Leads 2", "Leads 3", "Leads 4")


@pytest.mark.parametrize(
    "second", [("Leads 2", ["Phone", "c"]), ("Leads 3", ["Name", "c"]), ("More", ["Name", "c"]), ("Leads 2", [])]
)
def test_a_full_sheet_that_no_other_goes_on_with_is_read_alone(
    file: Writer, tmp_path: Path, second: tuple[str, list[str]]
):
    book = in_sheets(("Leads", ["Name", *"ab"]), second)
    write_sheet(file(book), None, tmp_path / "text", 1 << 20, rows_per_sheet=3)
    assert (tmp_path / "text").read_text().split() == ["Name", *"ab"]


def test_any_sheet_can_be_read_and_the_others_are_named(file: Writer):
    def fill(book: openpyxl.Workbook) -> None:
        book.active.title = "Empty"
        for title in ("First", "Second"):
            sheet = book.create_sheet(title)
            sheet.append(["Name"])
            sheet.append([title])

    path = file(workbook([], fill))
    answer = run(path, options=LENIENT)
    assert (answer.opened.dialect.sheet, names(answer)) == ("First", ["First"])
    assert answer.opened.dialect.sheets == ("Empty", "First", "Second")
    assert names(run(path, options=LENIENT, dialect=DialectSpec(sheet="Second"))) == ["Second"]
    assert "no sheet called Third" in run(path, dialect=DialectSpec(sheet="Third")).failed.message


def test_a_text_cell_with_line_breaks_and_quotes_comes_through(file: Writer):
    book = workbook([["Name", "Case Type"], ["Dana", 'a\n"b", c']])
    assert run(file(book), options=LENIENT).column("case_type") == ['a\n"b", c']


def test_an_identifier_with_more_digits_than_a_number_cell_holds_fails_the_row(file: Writer):
    answer = run(file(workbook([["External ID"], [12345678901234567], [123456789012345]])), options=LENIENT)
    assert [(issue.row, issue.code) for issue in answer.issues] == [(2, "SCIENTIFIC_NOTATION")]
    assert answer.column("external_id") == ["123456789012345"]


SIMPLE = workbook([["Name"], ["Dana"]])


def test_s21_a_far_away_cell_does_not_end_the_process(file: Writer):
    book = workbook([["Name"]], lambda book: book.active.__setitem__("XFD1048576", "x"))
    answer = run_process(file(book))
    assert answer.failed.code is JobFailureCode.LIMIT_EXCEEDED
    assert "column 16,384" in answer.failed.message


def test_s21_a_workbook_that_expands_out_of_all_proportion_is_refused(file: Writer):
    sheet = b"<row><c><v>1</v></c></row>" * (5 << 20)
    answer = run(file(altered(SIMPLE, lambda name, data: sheet if "sheet1" in name else data)))
    assert answer.failed.code is JobFailureCode.UNSAFE_FILE


def test_s21_entities_are_refused(file: Writer):
    laughs = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><worksheet>&b;</worksheet>'
    answer = run(file(altered(SIMPLE, lambda name, data: laughs if "sheet1" in name else data)))
    assert answer.failed.code is JobFailureCode.UNSAFE_FILE


def test_s21_macros_are_refused(file: Writer):
    macros = altered(SIMPLE, lambda _, data: data)
    with zipfile.ZipFile(path := file(macros), "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"macro")
    assert "macros" in run(path).failed.message


def test_s21_missing_parts_and_bad_checksums_are_file_errors(file: Writer):
    without_sheet = altered(SIMPLE, lambda name, data: None if "sheet1" in name else data)
    assert run(file(without_sheet)).failed.code is JobFailureCode.UNREADABLE_FILE
    place = SIMPLE.index(b"xl/worksheets/sheet1.xml") + 60
    damaged = SIMPLE[:place] + bytes([SIMPLE[place] ^ 0xFF]) + SIMPLE[place + 1 :]
    assert run(file(damaged)).failed.code is JobFailureCode.UNREADABLE_FILE


def test_a_json_array_is_read(file: Writer):
    rows = [
        {"name": "Dana", "phone": "+33612345678", "score": 85.0, "tags": ["vip", "a,b"], "address": {"city": "Lyon"}},
        {"name": "Noa", "custom": {"policy": 12}, "ai": {"legitimate": True}},
    ]
    answer = run(file(json.dumps(rows, indent=1)), options=ImportOptions(required=(), unmapped="CUSTOM"))
    assert answer.opened.dialect.format is ImportFormat.JSON
    assert names(answer) == ["Dana", "Noa"]
    assert answer.column("tags") == ['{"vip","a,b"}', "{}"]
    assert answer.column("address_city") == ["Lyon", None]
    assert json.loads(answer.column("custom")[1]) == {"policy": "12"}
    assert answer.column("score") == ["85", None]


def test_json_lines_keep_their_line_numbers(file: Writer):
    answer = run(file('{"name": "Dana"}\n\n{"name": "Noa", "email": "x"}\n'), options=LENIENT)
    assert answer.opened.dialect.format is ImportFormat.JSONL
    assert (answer.rows, answer.blocks[0].ready.lines) == ([2, 4], [1, 3])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"name": "Dana"}, 5]', "Entry 2 of the array is no object."),
        ('[{"name": "Dana"}, {"name": ', "Object 2 is no JSON."),
        ('[{"name": "Dana"}', "The JSON ends before its array does, after object 1."),
        ('{"name": "Dana"}\n{"name": }\n', "Line 2 is no JSON."),
        ('{"name": "Dana"}\n[1]\n', "Line 2 is no JSON object."),
        ('[{"name": "Dana"}]\n[{"name": "Noa"}]', "The file goes on behind the end of its JSON array, after object 1."),
        ('[["name"], ["Dana"]]', "Entry 1 of the array is no object."),
        ("[]", "The JSON holds no object with a value."),
        (
            '{\n  "leads": [{"name": "Dana"}]\n}',
            "Line 1 is no JSON; a file holds an array of objects, or one object a line.",
        ),
        ('[{"a":' + "[" * 100_000, "The JSON is nested too deeply."),
    ],
)
def test_bad_json_says_where(file: Writer, content: str, message: str):
    assert run(file(content)).failed.message == message


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "Excel"),
        (b"MZ\x90\0\x03\0\0\0", "program"),
        (b"\x7fELF\x02\x01\x01\0", "program"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
        (b"\x89PNG\r\n\x1a\n", "image"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"", "empty"),
        (bytes(range(256)) * 40, "no text"),
    ],
)
def test_s20_what_is_no_table_is_named(file: Writer, content: bytes, word: str):
    answer = run(file(content))
    assert answer.failed.code is JobFailureCode.UNREADABLE_FILE
    assert word in answer.failed.message


def test_a_file_larger_than_the_limit_is_not_read(file: Writer):
    assert run(file(CSV), limits=ChildLimits(max_bytes=10)).failed.code is JobFailureCode.LIMIT_EXCEEDED


def test_s20_a_said_format_that_is_another_is_a_file_error(file: Writer):
    assert "reads like CSV" in run(file(CSV), format=ImportFormat.JSON).failed.message
    assert names(run(file(SIMPLE), format=ImportFormat.CSV, options=LENIENT)) == ["Dana"]
