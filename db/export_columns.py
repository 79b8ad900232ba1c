"""The columns of an export as its format wants them, made by the database: COPY's output needs no more work a cell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, assert_never

from sqlalchemy import (
    DateTime,
    Double,
    Integer,
    Text,
    and_,
    any_,
    case,
    cast,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from db.columns import LeadRow
from db.export_lists import has_separators, joined, joined_carefully
from db.export_values import Values, field_type, value_of
from db.expressions import Expression, Truth
from domain.copy_forms import LIST_SEPARATOR
from domain.fields import CUSTOM_PREFIX, FIELDS, STATUS_FIELDS
from domain.formulas import FIRST_CHARACTERS, GUARD, GUARDED, PLAIN_NUMBER, PLAIN_PHONE
from domain.vocabulary import ExportFormat, FieldType, LeadFieldKey

__all__ = ["Formatting", "column_of", "formatted", "formatted_as", "guarded", "is_bare"]

_K = LeadFieldKey
_REAL: Final = Double[float]()
_EMPTY: Final = literal_column("''", Text())
_FIRST: Final = literal_column(f"'{{{','.join(map(str, FIRST_CHARACTERS))}}}'::int[]", ARRAY(Integer))
_GUARD, _GUARDED, _NUMBER, _PHONE = (
    literal_column("'" + text.replace("'", "''") + "'", Text()) for text in (GUARD, GUARDED, PLAIN_NUMBER, PLAIN_PHONE)
)
_SECOND: Final = literal_column("'second'", Text())
_FIRST_DAY, _LAST_DAY = (
    literal_column(f"timestamptz '{day} 00:00:00+00'", DateTime(timezone=True)) for day in ("1900-03-02", "9999-12-31")
)
"""Between them every spreadsheet has the same number for a day, in any zone."""
_MADE_BY_US: Final = frozenset(
    {FieldType.ID, FieldType.INTEGER, FieldType.DECIMAL, FieldType.BOOLEAN, FieldType.DATETIME}
)
_COSTLY: Final = frozenset({_K.NOTES, _K.ADDRESS, _K.CONVERSATION_URL})
"""Texts that cost more to make than a subquery that makes them once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formatting:
    """How values become cells. `date_pattern` is one of to_char, None for PostgreSQL's own `YYYY-MM-DD HH:MM:SS`."""

    format: ExportFormat
    zone: str = "UTC"
    date_pattern: str | None = None
    escape_formulas: bool = False
    separators: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    values: Values = field(default_factory=Values)


def column_of(key: str, row: LeadRow, formatting: Formatting) -> Expression:
    """The column with this key as the format wants it."""
    value = value_of(key, row, formatting.values)
    if formatting.format is ExportFormat.CSV and formatting.escape_formulas:
        return _guarded(key, value, row, formatting)
    return formatted(key, value, formatting)


def formatted(key: str, value: Expression, formatting: Formatting) -> Expression:
    """A value of this key's type as the format wants it, without guard."""
    return formatted_as(field_type(key), value, formatting, _separator(key, formatting))


def formatted_as(kind: FieldType, value: Expression, formatting: Formatting, separator: str = ";") -> Expression:
    """A value of this type as the format wants it, without guard; `separator` joins the items of a list."""
    match formatting.format:
        case ExportFormat.CSV:
            return _text(kind, value, formatting, separator)
        case ExportFormat.TXT:
            return cast(_text(kind, value, formatting, separator), Text())
        case ExportFormat.JSON | ExportFormat.JSONL:
            return _json(kind, value, formatting)
        case ExportFormat.XLSX:
            return _xlsx(kind, value, formatting, separator)
        case ExportFormat.PARQUET:
            return _parquet(kind, value)
        case _:
            assert_never(formatting.format)


def guarded(cell: Expression) -> Expression:
    """A text after one apostrophe where it looks like a formula: see domain.formulas."""
    return _guard(cell, _may_be_formula(cell))


def is_bare(kind: FieldType, formatting: Formatting) -> bool:
    """Whether cells of this type stand without quotes where texts stand in them: JSON already, or numbers for XLSX."""
    match kind:
        case FieldType.INTEGER | FieldType.DECIMAL:
            return True
        case FieldType.DATETIME:
            return formatting.format is ExportFormat.XLSX or formatting.date_pattern is None
        case FieldType.BOOLEAN | FieldType.LIST:
            return formatting.format is not ExportFormat.XLSX
        case _:
            return False


def _separator(key: str, formatting: Formatting) -> str:
    return formatting.separators.get(key, ";")


def _text(kind: FieldType, value: Expression, formatting: Formatting, separator: str) -> Expression:
    match kind:
        case FieldType.DATETIME:
            moment = _local(value, formatting.zone)
            pattern = formatting.date_pattern
            return moment if pattern is None else func.to_char(moment, literal(pattern, Text()), type_=Text())
        case FieldType.BOOLEAN:
            return case((value, literal_column("'Yes'", Text())), (not_(value), literal_column("'No'", Text())))
        case FieldType.LIST:
            return case((has_separators(value), joined_carefully(value, separator)), else_=joined(value, separator))
        case FieldType.DECIMAL:
            return func.trim_scale(value, type_=value.type)
        case _:
            return value


