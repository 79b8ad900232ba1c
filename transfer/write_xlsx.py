"""XLSX (ECMA-376) from COPY's output, in constant memory: typed cells, frozen header, a sheet about the file.

COPY writes texts in quotes (QUOTE, forced) and all else bare: numbers as they are, instants as `d` and Excel's serial
number, or as `t` and a text where spreadsheets have no number that they agree on. The quotes thus tell content from
structure, and both are rewritten whole, piece by piece, never cell by cell.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.vocabulary import FieldType
from transfer import xlsx_parts as parts
from transfer.copied_cells import D, Q, fill_blanks, put_together, take_apart
from transfer.write_zip import ZipWriter

ROWS_OF_A_SHEET: Final = parts.SHEET_ROWS - 1
"""Without the header."""
MAX_COLUMNS: Final = 16_384
_EMPTY: Final = b"<c/>"
_NUMBER: Final = re.compile(rb"(?<=[\x02\n])(-?[0-9][0-9.e+-]*)(?=[\x02\n])")
_DATE: Final = re.compile(rb"(?<=[\x02\n])d(-?[0-9][0-9.e+-]*)(?=[\x02\n])")
_WORDS: Final = re.compile(rb"(?<=[\x02\n])t([^\x02\n]+)(?=[\x02\n])")
_ODD: Final = re.compile(rb"[\x00\x02-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]|_(?=x[0-9A-Fa-f]{4}_)")
_LARGE: Final = 3 << 30
_CELL_BYTES: Final = 120
_ABOUT: Final = "About"
_WIDTHS: Final = {
    FieldType.LONG_TEXT: 48,
    FieldType.INTEGER: 10,
    FieldType.DECIMAL: 14,
    FieldType.BOOLEAN: 10,
    FieldType.DATETIME: 20,
    FieldType.ENUM: 16,
    FieldType.ID: 42,
    FieldType.EMAIL: 30,
    FieldType.PHONE: 18,
}
_TEXT_WIDTH: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPlan:
    """`total` rows are to come; `date_format` is Excel's; `about` are names and values for the last sheet.

    `sheet` names the sheet of the rows, and with a number those that follow.
    """

    headers: Sequence[str]
    types: Sequence[FieldType]
    total: int
    date_format: str
    moment: datetime
    about: Sequence[tuple[str, str]] = ()
    sheet: str = "Leads"


class XlsxWriter:
    """Turns COPY's output, in pieces of whole rows, into a workbook.

    `rows` counts the rows so far, `cut` the cells that were longer than Excel allows and lost their end.
    """

    def __init__(self, plan: SheetPlan, rows_per_sheet: int = ROWS_OF_A_SHEET) -> None:
        self._plan = plan
        self._capacity = rows_per_sheet
        self._archive = ZipWriter(plan.moment)
        self._in_sheet = 0
        self._sheet = 0
        self.rows = 0
        self.cut = 0

    def start(self) -> bytes:
        """The package's fixed parts and the first sheet's header."""
        sheets = max(1, -(-self._plan.total // self._capacity))
        sheet = self._plan.sheet
        names = [sheet if number == 1 else f"{sheet} {number}" for number in range(1, sheets + 1)]
        write = self._archive.write
        return (
            write("[Content_Types].xml", parts.content_types(sheets + 1))
            + write("_rels/.rels", parts.relationships())
            + write("xl/workbook.xml", parts.workbook([*names, _ABOUT]))
            + write("xl/_rels/workbook.xml.rels", parts.workbook_relationships(sheets + 1))
            + write("xl/styles.xml", parts.styles(self._plan.date_format))
            + self._open_sheet()
        )

    def feed(self, data: bytes) -> bytes:
        """More rows."""
        body, count = self._rows(data)
        self.rows += count
        if self._in_sheet + count <= self._capacity:
            self._in_sheet += count
            return self._archive.feed(body)
        return b"".join(self._across_sheets(body.split(b"</row>")[:-1]))

    def finish(self) -> bytes:
        """The end of the last sheet, and the sheet that describes the file."""
        rows = b"".join(map(parts.text_row, (*self._plan.about, *self._shortcomings())))
        sheet = parts.sheet_start(("Name", "Value"), (24, 80)) + rows + parts.SHEET_END
        name = f"xl/worksheets/sheet{self._sheet + 1}.xml"
        return self._close_sheet() + self._archive.write(name, sheet) + self._archive.finish()

    def _shortcomings(self) -> Iterator[tuple[str, str]]:
        if self.cut:
            yield "Shortened cells", f"{self.cut:,}: a cell of a workbook holds {parts.MAX_CELL:,} characters"

    def _open_sheet(self) -> bytes:
        self._sheet += 1
        self._in_sheet = 0
        expected = min(self._plan.total, self._capacity) * len(self._plan.headers) * _CELL_BYTES
        head = self._archive.open(f"xl/worksheets/sheet{self._sheet}.xml", large=expected > _LARGE)
        widths = [_WIDTHS.get(kind, _TEXT_WIDTH) for kind in self._plan.types]
        return head + self._archive.feed(parts.sheet_start(self._plan.headers, widths))

    def _close_sheet(self) -> bytes:
        return self._archive.feed(parts.SHEET_END) + self._archive.close()

    def _across_sheets(self, rows: list[bytes]) -> list[bytes]:
        pieces: list[bytes] = []
        while rows:
            room = self._capacity - self._in_sheet
            if not room:
                pieces.append(self._close_sheet() + self._open_sheet())
                continue
            now, rows = rows[:room], rows[room:]
            self._in_sheet += len(now)
            pieces.append(self._archive.feed(b"</row>".join(now) + b"</row>"))
        return pieces

    def _rows(self, data: bytes) -> tuple[bytes, int]:
        structure, texts = take_apart(data)
        return put_together(_structure(structure), self._texts(texts)), structure.count(b"\n")

    def _texts(self, texts: list[bytes]) -> list[bytes]:
        if texts and len(max(texts, key=len)) > parts.MAX_CELL:
            texts = [self._shortened(text) for text in texts]
        content = Q.join(texts)
        content = _ODD.sub(_harmless, content) if _ODD.search(content) else content
        content = content.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")
        return content.replace(b"\r", b"&#13;").split(Q) if texts else []

    def _shortened(self, text: bytes) -> bytes:
        short = parts.shortened(text.decode()).encode()
        self.cut += short != text
        return short


def _structure(structure: bytes) -> bytes:
    """The cells and rows around the texts, which stand as QUOTE."""
    text = fill_blanks(structure, _EMPTY)
    text = _NUMBER.sub(rb"<c><v>\1</v></c>", text)
    text = _DATE.sub(rb'<c s="1"><v>\1</v></c>', text)
    if b"t" in structure:
        text = _WORDS.sub(parts.TEXT_OPEN + rb"\1" + parts.TEXT_CLOSE, text)
    text = text.replace(D, b"").replace(Q, parts.TEXT_OPEN + Q + parts.TEXT_CLOSE)
    return b"<row>" + text[1:-1].replace(b"\n", b"</row><row>") + b"</row>"


def _harmless(match: re.Match[bytes]) -> bytes:
    """An underscore that would begin an escape (ST_Xstring) is escaped; what XML cannot hold is left out."""
    return b"_x005F_" if match.group() == b"_" else b""
