from collections.abc import Callable
from pathlib import Path

import pytest

from domain.ids import IdKind, format_id, new_id
from domain.imports import DialectSpec, ImportOptions
from domain.vocabulary import DateOrder, DetectionConfidence
from tests.transfer.child_run import Answer, run
from transfer.messages import ChildMode

Writer = Callable[..., Path]
LENIENT = ImportOptions(required=())
GIVEN, CERTAIN, LIKELY, AMBIGUOUS = (
    DetectionConfidence.GIVEN,
    DetectionConfidence.CERTAIN,
    DetectionConfidence.LIKELY,
    DetectionConfidence.AMBIGUOUS,
)


def read(path: Path, **dialect: object) -> Answer:
    answer = run(path, options=LENIENT, dialect=DialectSpec(**dialect))
    assert answer.failed is None, answer.failed
    return answer


def refused(path: Path, **dialect: object) -> str:
    return run(path, options=LENIENT, dialect=DialectSpec(**dialect)).failed.message


# ---------------------------------------------------------------- encoding


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_s20_a_byte_order_mark_decides(file: Writer, encoding: str):
    text = "Name\nד׳ לוי\n"
    data = (b"\xfe\xff" if encoding == "utf-16-be" else b"") + text.encode(encoding)
    answer = read(file(data))
    assert answer.column("name") == ["ד׳ לוי"]
    assert answer.opened.dialect.bom
    assert answer.opened.dialect.encoding.confidence is CERTAIN


def test_s20_utf16_without_a_mark_is_likely(file: Writer):
    answer = read(file("Name,City\nDana,Lyon\n".encode("utf-16-le")))
    assert (answer.column("name"), answer.opened.dialect.encoding.confidence) == (["Dana"], LIKELY)


def test_s20_a_first_bad_byte_after_45_kb_makes_it_windows_1252_with_evidence(file: Writer):
    text = "Name\n" + "Dana\n" * 9_000
    answer = read(file(text.encode() + "Zoé\n".encode("cp1252")))
    encoding = answer.opened.dialect.encoding
    assert answer.column("name")[-1] == "Zoé"
    assert (encoding.value, encoding.confidence) == ("windows-1252", LIKELY)
    assert encoding.evidence == "byte 45,007 (line 9,002) is not UTF-8"


def test_a_bad_byte_at_a_chunk_s_edge_is_found_where_it_is(file: Writer):
    data = b"Name\n" + b"x" * ((1 << 20) - 7) + b"\n" + "é".encode()[:1]
    evidence = run(file(data), options=LENIENT).opened.dialect.encoding.evidence
    assert evidence == f"byte {len(data) - 1:,} (line 3) is not UTF-8"


def test_a_named_encoding_is_taken(file: Writer):
    answer = read(file("Name\nדנה\n".encode("windows-1255")), encoding="windows-1255")
    assert (answer.column("name"), answer.opened.dialect.encoding.confidence) == (["דנה"], GIVEN)


@pytest.mark.parametrize("name", ["klingon", "base64", "../x"])
def test_what_is_no_text_encoding_is_refused(file: Writer, name: str):
    assert name in refused(file("Name\n"), encoding=name)


def test_bytes_that_are_none_in_the_named_encoding_fail_their_row_alone(file: Writer):
    answer = read(file(b"Name,City\nDana,Lyon\nZo\xe9,Paris\nNoa,\xef\xbf\xbdx\n"), encoding="utf-8")
    assert answer.failed_rows == [3]
    assert [(issue.row, issue.code, issue.severity, issue.value) for issue in answer.issues] == [
        (3, "BAD_ENCODING", "ERROR", "Zo\ufffd"),
        (4, "BAD_ENCODING", "WARNING", "\ufffdx"),
    ]


# --------------------------------------------------------------- delimiter


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_by_equal_counts_outside_quotes(file: Writer, delimiter: str):
    lines = [["Name", "City", "Notes"], ["Dana", "Lyon", '"a,b;c|d"'], ["Noa", "Paris", "x"]]
    answer = read(file("\n".join(delimiter.join(line) for line in lines)))
    assert answer.opened.dialect.delimiter.value == delimiter
    assert answer.column("name") == ["Dana", "Noa"]


def test_commas_in_texts_do_not_outvote_semicolons(file: Writer):
    answer = read(file("Name;Notes\nDana;one, two, three\nNoa;four, five, six\n"))
    assert answer.opened.dialect.delimiter.value == ";"
    assert answer.opened.dialect.delimiter.alternatives == (",",)


def test_blanks_after_delimiters_and_before_quotes_are_no_part_of_the_cell(file: Writer):
    answer = read(file('Name, City\nDana, "Lyon, Rhône"\nNoa, "Paris"\n'))
    assert answer.opened.dialect.delimiter.value == ", "
    assert answer.column("address_city") == ["Lyon, Rhône", "Paris"]


