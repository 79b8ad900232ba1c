"""From a filter to its shape and its values (see db/shapes.py)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from db.search_shapes import search_shape
from db.shapes import EVERY, Lowered, Shape, Test, like_text, name_range
from domain.emails import email_key
from domain.errors import BadInput, Path
from domain.fields import INT_MAX
from domain.filters import (
    ID_KINDS,
    AllOf,
    AnyOf,
    Condition,
    CustomCondition,
    Kind,
    LeadFilter,
    Not,
    Operator,
    Period,
    Scalar,
    Search,
    Value,
)
from domain.ids import IdKind, parse_id
from domain.instants import given_instant
from domain.masking import Masks
from domain.periods import period_start
from domain.phones import read_phone
from domain.vocabulary import LeadFieldKey, MaskingMode, UserErrorCode

__all__ = ["FilterContext", "lower"]

_O = Operator
_MAX_EXPONENT: Final = 100

_COLUMNS: Final[Mapping[str, str]] = {
    "id": "id",
    "status": "status_id",
    "assigneeId": "assignee_id",
    "propertyId": "property_id",
    "importJobId": "import_job_id",
}
"""Columns that are not called as the key is."""

_EXACT: Final = {
    _O.EQ: Test.EQUAL,
    _O.NE: Test.DIFFERENT,
    _O.IN: Test.AMONG,
    _O.NOT_IN: Test.NOT_AMONG,
    _O.GT: Test.GREATER,
    _O.GTE: Test.AT_LEAST,
    _O.LT: Test.LESS,
    _O.LTE: Test.AT_MOST,
    _O.HAS_ANY: Test.OVERLAPS,
    _O.HAS_ALL: Test.COVERS,
    _O.HAS_NONE: Test.DISJOINT,
}
_FOLDED: Final = {
    _O.EQ: Test.FOLDED_EQUAL,
    _O.NE: Test.FOLDED_DIFFERENT,
    _O.IN: Test.FOLDED_AMONG,
    _O.NOT_IN: Test.FOLDED_NOT_AMONG,
    _O.CONTAINS: Test.CONTAINS,
    _O.STARTS_WITH: Test.BEGINS,
}
_STATUS: Final = {
    _O.EQ: Test.STATUS_EQUAL,
    _O.NE: Test.STATUS_NOT_AMONG,
    _O.IN: Test.STATUS_AMONG,
    _O.NOT_IN: Test.STATUS_NOT_AMONG,
}
_CUSTOM: Final = {_O.EQ: Test.CUSTOM_EQUAL, _O.IN: Test.CUSTOM_AMONG, _O.CONTAINS: Test.CUSTOM_CONTAINS}
_PATTERNS: Final = frozenset({_O.CONTAINS, _O.STARTS_WITH})
_WHEN_MASKED: Final = frozenset({_O.EQ, _O.IS_NULL})


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterContext:
    """What a filter means depends on: the clock, the organization's zone and country (ISO 3166), the caller's masks."""

    now: datetime
    zone: ZoneInfo
    country: str
    masks: Masks = field(default_factory=dict[LeadFieldKey, MaskingMode])


def lower(tree: LeadFilter, context: FilterContext) -> Lowered:
    """The shape and the values of a filter.

    Raises BadInput for an id of another kind, a number or instant that no column can hold, and an operator that would
    tell the value of a masked field.
    """
    lowering = _Lowering(context)
    return Lowered(lowering.shape(tree), tuple(lowering.values))


@dataclass(slots=True)
class _Lowering:
    context: FilterContext
    values: list[object] = field(default_factory=list[object])

    def shape(self, tree: LeadFilter) -> Shape:
        match tree:
            case AllOf(items):
                return ("all", tuple(map(self.shape, items))) if items else EVERY
            case AnyOf(items):
                return ("any", tuple(map(self.shape, items)))
            case Not(item):
                return ("not", (self.shape(item),))
            case Search(text):
                lowered = search_shape(text, frozenset(self.context.masks))
                self.values.extend(lowered.values)
                return lowered.shape
            case CustomCondition():
                return self.custom(tree)
            case Condition():
                return self.condition(tree)

    def condition(self, condition: Condition) -> Shape:
        name, operator, value = condition.field.name, condition.operator, condition.value
        if condition.field.key in self.context.masks and operator not in _WHEN_MASKED:
            raise BadInput("This field is masked for you: only eq and isNull can be used.", ("filter", name, operator))
        column = _COLUMNS.get(name) or condition.field.key.value
        if operator is _O.IS_NULL:
            return (Test.ABSENT if value else Test.PRESENT, column)
        if operator is _O.IS_EMPTY:
            return (Test.EMPTY if value else Test.FILLED, column)
        if isinstance(value, Period):
            self.values += [period_start(value, self.context.now, self.context.zone), self.context.now.astimezone(UTC)]
            return (Test.BETWEEN, column)
        return self.comparison(condition, column)

    def comparison(self, condition: Condition, column: str) -> Shape:
        name, operator = condition.field.name, condition.operator
        if name == "status":
            self.values.append(_folded_keys(condition.value, many=operator is not _O.EQ))
            return (_STATUS[operator], column)
        if name in {"phone", "email"} and operator in _EXACT:
            return self.match_key(condition)
        if name == "name" and operator is _O.STARTS_WITH:
            self.values += name_range(str(condition.value))
            return (Test.NAME_BEGINS, column)
        self.values.append(self.value(condition))
        tests = _FOLDED if condition.field.kind is Kind.STRING else _EXACT
        return (tests[operator], column)

    def match_key(self, condition: Condition) -> Shape:
        """Phones and e-mails are compared as duplicates are: normalised, through the index of their key."""
        country = self.context.country
        phone = condition.field.name == "phone"
        self.values.append(
            _each(
                condition.value,
                lambda text: read_phone(str(text), country).key if phone else email_key(str(text).strip()),
            )
        )
        return (_EXACT[condition.operator], f"{condition.field.name}_key")

    def value(self, condition: Condition) -> object:
        place = ("filter", condition.field.name, condition.operator)
        match condition.field.kind:
            case Kind.ID:
                kind = ID_KINDS[condition.field.name]
                return _each(condition.value, lambda text: _known_id(kind, text, place))
            case Kind.INT:
                return _each(condition.value, lambda number: _integer(number, place))
            case Kind.DECIMAL:
                return _decimal(condition.value, place)
            case Kind.INSTANT:
                return given_instant(cast("datetime", condition.value), self.context.zone, place)
            case _ if condition.operator in _PATTERNS:
                return _pattern(condition)
            case _:
                return _each(condition.value, _itself)

    def custom(self, condition: CustomCondition) -> Shape:
        self.values.append(condition.key)
        if condition.operator is _O.IS_NULL:
            return (Test.CUSTOM_ABSENT if condition.value else Test.CUSTOM_PRESENT, "custom")
        contains = condition.operator is _O.CONTAINS
        self.values.append(_pattern(condition) if contains else _each(condition.value, _itself))
        return (_CUSTOM[condition.operator], "custom")


def _each(value: Value, convert: Callable[[Scalar], object]) -> object:
    """What `convert` makes of the value, or of each of several as a list."""
    return [convert(item) for item in value] if isinstance(value, tuple) else convert(value)


def _itself(value: Scalar) -> object:
    return value


def _pattern(condition: Condition | CustomCondition) -> str:
    text = f"{like_text(str(condition.value))}%"
    return text if condition.operator is _O.STARTS_WITH else f"%{text}"


def _known_id(kind: IdKind, text: Scalar, place: Path) -> UUID:
    if found := parse_id(kind, str(text)):
        return found
    raise BadInput(f"There is no {kind} with the id {str(text)[:80]!r}.", place, code=UserErrorCode.UNKNOWN_VALUE)


def _integer(number: Scalar, place: Path) -> Scalar:
    if isinstance(number, int) and abs(number) <= INT_MAX:
        return number
    raise BadInput("A whole number of 32 bits is expected here.", place)


def _decimal(value: Value, place: Path) -> Value:
    if isinstance(value, Decimal) and abs(value.adjusted()) <= _MAX_EXPONENT:
        return value
    raise BadInput("A decimal that a value can have is expected here.", place)


def _folded_keys(value: Value, *, many: bool) -> object:
    """The keys as `statuses.key_folded` has them."""
    keys = [str(item).casefold() for item in (value if isinstance(value, tuple) else (value,))]
    return keys if many else keys[0]
