"""An export's rows in the form that its writer takes: what COPY runs, and how it separates and quotes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from sqlalchemy import Select, SelectBase, Text, cast, func, literal, literal_column, select

from db.copy_out import CopyOptions
from db.export_columns import Formatting, is_bare
from db.export_query import Selection, Statement, deleted_leads, lead_rows, shape
from db.export_values import field_type
from db.expressions import Expression
from domain.copy_forms import DELIMITER, QUOTE, RECORD_MARK
from domain.exports import ResolvedColumn
from domain.vocabulary import ExportFormat

__all__ = ["CopiedTable", "Copy", "Form", "copy_of", "copy_of_deleted", "copy_of_leads", "marks"]

_MARK: Final = literal(RECORD_MARK, Text()).label("mark")
_MOST_ARGUMENTS: Final = 50


@dataclass(frozen=True, slots=True)
class Copy:
    """A COPY that is ready to run."""

    statement: Statement
    options: CopyOptions


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """Rows whose columns are called c0, c1, … in the statement; `texts` are those that stand in quotes.

    In a CSV the columns of `marks` follow them; `delimiter` is that of CSV.
    """

    format: ExportFormat
    headers: Sequence[str]
    texts: tuple[str, ...]
    delimiter: str = ","


@dataclass(frozen=True, slots=True)
class Form:
    """The columns and what makes cells of them; `delimiter` is that of CSV."""

    columns: Sequence[ResolvedColumn]
    formatting: Formatting
    delimiter: str = ","

    @property
    def keys(self) -> list[str]:
        """The columns' keys in files."""
        return [column.key for column in self.columns]

    @property
    def names(self) -> list[str]:
        """The columns' names in the statement."""
        return [f"c{position}" for position in range(len(self.columns))]

    @property
    def table(self) -> CopiedTable:
        """What of it a writer must know."""
        pairs = zip(self.keys, self.names, strict=True)
        texts = tuple(name for key, name in pairs if not is_bare(field_type(key), self.formatting))
        headers = [column.header for column in self.columns]
        return CopiedTable(self.formatting.format, headers, texts, self.delimiter)

    @property
    def extra(self) -> tuple[Expression, ...]:
        """What stands at the end of each row."""
        return marks(self.formatting.format)


def marks(format: ExportFormat) -> tuple[Expression, ...]:  # noqa: A002 - what it is called everywhere
    """The columns that stand at the end of each row, after those of the file."""
    return (_MARK,) if format is ExportFormat.CSV else ()


def copy_of_leads(selection: Selection, form: Form) -> Copy:
    """The leads of the selection. Raises BadInput where its filter cannot be compiled."""
    return copy_of(lead_rows(selection, form.keys, form.formatting, form.names, extra=form.extra), form.table)


def copy_of_deleted(selection: Selection, form: Form) -> Copy:
    """The leads of a delta that were deleted since."""
    return copy_of(deleted_leads(selection, form.keys, form.formatting, form.names, extra=form.extra), form.table)


def copy_of(rows: Select[tuple[object, ...]], table: CopiedTable) -> Copy:
    """Rows of formatted cells, as the writer of their format takes them."""
    match table.format:
        case ExportFormat.CSV:
            return Copy(shape(_never_blank(rows, table)), CopyOptions(table.delimiter))
        case ExportFormat.TXT:
            return Copy(shape(_blocks(rows, table)), CopyOptions(DELIMITER, QUOTE))
        case ExportFormat.JSON | ExportFormat.JSONL | ExportFormat.XLSX:
            return Copy(shape(rows), CopyOptions(DELIMITER, QUOTE, table.texts))
        case ExportFormat.PARQUET:
            return Copy(shape(rows), CopyOptions())
        case _:
            assert_never(table.format)


def _never_blank(rows: Select[tuple[object, ...]], table: CopiedTable) -> SelectBase:
    """The rows; one of a single empty cell is written as "" instead of a blank line, which readers pass over."""
    if len(table.headers) > 1:
        return rows
    made = rows.subquery("r")
    cell = func.coalesce(cast(made.c.c0, Text()), literal_column("''", Text()))
    return select(cell, made.c.mark)


def _blocks(rows: Select[tuple[object, ...]], table: CopiedTable) -> SelectBase:
    """Each row as lines of `header: value`, those without a value left out."""
    made = rows.subquery("r")
    lines = [_line(header, made.c[f"c{place}"]) for place, header in enumerate(table.headers)]
    pieces = [lines[start : start + _MOST_ARGUMENTS] for start in range(0, len(lines), _MOST_ARGUMENTS)]
    blank = literal_column("E'\\n'", Text())
    block = func.concat(*(func.concat(*piece) for piece in pieces))
    return select(func.coalesce(func.nullif(block, literal_column("''", Text())), blank))


def _line(header: str, value: Expression) -> Expression:
    """Further lines of a value stand under its first."""
    line_break, indented = (literal_column(text, Text()) for text in ("E'\\n'", "E'\\n    '"))
    text = func.replace(func.nullif(value, literal_column("''", Text())), line_break, indented, type_=Text())
    return literal(f"{header}: ", Text()).concat(text).concat(line_break)