def test_s20_a_sep_line_names_the_delimiter_and_is_no_row(file: Writer):
    answer = read(file("sep=|\r\nName|City\r\nDana|Lyon, Paris\r\n"))
    assert (answer.column("name"), answer.rows, answer.blocks[0].ready.lines) == (["Dana"], [2], [3])


def test_one_column_needs_no_delimiter(file: Writer):
    answer = read(file("Name\nDana\nNoa\n"))
    assert (answer.column("name"), answer.opened.dialect.delimiter.confidence) == (["Dana", "Noa"], LIKELY)


@pytest.mark.parametrize("given", [" ", "space", "§", "tab"])
def test_a_given_delimiter_is_taken(file: Writer, given: str):
    character = {"space": " ", "tab": "\t"}.get(given, given)
    answer = read(file(f"Name{character}City\nDana{character}Lyon\n"), delimiter=given)
    assert answer.column("address_city") == ["Lyon"]


def test_a_delimiter_of_several_characters_is_refused(file: Writer):
    assert refused(file("Name\n"), delimiter="||") == "The delimiter must be one character."


def test_given_quotes_and_escapes_are_taken(file: Writer):
    quoted = read(file("Name,City\n'O\\'Brien, Pat',Lyon\n"), quote="'", escape="\\")
    assert quoted.column("name") == ["O'Brien, Pat"]
    none = read(file('Name;City\n"Dana";"Ly"on\n'), quote="")
    assert none.column("name") == ['"Dana"']


# ------------------------------------------------------------------ header


def test_a_first_row_that_holds_data_is_no_header(file: Writer):
    answer = read(file("Dana Levi,dana@example.com\nNoa,noa@example.com\n"))
    assert answer.opened.dialect.header_row == 0
    assert [column.header for column in answer.opened.columns] == ["column_1", "column_2"]
    assert answer.done.total_rows == 2


def test_a_known_header_makes_the_row_one_whatever_stands_beside_it(file: Writer):
    assert read(file("Name,2023,2024\nDana,1,2\n")).opened.dialect.header_row == 1


@pytest.mark.parametrize("row", ["Dana Levi,+1 202 555-0101,phone", "phone,Dana Levi,0612345678", "email,d@x.org,Dana"])
def test_a_first_row_with_somebody_s_number_or_address_is_no_header(file: Writer, row: str):
    answer = read(file(f"{row}\nNoa,Cohen,web\n"))
    assert (answer.opened.dialect.header_row, answer.done.total_rows) == (0, 2)


def test_the_header_is_found_behind_rows_of_blank_cells(file: Writer):
    answer = read(file(",,\n , ,\nName,City,Score\nDana,Lyon,1\n"))
    assert (answer.opened.dialect.header_row, answer.column("name"), answer.rows) == (3, ["Dana"], [4])


def test_a_given_header_row_skips_what_is_above(file: Writer):
    answer = read(file("Our leads,\n,\nName,City\nDana,Lyon\n"), header_row=3)
    assert (answer.column("name"), answer.rows) == (["Dana"], [4])


def test_blank_lines_above_the_header_count_as_rows_of_the_spreadsheet(file: Writer):
    answer = read(file("\n\nName\nDana\n"))
    assert (answer.opened.dialect.header_row, answer.rows, answer.blocks[0].ready.lines) == (3, [4], [4])


def test_a_header_row_that_is_not_there_is_a_file_error(file: Writer):
    assert refused(file("Name\n"), header_row=7) == "Row 7, named as the header, is blank or not there."


def test_s22_more_columns_than_the_limit_are_refused_with_bounded_memory(file: Writer):
    answer = run(file(",".join("abc") + "," * 100_000 + "\n" + "1," * 100_000 + "\n"))
    assert answer.failed.message == "The file has more than 16,384 columns."


# ------------------------------------------------- date order, decimal mark


@pytest.mark.parametrize(
    ("dates", "order"),
    [
        (["03/04/2021", "15/04/2021"], "DMY"),
        (["03/04/2021", "04/15/2021"], "MDY"),
        (["3.4.21"], "DMY"),
        (["31/12/21"], "DMY"),
        (["24-01-15", "99-12-31"], "YMD"),
        (["15-01-24", "15-01-99"], "DMY"),
        (["10-01-24", "10-31-24"], "MDY"),
    ],
)
def test_the_whole_column_decides_the_order_of_day_and_month(file: Writer, dates: list[str], order: str):
    answer = read(file("Created At\n" + "\n".join(dates)))
    found = answer.opened.dialect.date_order
    assert (found.value, found.confidence) == (order, CERTAIN)
    assert answer.failed_rows == []


def test_a_decisive_date_in_a_late_block_counts(file: Writer):
    text = "Created At\n" + "03/04/2021\n" * 6_000 + "31/12/2021\n"
    answer = run(file(text), options=LENIENT)
    assert answer.opened.dialect.date_order.evidence == "31/12/2021 can be nothing else"
    assert set(answer.column("created_at")[:-1]) == {"2021-04-03 00:00:00+00:00"}


