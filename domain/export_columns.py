"""The columns of an export: which, in what order, under which headers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from domain.errors import InputProblem, Path, Problem
from domain.exports import MAX_COLUMNS, ColumnSpec, ResolvedColumn
from domain.fields import CUSTOM_PREFIX, FIELDS
from domain.templates import Template
from domain.vocabulary import HeaderStyle, LeadFieldKey, UserErrorCode

MAX_HEADER: Final = 255
CHANGE: Final = "_change"
"""The column of a delta export that says what happened: created, updated or deleted."""
_DELTA: Final = (LeadFieldKey.LEAD_ID, LeadFieldKey.DELETED_AT)


def template_columns(template: Template) -> tuple[ResolvedColumn, ...]:
    """A builtin template's columns under its headers."""
    return tuple(ResolvedColumn(key.value, header) for key, header in template.columns)


def own_columns(
    columns: Sequence[ColumnSpec], style: HeaderStyle, template: Template | None, custom: Mapping[str, str]
) -> tuple[ResolvedColumn, ...]:
    """The columns asked for. A header is the caller's own, else the template's, else by style.

    `custom` names the organization's custom fields by key.
    """
    fixed = dict(template.columns) if template else {}
    return tuple(ResolvedColumn(column.key, _header(column, style, fixed, custom)) for column in columns)


def delta_columns(columns: Sequence[ResolvedColumn], style: HeaderStyle) -> tuple[ResolvedColumn, ...]:
    """The columns with those that a delta needs: the lead's id, when it was deleted, and what happened."""
    present = {column.key for column in columns}
    missing = [ResolvedColumn(key.value, _by_style(key, style)) for key in _DELTA if key.value not in present]
    leading = [column for column in missing if column.key == LeadFieldKey.LEAD_ID.value]
    return (
        *leading,
        *columns,
        *(column for column in missing if column not in leading),
        ResolvedColumn(CHANGE, CHANGE),
    )


def column_problems(columns: Sequence[ColumnSpec], custom: Mapping[str, str], path: Path) -> Iterator[Problem]:
    """What is wrong with the columns asked for, each with its path."""
    if not columns or len(columns) > MAX_COLUMNS:
        yield InputProblem(UserErrorCode.OUT_OF_RANGE, f"Choose from 1 to {MAX_COLUMNS} columns.", path)
    for index, column in enumerate(columns):
        yield from _column_problems(column, custom, (*path, str(index)))


def repeated_headers(columns: Sequence[ResolvedColumn], path: Path) -> Iterator[Problem]:
    """A problem for each header that an earlier column has already."""
    seen = set[str]()
    for index, column in enumerate(columns):
        if column.header in seen:
            place = (*path, str(index), "header")
            yield InputProblem(UserErrorCode.DUPLICATE, f"Two columns have the header {column.header!r}.", place)
        seen.add(column.header)


def _column_problems(column: ColumnSpec, custom: Mapping[str, str], path: Path) -> Iterator[Problem]:
    if (column.field is None) == (column.custom is None):
        code = UserErrorCode.REQUIRED if column.field is None else UserErrorCode.INVALID
        yield InputProblem(code, "A column is either a field or a custom field.", path)
    elif column.field is not None and not FIELDS[column.field].exportable:
        yield InputProblem(UserErrorCode.INVALID, "This field cannot be exported.", (*path, "field"))
    elif column.custom is not None and column.custom not in custom:
        allowed = tuple(custom)
        message = "The organization has no custom field with this key."
        yield InputProblem(UserErrorCode.UNKNOWN_VALUE, message, (*path, "custom"), allowed)
    if column.header is not None and not _usable(column.header):
        message = f"A header has from 1 to {MAX_HEADER} characters and no line breaks."
        yield InputProblem(UserErrorCode.INVALID, message, (*path, "header"))


def _usable(header: str) -> bool:
    return 0 < len(header.strip()) <= MAX_HEADER >= len(header) and all(char >= " " for char in header)


def _header(
    column: ColumnSpec, style: HeaderStyle, fixed: Mapping[LeadFieldKey, str], custom: Mapping[str, str]
) -> str:
    if column.header is not None:
        return column.header
    if column.field is None:
        key = (column.custom or "").removeprefix(CUSTOM_PREFIX)
        return custom.get(key, key) if style is HeaderStyle.LABEL else column.key
    return fixed.get(column.field) or _by_style(column.field, style)


def _by_style(key: LeadFieldKey, style: HeaderStyle) -> str:
    return FIELDS[key].label if style is HeaderStyle.LABEL else key.value
