"""The writer of a format: what turns COPY's rows into a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, assert_never

from domain.vocabulary import ExportFormat, FieldType
from transfer.write_csv import CsvDialect, CsvWriter, csv_head
from transfer.write_json import JsonLinesWriter, JsonWriter
from transfer.write_parquet import ParquetWriter
from transfer.write_txt import TextWriter
from transfer.write_xlsx import SheetPlan, XlsxWriter
from transfer.xlsx_parts import excel_date_format


class RowWriter(Protocol):
    """`start`, any number of `feed` with whole rows, `finish`: what they return, in order, is the file."""

    rows: int
    """The rows written so far, without header."""

    def start(self) -> bytes:
        """The file's beginning."""
        ...

    def feed(self, data: bytes) -> bytes:
        """More rows."""
        ...

    def finish(self) -> bytes:
        """The file's end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlan:
    """What a file is made of.

    `total` rows are to come. `date_pattern` is one of to_char. `moment` dates the members of archives. `about` are
    names and values that describe the file where the format has a place for them; `sheet` names that of a workbook.
    """

    format: ExportFormat
    headers: Sequence[str]
    types: Sequence[FieldType]
    total: int
    dialect: CsvDialect
    date_pattern: str
    moment: datetime
    about: Sequence[tuple[str, str]] = ()
    sheet: str = "Leads"


def row_writer(plan: FilePlan) -> RowWriter:
    """The writer for a plan, for one file."""
    match plan.format:
        case ExportFormat.CSV:
            head = csv_head(plan.headers, plan.dialect)
            return CsvWriter(plan.dialect.delimiter, crlf=plan.dialect.crlf, head=head)
        case ExportFormat.TXT:
            return TextWriter()
        case ExportFormat.JSON:
            return JsonWriter(plan.headers)
        case ExportFormat.JSONL:
            return JsonLinesWriter(plan.headers)
        case ExportFormat.PARQUET:
            return ParquetWriter(plan.headers, plan.types)
        case ExportFormat.XLSX:
            return XlsxWriter(
                SheetPlan(
                    headers=plan.headers,
                    types=plan.types,
                    total=plan.total,
                    date_format=excel_date_format(plan.date_pattern),
                    moment=plan.moment,
                    about=plan.about,
                    sheet=plan.sheet,
                )
            )
        case _:
            assert_never(plan.format)
