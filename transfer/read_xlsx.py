"""Excel workbooks: a sheet as CSV text, after looking at what it would really take to open it.

python-calamine holds a sheet as a dense table in memory, so one far-away cell or a packed gigabyte would end the
process: both are looked for in the archive first. Entities are never expanded, macros never run.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import IO, Final
from zipfile import ZipFile, ZipInfo

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    WorksheetNotFound,
    XmlError,
    ZipError,
)

from transfer.failures import FileFault, TooLarge, UnsafeFile, damaged
from transfer.unpack import ZIP_ERRORS
from transfer.xlsx_parts import SHEET_ROWS

MAX_CELLS: Final = 20_000_000
_MAX_PARTS: Final = 5_000
_CHUNK_BYTES: Final = 1 << 20
_OVERLAP: Final = 64
_SMALL_BYTES: Final = 64 << 20
_BOMB_RATIO: Final = 100
_EXACT_FLOAT: Final = 1e16
_ENCRYPTED: Final = 0x1
_REFERENCE: Final = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{0,3})(\d{1,10})["']""")
_DECLARATION: Final = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_CELL_TYPES = bool | int | float | str | datetime | date | time | timedelta | None


@dataclass(frozen=True, slots=True)
class SheetText:
    """The sheet that was read, and the names of all."""

    sheet: str
    sheets: tuple[str, ...]


def write_sheet(
    source: Path, sheet: str | None, target: Path, limit: int, *, rows_per_sheet: int = SHEET_ROWS
) -> SheetText:
    """Writes a sheet (the first visible one with content, unless named) as CSV; a row keeps its number.

    One that is full is read with those that go on with it, as exports write them: `Leads`, `Leads 2`, each with the
    same header.

    Raises:
        FileFault: The workbook is damaged, locked or has no such sheet.
        UnsafeFile: It holds macros or declarations, or would unpack out of all proportion.
        TooLarge: It has more than `limit` bytes or MAX_CELLS cells.
    """
    try:
        with ZipFile(source) as archive:
            _inspect(archive, limit)
        with CalamineWorkbook.from_path(source) as workbook:
            chosen = _choose(workbook, sheet)
            with target.open("w", encoding="utf-8", newline="", errors="replace") as out:
                header = _write(chosen.iter_rows(), out)
                for more in _further(workbook, chosen, rows_per_sheet):
                    rows = more.iter_rows()
                    if [_text(cell) for cell in next(rows)] != header:
                        break
                    _write(rows, out)
            return SheetText(chosen.name, tuple(workbook.sheet_names))
    except PasswordError as error:
        raise FileFault("The workbook is locked with a password.") from error
    except (CalamineError, XmlError, ZipError, *ZIP_ERRORS) as error:
        raise damaged(error, "The workbook is damaged or no Excel file.") from error


def _inspect(archive: ZipFile, limit: int) -> None:
    entries = archive.infolist()
    if len(entries) > _MAX_PARTS:
        raise UnsafeFile("The workbook has too many parts.")
    unpacked = 0
    for entry in entries:
        name = entry.filename.casefold()
        if name.endswith("vbaproject.bin"):
            raise UnsafeFile("The workbook holds macros; save it as .xlsx without them.")
        if entry.flag_bits & _ENCRYPTED:
            raise FileFault("The workbook is locked with a password.")
        if name.endswith((".xml", ".rels")):
            unpacked += _inspect_part(archive, entry, limit - unpacked)


def _inspect_part(archive: ZipFile, entry: ZipInfo, limit: int) -> int:
    """Reads a part to its end, which also checks its CRC; gives its real size."""
    size = rows = columns = 0
    is_sheet = "worksheets/" in entry.filename.casefold()
    kept = b""
    with archive.open(entry) as part:
        while data := part.read(_CHUNK_BYTES):
            size += len(data)
            _refuse_bomb(size, entry, limit)
            window = kept + data
            if _DECLARATION.search(window):
                raise UnsafeFile("The workbook declares XML entities.")
            if is_sheet:
                rows, columns = _extent(window, rows, columns)
                if rows * columns > MAX_CELLS:
                    raise TooLarge(
                        f"The sheet reaches to row {rows:,}, column {columns:,}: too many cells. Save it as CSV."
                    )
            kept = window[-_OVERLAP:]
    return size


def _refuse_bomb(size: int, entry: ZipInfo, limit: int) -> None:
    if size > limit:
        raise TooLarge("The workbook unpacks to more than an import may use. Save it as CSV.")
    if size > _SMALL_BYTES and size > entry.compress_size * _BOMB_RATIO:
        raise UnsafeFile("The workbook unpacks to far more than its size says.")


def _extent(xml: bytes, rows: int, columns: int) -> tuple[int, int]:
    """The largest row and column that cells refer to."""
    found = _REFERENCE.findall(xml)
    letters = {column for column, _ in found}
    rows = max(rows, max((int(row) for _, row in found), default=0))
    return rows, max(columns, max(map(_column_number, letters), default=0))


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _choose(workbook: CalamineWorkbook, named: str | None) -> CalamineSheet:
    if named is not None:
        with suppress(WorksheetNotFound):
            return workbook.get_sheet_by_name(named)
        raise FileFault(
            f"The workbook has no sheet called {named[:40]}. It has: {', '.join(workbook.sheet_names)[:200]}."
        )
    visible = [
        data.name
        for data in workbook.sheets_metadata
        if data.typ is SheetTypeEnum.WorkSheet and data.visible is SheetVisibleEnum.Visible
    ]
    for name in visible or workbook.sheet_names:
        sheet = workbook.get_sheet_by_name(name)
        if sheet.height:
            return sheet
    raise FileFault("The workbook holds no rows.")


def _further(workbook: CalamineWorkbook, sheet: CalamineSheet, full: int) -> Iterator[CalamineSheet]:
    """The sheets that may go on with this one, by their names."""
    base, _, number = sheet.name.rpartition(" ")
    if not (base and number.isascii() and number.isdigit()):
        base, number = sheet.name, "1"
    for next_number in count(int(number) + 1):
        name = f"{base} {next_number}"
        if sheet.end is None or sheet.end[0] + 1 < full or name not in workbook.sheet_names:
            return
        sheet = workbook.get_sheet_by_name(name)
        if not sheet.height:
            return
        yield sheet


def _write(rows: Iterator[Sequence[_CELL_TYPES]], out: IO[str]) -> list[str]:
    """The rows, blank ones as blank lines, so that each row keeps its number; gives the first."""
    writer = csv.writer(out, lineterminator="\r\n")
    first: list[str] | None = None
    for row in rows:
        texts = [_text(cell) for cell in row]
        first = texts if first is None else first
        if any(texts):
            writer.writerow(texts)
        else:
            out.write("\r\n")
    return first or []


def _text(cell: _CELL_TYPES) -> str:
    return cell if isinstance(cell, str) else cell_text(cell)


def cell_text(cell: _CELL_TYPES) -> str:
    """A cell's value as a file would write it: whole floats are whole numbers, instants are ISO 8601.

    A number with more digits than a float holds is shortened as Excel shows it, `1.2E+16`, and known for one by that.
    """
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case float():
            return str(int(cell)) if cell.is_integer() and abs(cell) < _EXACT_FLOAT else repr(cell).upper()
        case datetime():
            return cell.isoformat(sep=" ")
        case timedelta():
            return str(cell)
        case date() | time():
            return cell.isoformat()
        case _:
            return str(cell)