def test_dates_that_could_be_both_stop_before_the_first_row(file: Writer):
    path = file("Name,Created At\nDana,03/04/2021\nNoa,05/05/2021\n")
    answer = run(path, options=LENIENT)
    assert (answer.opened.ambiguous, answer.blocks, answer.done) == (("date_order",), [], None)
    order = answer.opened.dialect.date_order
    assert (order.confidence, order.alternatives) == (AMBIGUOUS, ("DMY", "MDY"))
    answered = read(path, date_order=DateOrder.MDY)
    assert answered.column("created_at")[0] == "2021-03-04 00:00:00+00:00"


def test_a_date_that_may_begin_with_the_day_or_the_year_asks(file: Writer):
    path = file("Created At\n24-01-15\n23-12-05\n")
    order = run(path, options=LENIENT).opened.dialect.date_order
    assert (order.confidence, order.alternatives) == (AMBIGUOUS, ("DMY", "MDY", "YMD"))
    assert read(path, date_order=DateOrder.YMD).column("created_at")[0] == "2024-01-15 00:00:00+00:00"


def test_an_order_that_does_not_matter_asks_nobody(file: Writer):
    assert read(file("Created At\n05/05/2021\n")).column("created_at") == ["2021-05-05 00:00:00+00:00"]
    assert read(file("Name,Birthday\nDana,03/04/2021\n")).opened.ambiguous == ()


def test_a_slash_date_far_behind_iso_dates_is_not_guessed(file: Writer):
    path = file("Created At\n" + "2021-01-01\n" * 6_000 + "03/04/2021\n31/12/2021\n")
    answer = run(path, options=LENIENT)
    assert answer.column("created_at")[-1] == "2021-12-31 00:00:00+00:00"
    assert [(issue.row, issue.code) for issue in answer.issues] == [(6_002, "INVALID_DATE")]


@pytest.mark.parametrize(
    ("amounts", "values"),
    [
        (["1.200,50", "3,5"], ["1200.5", "3.5"]),
        (["1,200.50", "3.5"], ["1200.5", "3.5"]),
        (["1 200,5"], ["1200.5"]),
        (["1,234,567", "5"], ["1234567", "5"]),
    ],
)
def test_the_column_decides_the_decimal_mark(file: Writer, amounts: list[str], values: list[str]):
    assert (
        read(file("Conversion Value\n" + "\n".join(f'"{text}"' for text in amounts))).column("conversion_value")
        == values
    )


def test_amounts_that_could_be_both_ask(file: Writer):
    path = file('Conversion Value;City\n"1,234";Lyon\n')
    assert run(path, options=LENIENT).opened.ambiguous == ("decimal_mark",)
    assert read(path, decimal_mark=",").column("conversion_value") == ["1.234"]


def test_amounts_that_are_thousands_or_three_decimals_ask(file: Writer):
    path = file("Conversion Value;City\n1.200;Lyon\n12.500 €;Lyon\n")
    assert run(path, options=LENIENT).opened.ambiguous == ("decimal_mark",)
    assert read(path, decimal_mark=",").column("conversion_value") == ["1200", "12500"]
    assert read(file("Conversion Value;City\n0.125;Lyon\n")).column("conversion_value") == ["0.125"]


def test_three_decimals_of_a_program_are_no_thousands(file: Writer):
    ours = f"Lead ID,Conversion Value\n{format_id(IdKind.LEAD, new_id())},12.345\n"
    for text in (ours, '[{"conversion_value": 12.345}]'):
        assert read(file(text)).column("conversion_value") == ["12.345"]


def test_times_without_offset_are_the_organization_s(file: Writer):
    path = file("Created At\n2024-01-15 14:30:22\n2024-07-15T14:30:22Z\n")
    assert read(path, time_zone="Asia/Jerusalem").column("created_at") == [
        "2024-01-15 12:30:22+00:00",
        "2024-07-15 14:30:22+00:00",
    ]
    assert "no time zone" in refused(path, time_zone="Mars/Olympus")


# ------------------------------------------------------------- whole runs


def test_the_head_of_a_file_is_enough_to_open_it(file: Writer):
    whole = "Name,City\n" + "Zoé,Lyon\n" * 100
    path = file(whole.encode()[:-7])
    answer = run(path, mode=ChildMode.OPEN, partial=True, options=LENIENT)
    assert (answer.fields, answer.blocks) == ({"Name": "name", "City": "address_city"}, [])


def test_samples_show_the_first_different_values(file: Writer):
    answer = read(file("Name\nDana\nDana\n\nNoa\nTal\nUri\n"))
    assert answer.opened.columns[0].samples == ("Dana", "Noa", "Tal")


def test_the_head_of_json_is_enough_too(file: Writer):
    whole = "[" + ",".join(f'{{"name": "Lead {number}", "city": "Lyon"}}' for number in range(50))
    answer = run(file(whole[:-9]), mode=ChildMode.OPEN, partial=True, options=LENIENT)
    assert answer.fields == {"name": "name", "city": "address_city"}