def _json(kind: FieldType, value: Expression, formatting: Formatting) -> Expression:
    """Typed where JSON has the type; instants in the session's zone, with offset (RFC 3339)."""
    match kind:
        case FieldType.DATETIME if formatting.date_pattern is not None:
            return _text(kind, value, formatting, "")
        case FieldType.DATETIME:
            return cast(func.to_json(func.date_trunc(_SECOND, value, type_=DateTime(timezone=True))), Text())
        case FieldType.LIST:
            return cast(func.array_to_json(value), Text())
        case FieldType.BOOLEAN:
            return cast(value, Text())
        case FieldType.DECIMAL:
            return func.trim_scale(value, type_=value.type)
        case _:
            return value


def _xlsx(kind: FieldType, value: Expression, formatting: Formatting, separator: str) -> Expression:
    match kind:
        case FieldType.INTEGER:
            return value
        case FieldType.DECIMAL:
            return func.trim_scale(value, type_=value.type)
        case FieldType.DATETIME:
            seconds = func.date_part(literal_column("'epoch'", Text()), _local(value, formatting.zone), type_=_REAL)
            serial = seconds / literal_column("86400.0::float8", _REAL) + literal_column("25569", _REAL)
            number = literal_column("'d'", Text()).concat(cast(serial, Text()))
            words = literal_column("'t'", Text()).concat(cast(_text(kind, value, formatting, separator), Text()))
            return case((or_(value < _FIRST_DAY, value >= _LAST_DAY), words), else_=number)
        case _:
            return func.nullif(cast(_text(kind, value, formatting, separator), Text()), _EMPTY)


def _parquet(kind: FieldType, value: Expression) -> Expression:
    match kind:
        case FieldType.DATETIME:
            return func.timezone(literal_column("'UTC'", Text()), value, type_=DateTime())
        case FieldType.LIST:
            return joined(value, LIST_SEPARATOR)
        case _:
            return value


def _local(value: Expression, zone: str) -> Expression:
    """The wall clock of a zone, whole seconds."""
    return func.date_trunc(_SECOND, func.timezone(literal(zone, Text()), value), type_=DateTime())


def _guarded(key: str, value: Expression, row: LeadRow, formatting: Formatting) -> Expression:
    """The cell after one apostrophe where it looks like a formula: see domain.formulas."""
    if field_type(key) is FieldType.LIST:
        masked = LeadFieldKey(key) in formatting.values.masks  # and thereby empty
        separator = _separator(key, formatting)
        return joined(value, separator) if masked else _guarded_list(value, row, separator)
    cell = _text(field_type(key), value, formatting, _separator(key, formatting))
    if key.startswith(CUSTOM_PREFIX):
        return guarded(cell)
    known = LeadFieldKey(key)
    kind = FIELDS[known].type
    closed = kind is FieldType.ENUM and known not in STATUS_FIELDS
    if kind in _MADE_BY_US or closed or known is _K.NATIONAL_ID:  # sealed or masked, it begins with our own characters
        return cell
    if known in _COSTLY:
        return _guard_once(cell, row)
    return _guard(cell, _may_be_formula(cell), phone=known in (_K.PHONE, _K.PHONE_DISPLAY))


def _guarded_list(value: Expression, row: LeadRow, separator: str) -> Expression:
    """What begins like a formula begins so in its first item."""
    odd = or_(has_separators(value), _may_be_formula(value[literal_column("1", Integer())]))
    return case((odd, _guard_once(joined_carefully(value, separator), row)), else_=joined(value, separator))


def _may_be_formula(text: Expression) -> Truth:
    """The cheap test, which nearly every text fails."""
    return func.ascii(text, type_=Integer()) == any_(_FIRST)


def _guard(text: Expression, suspicious: Truth, *, phone: bool = False) -> Expression:
    harmless = [_NUMBER, _PHONE] if phone else [_NUMBER]
    plain = [not_(text.bool_op("~")(pattern)) for pattern in harmless]
    formula = and_(suspicious, *plain, text.bool_op("~")(_GUARDED))  # nearly every phone is a number with a plus
    return case((formula, _GUARD.concat(text)), else_=text)


def _guard_once(text: Expression, row: LeadRow) -> Expression:
    """As `_guard`, for a text that costs something to make: OFFSET keeps the planner from writing it out again."""
    outer = (row.lead, row.status, row.company, row.chatbot, row.assignee)
    made = select(text.label("text")).offset(literal_column("0")).correlate(*outer).lateral()
    return select(_guard(made.c.text, _may_be_formula(made.c.text))).correlate(*outer).scalar_subquery()
