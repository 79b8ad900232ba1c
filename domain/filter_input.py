"""Reads a LeadFilter from its document: the API's input or stored JSON, keys in camelCase."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final, cast

from domain.errors import BadInput, Path
from domain.filters import (
    CUSTOM_OPERATORS,
    EVERYTHING,
    FILTER_FIELDS,
    FLAGS,
    MANY,
    MAX_CONDITIONS,
    MAX_DEPTH,
    MAX_LIST,
    MAX_TEXT,
    OPERATORS,
    AllOf,
    AnyOf,
    Condition,
    CustomCondition,
    Document,
    FilterField,
    Kind,
    LeadFilter,
    Not,
    Operator,
    Period,
    Scalar,
    Search,
    Value,
)
from domain.vocabulary import PeriodUnit

MAX_PERIOD: Final = 10_000


def read_filter(document: Document, path: Path = ("filter",)) -> LeadFilter:
    """The filter that a document describes; `{}` is every lead.

    Raises BadInput with the path of the first thing wrong: null, an empty list, `{}` inside and/or/not, an operator
    object without an operator, an unknown name, a value of the wrong type, more than MAX_CONDITIONS or MAX_DEPTH.
    """
    return _Reader().group(document, path, 1) if document else EVERYTHING


def read_instant(document: Document, path: Path) -> tuple[tuple[Operator, Value], ...]:
    """The operators on an instant that is no lead's: a job's or an activity entry's.

    Raises BadInput as read_filter does.
    """
    operators = _Reader().operators(document, path, OPERATORS[Kind.INSTANT])
    return tuple((each, _operand(each, operand, _instant, (*path, each), None)) for each, operand in operators)


@dataclass(slots=True)
class _Reader:
    conditions: int = field(default=0)

    def group(self, document: Document, path: Path, depth: int) -> LeadFilter:
        if not document:
            raise BadInput("An empty filter here would match every lead.", path)
        if depth > MAX_DEPTH:
            raise BadInput(f"A filter nests at most {MAX_DEPTH} levels.", path)
        items = [item for name, value in document.items() for item in self._entry(name, value, (*path, name), depth)]
        return items[0] if len(items) == 1 else AllOf(tuple(items))

    def _entry(self, name: str, value: object, path: Path, depth: int) -> Iterator[LeadFilter]:
        if value is None:
            raise BadInput("null is not a filter; leave the field out instead.", path)
        match name:
            case "and":
                yield AllOf(tuple(self._groups(value, path, depth)))
            case "or":
                yield AnyOf(tuple(self._groups(value, path, depth)))
            case "not":
                yield Not(self.group(_document(value, path), path, depth + 1))
            case "search":
                yield Search(_text(value, path))
            case "custom":
                for index, entry in enumerate(_items(value, path)):
                    yield from self._custom(_document(entry, path), (*path, str(index)))
            case _:
                yield from self._field(name, value, path)

    def _groups(self, value: object, path: Path, depth: int) -> Iterator[LeadFilter]:
        for index, entry in enumerate(_items(value, path)):
            place = (*path, str(index))
            yield self.group(_document(entry, place), place, depth + 1)

    def _field(self, name: str, value: object, path: Path) -> Iterator[LeadFilter]:
        known = FILTER_FIELDS.get(name)
        if known is None:
            raise BadInput(f"There is no filter field {name!r}.", path)
        for operator, operand in self.operators(_document(value, path), path, OPERATORS[known.kind]):
            yield Condition(known, operator, _operand(operator, operand, _READ[known.kind], (*path, operator), known))

    def _custom(self, document: Document, path: Path) -> Iterator[LeadFilter]:
        key = _text(document.get("key"), (*path, "key"))
        rest = {name: value for name, value in document.items() if name != "key"}
        for operator, operand in self.operators(rest, path, CUSTOM_OPERATORS):
            yield CustomCondition(key, operator, _operand(operator, operand, _READ[Kind.KEY], (*path, operator), None))

    def operators(
        self, document: Document, path: Path, allowed: frozenset[Operator]
    ) -> Iterator[tuple[Operator, object]]:
        if not document:
            raise BadInput("An operator is missing: without one this would match every lead.", path)
        for name, operand in document.items():
            self.conditions += 1
            if self.conditions > MAX_CONDITIONS:
                raise BadInput(f"A filter holds at most {MAX_CONDITIONS} conditions.", path)
            if name not in allowed:
                raise BadInput(f"{name!r} is no operator of this field.", (*path, name), tuple(sorted(allowed)))
            if operand is None:
                raise BadInput("null is not a value; use isNull, or leave the operator out.", (*path, name))
            yield Operator(name), operand


_Read = Callable[[object, Path, FilterField | None], Scalar]


def _operand(operator: Operator, operand: object, read: _Read, path: Path, known: FilterField | None) -> Value:
    if operator in FLAGS:
        return _boolean(operand, path, known)
    if operator is Operator.WITHIN:
        return _period(_document(operand, path), path)
    if operator in MANY:
        entries = _items(operand, path)
        return tuple(read(entry, (*path, str(index)), known) for index, entry in enumerate(entries))
    return read(operand, path, known)


def _document(value: object, path: Path) -> Document:
    if not isinstance(value, Mapping):
        raise BadInput("An object is expected here.", path)
    return cast("Document", value)


def _items(value: object, path: Path) -> Sequence[object]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise BadInput("A list is expected here.", path)
    items = cast("Sequence[object]", value)
    if not items:
        raise BadInput("The list is empty; leave it out instead.", path)
    if len(items) > MAX_LIST:
        raise BadInput(f"A list holds at most {MAX_LIST} values.", path)
    return items


def _text(value: object, path: Path, _known: FilterField | None = None) -> str:
    if not isinstance(value, str):
        raise BadInput("A text is expected here.", path)
    if len(value) > MAX_TEXT:
        raise BadInput(f"A text in a filter has at most {MAX_TEXT} characters.", path)
    if "\0" in value:
        raise BadInput("A text must not contain the NUL character.", path)
    return value


def _integer(value: object, path: Path, _known: FilterField | None) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadInput("A whole number is expected here.", path)
    return value


def _boolean(value: object, path: Path, _known: FilterField | None) -> bool:
    if not isinstance(value, bool):
        raise BadInput("true or false is expected here.", path)
    return value


def _decimal(value: object, path: Path, _known: FilterField | None) -> Decimal:
    try:
        number = value if isinstance(value, Decimal) else Decimal(_text(value, path))
    except InvalidOperation:
        raise BadInput("An exact decimal is expected here, as a string.", path) from None
    if not number.is_finite():
        raise BadInput("A finite decimal is expected here.", path)
    return number


def _instant(value: object, path: Path, _known: FilterField | None) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(_text(value, path))
    except ValueError:
        raise BadInput("An RFC 3339 instant is expected here.", path) from None


def _member(value: object, path: Path, known: FilterField | None) -> str:
    allowed = tuple(known.enum) if known and known.enum else ()
    if value not in allowed:
        raise BadInput("This is none of the known values.", path, allowed)
    return str(value)


def _period(document: Document, path: Path) -> Period:
    last, unit = document.get("last"), document.get("unit")
    if not isinstance(last, int) or isinstance(last, bool) or not 1 <= last <= MAX_PERIOD:
        raise BadInput(f"`last` must be from 1 to {MAX_PERIOD}.", (*path, "last"))
    if unit not in tuple(PeriodUnit):
        raise BadInput("`unit` is none of the known units.", (*path, "unit"), tuple(PeriodUnit))
    return Period(last, PeriodUnit(cast("str", unit)))


_READ: Final[Mapping[Kind, _Read]] = {
    Kind.KEY: _text,
    Kind.STRING: _text,
    Kind.ID: _text,
    Kind.INT: _integer,
    Kind.DECIMAL: _decimal,
    Kind.BOOLEAN: _boolean,
    Kind.INSTANT: _instant,
    Kind.LIST: _text,
    Kind.ENUM: _member,
}
