"""The parts of an XLSX package (ECMA-376) that do not depend on the rows."""

import re
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

MAX_CELL: Final = 32_767
"""Characters of a cell, counted as UTF-16 does."""
_ODD: Final = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
SHEET_ROWS: Final = 1_048_576
"""Excel has no more in a sheet."""
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPES: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
TEXT_OPEN: Final = b'<c t="inlineStr"><is><t xml:space="preserve">'
TEXT_CLOSE: Final = b"</t></is></c>"
_HEADER_OPEN: Final = '<c s="2" t="inlineStr"><is><t xml:space="preserve">'


def content_types(sheets: int) -> bytes:
    """`[Content_Types].xml` of a workbook with so many sheets."""
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{_TYPES}.worksheet+xml"/>'
        for number in range(1, sheets + 1)
    )
    return (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/>{overrides}</Types>'
    ).encode()


def relationships() -> bytes:
    """`_rels/.rels`."""
    return (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ).encode()


def workbook(names: Sequence[str]) -> bytes:
    """`xl/workbook.xml` with the sheets of these names."""
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>'
        for number, name in enumerate(names, start=1)
    )
    return f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'.encode()


def workbook_relationships(sheets: int) -> bytes:
    """`xl/_rels/workbook.xml.rels`."""
    entries = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, sheets + 1)
    )
    styles = f'<Relationship Id="rId{sheets + 1}" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{entries}{styles}</Relationships>'.encode()


def styles(date_format: str) -> bytes:
    """`xl/styles.xml`: 0 plain, 1 instants in Excel's number format, 2 the header (bold on grey)."""
    return (
        f'{_HEAD}<styleSheet xmlns="{_MAIN}">'
        f'<numFmts count="1"><numFmt numFmtId="164" formatCode={quoteattr(date_format)}/></numFmts>'
        '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="3"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill>'
        '<fill><patternFill patternType="solid"><fgColor rgb="FFE7E9EE"/><bgColor indexed="64"/></patternFill></fill>'
        '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        '<xf numFmtId="0" fontId="1" fillId="2" borderId="0" xfId="0" applyFont="1" applyFill="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    ).encode()


def sheet_start(headers: Sequence[str], widths: Sequence[int]) -> bytes:
    """The beginning of a sheet: frozen header row in its style, columns as wide as told (in characters)."""
    columns = "".join(
        f'<col min="{number}" max="{number}" width="{width}" customWidth="1"/>'
        for number, width in enumerate(widths, start=1)
    )
    cells = "".join(f"{_HEADER_OPEN}{_written(header)}</t></is></c>" for header in headers)
    return (
        f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f"<cols>{columns}</cols><sheetData><row>{cells}</row>"
    ).encode()


SHEET_END: Final = b"</sheetData></worksheet>"


def text_row(values: Sequence[str]) -> bytes:
    """A row of texts; what XML or a cell cannot hold is left out."""
    cells = "".join(f"{TEXT_OPEN.decode()}{_written(value)}</t></is></c>" for value in values)
    return f"<row>{cells}</row>".encode()


def excel_date_format(pattern: str) -> str:
    """A pattern of to_char (`YYYY-MM-DD HH24:MI:SS`) as Excel's number format."""
    return pattern.replace('"', "").replace("HH24", "hh").replace("MI", "mm").lower().replace("t", '"T"')


def shortened(value: str) -> str:
    """As much of the text as a cell holds."""
    return value.encode("utf-16-le")[: 2 * MAX_CELL].decode("utf-16-le", "ignore")


def _written(value: str) -> str:
    """The text as XML holds it: no control characters, no escape (ST_Xstring) by chance, not longer than a cell."""
    return escape(_ODD.sub(lambda odd: "_x005F_" if odd.group() == "_" else "", shortened(value)))
