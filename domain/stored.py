"""Specs and results as JSON: keys in camelCase, enums by member name, None and empty defaults left out.

What is written has the shape of the API's inputs, so that a stored spec can be shown and sent back.
"""

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Final, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

from domain.json import JsonObject, JsonValue

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record")
KEY: Final = "key"
"""Metadata of a field whose JSON key is not its name in camelCase: `field(metadata={KEY: "from"})`."""


def camel_case(name: str) -> str:
    """`merge_strategy` as `mergeStrategy`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def to_json(value: object) -> JsonValue:
    """The JSON form of a spec, of a part of one, or of a mapping or sequence of such.

    Instants become ISO 8601 text, decimals and UUIDs text. Raises TypeError for anything else.
    """
    match value:
        case StrEnum():
            return value.name
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return value.isoformat()
        case Decimal() | UUID():
            return str(value)
        case Mapping():
            return {str(key): to_json(item) for key, item in cast("Mapping[object, object]", value).items()}
        case list() | tuple():
            return [to_json(item) for item in cast("Sequence[object]", value)]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return encode(value)
        case _:
            raise TypeError(f"{type(value).__name__} has no JSON form")


def encode(record: "DataclassInstance") -> JsonObject:
    """A dataclass as a JSON object that `decode` reads back equal."""
    return {
        plan.key: to_json(value)
        for plan in _plans(type(record))
        if (value := getattr(record, plan.name)) is not None and (value != () or not plan.empty_by_default)
    }


def decode(cls: type[Record], document: JsonObject) -> Record:
    """The dataclass that a JSON object describes; keys that are not its fields are passed over.

    Raises KeyError or ValueError for a member or value that the class does not know, TypeError where one is missing.
    """
    values = {plan.name: plan.read(document[plan.key]) for plan in _plans(cls) if plan.key in document}
    absent = {plan.name: None for plan in _plans(cls) if plan.nullable and plan.name not in values}
    return cls(**absent, **values)


_Read = Callable[[JsonValue], object]


class _Plan:
    """How one field travels."""

    __slots__ = ("empty_by_default", "key", "name", "nullable", "read")

    def __init__(self, declared: "Field[object]", hint: object) -> None:
        self.name = declared.name
        self.key = str(declared.metadata.get(KEY, camel_case(declared.name)))
        self.read = _reader(hint)
        required = declared.default is MISSING and declared.default_factory is MISSING
        self.nullable = required and types.NoneType in get_args(hint)
        self.empty_by_default = declared.default == ()


@cache
def _plans(cls: type) -> tuple[_Plan, ...]:
    hints = get_type_hints(cls, localns={"JsonValue": object})
    return tuple(_Plan(declared, hints[declared.name]) for declared in fields(cls))


def _reader(hint: object) -> _Read:
    if get_origin(hint) in {Union, types.UnionType}:
        return _optional(hint)
    if get_origin(hint) is tuple:
        return _items(_reader(get_args(hint)[0]))
    if isinstance(hint, type):
        return _plain(hint)
    return _as_is


def _plain(hint: type) -> _Read:
    if is_dataclass(hint):
        return lambda value: decode(hint, cast("JsonObject", value))
    if issubclass(hint, StrEnum):
        return lambda value: hint[str(value)]
    if issubclass(hint, datetime):
        return lambda value: datetime.fromisoformat(str(value))
    if issubclass(hint, UUID | Decimal):
        return lambda value: hint(str(value))
    return _as_is


def _optional(hint: object) -> _Read:
    present = [option for option in get_args(hint) if option is not types.NoneType]
    if len(present) != 1:
        return _as_is
    read = _reader(present[0])
    return lambda value: None if value is None else read(value)


def _items(read: _Read) -> _Read:
    return lambda value: tuple(read(item) for item in cast("Sequence[JsonValue]", value))


def _as_is(value: JsonValue) -> object:
    return value
