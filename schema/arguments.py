"""Arguments and inputs: omitted is UNSET, an explicit null is an error, what is set becomes a document or a spec."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Annotated, Any, Final, TypeAlias, TypeVar, cast

import strawberry
from strawberry.types.base import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from domain.errors import BadInput, Path
from domain.json import JsonObject
from domain.paging import PageArguments, PageRequest
from domain.settings import Limits
from domain.stored import decode, to_json
from schema.context import Context

Value = TypeVar("Value")
Record = TypeVar("Record")

INPUT: Final = ("input",)
Entries: TypeAlias = "Iterable[tuple[str, object]] | None"
"""What an input has by the names of the API; None for what is no input."""

First = Annotated[
    int | None, strawberry.argument(description="At most this many, from the list's start or after `after`.")
]
After = Annotated[str | None, strawberry.argument(description="A cursor of this list: what comes after it.")]
Last = Annotated[
    int | None, strawberry.argument(description="At most this many, to the list's end or before `before`.")
]
Before = Annotated[str | None, strawberry.argument(description="A cursor of this list: what comes before it.")]
WaitSeconds = Annotated[float, strawberry.argument(description="Wait this long for an answer, at most 30 seconds.")]


def optional(description: str, name: str | None = None) -> Any:  # noqa: ANN401 - a field specifier, like strawberry.field
    """A field of an input that may be left out; `name` where Python has taken the contract's."""
    return strawberry.field(default=strawberry.UNSET, description=description, name=name)


def given(value: Value | None, *path: str) -> Value | None:
    """An optional argument: None where it was omitted. Raises BadInput for an explicit null."""
    if value is None:
        raise _null(path)
    return None if value is strawberry.UNSET else value


def document(value: object, path: Path) -> Mapping[str, object]:
    """The set fields of an input, by their names in the API; inner inputs likewise, other values as they are.

    Raises BadInput with the path of the first explicit null.
    """
    return cast("Mapping[str, object]", _shown(value, path, _set_fields, lambda leaf: leaf))


def json_document(value: object, path: Path) -> JsonObject:
    """The same as JSON: enums by name, instants and decimals as text."""
    return cast("JsonObject", _shown(value, path, _set_fields, to_json))


def constraints(value: object, path: Path) -> JsonObject:
    """A filter's set fields as JSON. Raises BadInput for a null, an empty list or an empty object."""
    fields = json_document(value, path)
    for name, entry in fields.items():
        if entry in ([], {}):
            raise BadInput("This is empty; leave it out instead.", (*path, name))
    return fields


def read(cls: type[Record], value: object, path: Path = INPUT) -> Record:
    """The domain record whose fields bear the names of the input's."""
    return decode(cls, json_document(value, path))


def read_coerced(cls: type[Record], given: Mapping[str, object], path: Path) -> Record:
    """The same from the document that GraphQL made of an input without fields of type JSON."""
    return decode(cls, cast("JsonObject", _shown(given, path, _items, to_json)))


def json_object(value: object, path: Path) -> JsonObject:
    """A JSON argument that is an object. Raises BadInput for any other JSON."""
    if not isinstance(value, Mapping):
        raise BadInput("An object of values by key is expected here.", path)
    return cast("JsonObject", value)


def first_page(context: Context, first: int | None, after: str | None = strawberry.UNSET) -> PageRequest:
    """The page that a nested list's arguments ask for. Raises BadInput."""
    arguments = PageArguments(first=given(first, "first"), after=given(after, "after"))
    return arguments.request(max_page_size(context))


def first_items(first: int | None, maximum: int, name: str = "first") -> int:
    """How many items of a list without cursors. Raises BadInput outside 1 to `maximum`."""
    number = given(first, name)
    if number is None or not 1 <= number <= maximum:
        raise BadInput(f"`{name}` must be from 1 to {maximum}.", (name,))
    return number


def max_page_size(context: Context) -> int:
    """The organization's largest page."""
    return (context.organization.limits if context.organization else Limits()).max_page_size


@cache
def _names(cls: type) -> tuple[tuple[str, str], ...]:
    definition = get_object_definition(cls, strict=True)
    return tuple(
        (field.python_name, field.graphql_name or to_camel_case(field.python_name)) for field in definition.fields
    )


@cache
def _is_input(cls: type) -> bool:
    return get_object_definition(cls) is not None


def _set_fields(value: object) -> Entries:
    if not _is_input(type(value)):
        return None
    fields = ((name, cast("object", getattr(value, attribute))) for attribute, name in _names(type(value)))
    return [(name, entry) for name, entry in fields if entry is not strawberry.UNSET]


def _items(value: object) -> Entries:
    return cast("dict[str, object]", value).items() if isinstance(value, dict) else None


def _shown(value: object, path: Path, entries: Callable[[object], Entries], show: Callable[[object], object]) -> object:
    if value is None:
        raise _null(path)
    if isinstance(value, list):
        items = cast("list[object]", value)
        return [_shown(item, (*path, str(index)), entries, show) for index, item in enumerate(items)]
    inner = entries(value)
    if inner is None:
        return show(value)
    return {name: _shown(entry, (*path, name), entries, show) for name, entry in inner}


def _null(path: Path) -> BadInput:
    return BadInput("null is not a value here; leave it out instead.", path)
