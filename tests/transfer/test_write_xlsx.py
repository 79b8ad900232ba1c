"""Workbooks around COPY's output, read back by openpyxl."""

import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

import openpyxl
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.vocabulary import FieldType
from transfer.write_xlsx import SheetPlan, XlsxWriter
from transfer.xlsx_parts import MAX_CELL

MOMENT = datetime(2024, 1, 15, 14, 30, 22, tzinfo=UTC)
TYPES = (FieldType.TEXT, FieldType.INTEGER, FieldType.DATETIME, FieldType.LONG_TEXT)
Row = tuple[str | None, int | None, datetime | None, str | None]
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - workbooks hold no zone - spreadsheets know no zones


def _plan(total: int) -> SheetPlan:
    return SheetPlan(
        headers=("Name", "Score", "Created & <At>", "Notes"),
        types=TYPES,
        total=total,
        date_format="yyyy-mm-dd hh:mm:ss",
        moment=MOMENT,
        about=(("Rows", str(total)), ("Filter", "a < b & c")),
    )


def _copied(rows: list[Row]) -> bytes:
    def text(value: str | None) -> str:
        return "" if value is None else "\x01" + value.replace("\x01", "\x01\x01") + "\x01"

    def instant(value: datetime | None) -> str:
        return "" if value is None else f"d{(value - _EPOCH).total_seconds() / 86_400!r}"

    return "".join(
        "\x02".join((text(a), "" if b is None else str(b), instant(c), text(d))) + "\n" for a, b, c, d in rows
    ).encode()


def _workbook(rows: list[Row], per_sheet: int = 1_000) -> tuple[openpyxl.Workbook, XlsxWriter]:
    writer = XlsxWriter(_plan(len(rows)), per_sheet)
    data = writer.start() + b"".join(writer.feed(_copied([row])) for row in rows[:1])
    data += writer.feed(_copied(rows[1:])) if rows[1:] else b""
    data += writer.finish()
    assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
    return openpyxl.load_workbook(io.BytesIO(data)), writer


def _cells(workbook: openpyxl.Workbook, sheet: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in workbook[sheet].iter_rows(values_only=True)]


_TEXT = st.text(alphabet=st.sampled_from("abé&<>\"'\n\t=שλ😀_x"), min_size=1, max_size=8)
_ROW = st.tuples(
    st.none() | _TEXT,
    st.none() | st.integers(-5, 10**9),
    st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)).map(lambda m: m.replace(microsecond=0)),  # noqa: DTZ001 - workbooks hold no zone
    st.none() | _TEXT,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_ROW, min_size=1, max_size=6))
def test_every_cell_reads_back_equal_and_typed(rows: list[Row]) -> None:
    workbook, writer = _workbook(rows)
    assert _cells(workbook, "Leads") == [("Name", "Score", "Created & <At>", "Notes"), *rows]
    assert (writer.rows, writer.cut) == (len(rows), 0)


def test_a_text_that_looks_like_a_formula_is_a_text() -> None:
    workbook, _ = _workbook([("=1+1", None, None, "+33612345678")])
    assert workbook["Leads"]["A2"].value == "=1+1"
    assert workbook["Leads"]["A2"].data_type != "f"


def test_what_xml_cannot_hold_is_left_out() -> None:
    workbook, _ = _workbook([("a\x01b\x02\x03c\ufffe", 1, None, "\x0b"), ("\x01", None, None, "x\r\ny")])
    assert _cells(workbook, "Leads")[1][0] == "abc"
    assert _cells(workbook, "Leads")[2][3] == "x\r\ny"


def test_rows_beyond_a_sheet_go_on_in_the_next_one() -> None:
    rows: list[Row] = [(f"n{number}", number, None, None) for number in range(7)]
    workbook, _ = _workbook(rows, per_sheet=3)
    assert workbook.sheetnames == ["Leads", "Leads 2", "Leads 3", "About"]
    read = [row[1] for name in workbook.sheetnames[:3] for row in _cells(workbook, name)[1:]]
    assert read == list(range(7))


def test_a_sheet_that_is_exactly_full_needs_no_next_one() -> None:
    rows: list[Row] = [(f"n{number}", number, None, None) for number in range(6)]
    assert _workbook(rows, per_sheet=3)[0].sheetnames == ["Leads", "Leads 2", "About"]


def test_a_cell_longer_than_excel_allows_is_cut_and_the_last_sheet_says_so() -> None:
    workbook, writer = _workbook([("😀" * MAX_CELL, None, None, "é" * MAX_CELL)])
    assert writer.cut == 1
    *_, last = workbook["About"].iter_rows(values_only=True)
    assert last == ("Shortened cells", "1: a cell of a workbook holds 32,767 characters")
    assert len(str(workbook["Leads"]["A2"].value).encode("utf-16-le")) // 2 == MAX_CELL - 1
    assert workbook["Leads"]["D2"].value == "é" * MAX_CELL


def test_the_header_is_bold_and_frozen_and_the_last_sheet_tells_about_the_file() -> None:
    workbook, _ = _workbook([("a", 1, None, None)])
    sheet = workbook["Leads"]
    assert sheet.freeze_panes == "A2"
    assert sheet["A1"].font.bold
    assert sheet.column_dimensions["A"].width == 24
    assert _cells(workbook, "About") == [("Name", "Value"), ("Rows", "1"), ("Filter", "a < b & c")]


def test_a_workbook_without_leads_has_its_header() -> None:
    writer = XlsxWriter(_plan(0))
    workbook = openpyxl.load_workbook(io.BytesIO(writer.start() + writer.finish()))
    assert _cells(workbook, "Leads") == [("Name", "Score", "Created & <At>", "Notes")]


def test_headers_and_what_is_told_of_the_file_hold_only_what_a_workbook_can() -> None:
    odd, escaped = "a\uffff_x0041_", "a_x005F_x0041_"  # openpyxl shows the escape that Excel reads
    about = (("Leads", odd), ("Columns", "é" * (MAX_CELL + 1)))
    writer = XlsxWriter(replace(_plan(0), headers=(odd, "b", "c", "d"), about=about))
    workbook = openpyxl.load_workbook(io.BytesIO(writer.start() + writer.finish()))
    told = [("Name", "Value"), ("Leads", escaped), ("Columns", "é" * MAX_CELL)]
    assert (_cells(workbook, "Leads")[0][0], _cells(workbook, "About")) == (escaped, told)
