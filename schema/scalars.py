"""The scalars of the API: what is read, what is refused, and the one text form of each on the way out."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final, NewType, Protocol, cast, runtime_checkable

import strawberry
from graphql import GraphQLError, ValueNode
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

BigInt = NewType("BigInt", int)

MAX_DECIMAL_DIGITS: Final = 38
MAX_JSON_DEPTH: Final = 16
MAX_JSON_VALUES: Final = 10_000
MAX_JSON_TEXT: Final = 100_000
_INT64: Final = 1 << 63
_LARGEST_WHOLE: Final = 10**MAX_DECIMAL_DIGITS
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)?")
_DECIMAL: Final = re.compile(r"[+-]?(?:\d{1,38}(?:\.\d{0,38})?|\.\d{1,38})")
_INTEGER: Final = re.compile(r"-?\d{1,19}")


@runtime_checkable
class UploadedFile(Protocol):
    """A file that came with the request. `size` is in bytes, None where it is not known."""

    filename: str | None
    size: int | None

    async def read(self, size: int = -1) -> bytes:
        """At most `size` further bytes, all of them for -1."""
        ...


Upload = NewType("Upload", object)


def write_instant(value: object) -> str:
    """RFC 3339 in UTC with Z, to the microsecond where there are any. Raises TypeError for a naive one."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError("DateTime cannot represent an instant without offset.")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_instant(value: object) -> datetime:
    """An instant in UTC; without offset it stays naive and means the organization's time zone."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise GraphQLError("DateTime must be an RFC 3339 instant, e.g. 2024-01-15T14:30:22Z.")
    try:
        instant = datetime.fromisoformat(value.upper())
        return instant if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError("DateTime must be an instant that exists, in the years 1 to 9999.") from None


def write_decimal(value: object) -> str:
    """Plain digits, never an exponent; the scale is kept."""
    if not isinstance(value, Decimal) or not value.is_finite():
        raise TypeError("Decimal cannot represent this value.")
    return format(value, "f")


def read_decimal(value: object) -> Decimal:
    """An exact decimal from a string or a whole number; a float is refused, since it already lost digits."""
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST_WHOLE
    text = str(value) if whole else value
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise GraphQLError(
            f'Decimal must be a string of at most {MAX_DECIMAL_DIGITS} digits on each side, e.g. "1200.50".'
        )
    try:
        return Decimal(text)
    except InvalidOperation:
        raise GraphQLError("Decimal must be a number.") from None


def write_big_int(value: object) -> str:
    """A 64-bit integer as a string, since JSON's readers keep 53 bits."""
    if not isinstance(value, int) or isinstance(value, bool) or not -_INT64 <= value < _INT64:
        raise TypeError("BigInt cannot represent this value.")
    return str(value)


def read_big_int(value: object) -> int:
    """A 64-bit integer from a string or a number."""
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not -_INT64 <= value < _INT64:
        raise GraphQLError("BigInt must be a whole number of 64 bits, as a string or a number.")
    return value


def read_json(value: object) -> object:
    """A JSON value of bounded depth, size and length of texts, without NUL characters."""
    _check_json([value])
    return value


def _check_json(level: Sequence[object]) -> None:
    depth = count = 0
    while level:
        depth, count = depth + 1, count + len(level)
        if depth > MAX_JSON_DEPTH:
            raise GraphQLError(f"JSON must nest at most {MAX_JSON_DEPTH} levels.")
        if count > MAX_JSON_VALUES:
            raise GraphQLError(f"JSON must hold at most {MAX_JSON_VALUES} values.")
        level = [inner for value in level for inner in _inner(value)]


def _inner(value: object) -> Sequence[object]:
    match value:
        case str():
            _check_text(value)
        case Mapping():
            entries = cast("Mapping[str, object]", value)
            for key in entries:
                _check_text(key)
            return list(entries.values())
        case list() | tuple():
            return cast("Sequence[object]", value)
        case None | bool():
            pass
        case int() | float() if -_INT64 <= value < _INT64:
            pass
        case _:
            raise GraphQLError("JSON must hold texts, finite numbers of 64 bits, true, false, null, lists and objects.")
    return ()


def _check_text(text: str) -> None:
    if len(text) > MAX_JSON_TEXT:
        raise GraphQLError(f"A text in JSON must have at most {MAX_JSON_TEXT} characters.")
    if "\0" in text:
        raise GraphQLError("A text in JSON must not contain the NUL character.")


def read_upload(value: object) -> UploadedFile:
    """A part of a multipart request; nothing else is a file."""
    if not isinstance(value, UploadedFile):
        raise GraphQLError("Upload must be a file of a multipart request.")
    return value


def _no_literal(_node: ValueNode, _variables: object = None) -> object:
    raise GraphQLError("Upload must be a variable that a multipart request maps to a file.")


def _no_output(_value: object) -> object:
    raise TypeError("Upload is for input alone.")


SCALARS: Final[Mapping[object, ScalarDefinition]] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="RFC 3339 instant, always UTC in output. One without offset is in Settings.timeZone.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=write_instant,
        parse_value=read_instant,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description="Exact decimal, serialised as a string.",
        serialize=write_decimal,
        parse_value=read_decimal,
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        description="64-bit integer, serialised as a string; used for byte sizes.",
        serialize=write_big_int,
        parse_value=read_big_int,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        parse_value=read_json,
    ),
    Upload: strawberry.scalar(
        name="Upload",
        description="graphql-multipart-request-spec file, for small files (limits.maxInlineUploadBytes).",
        specified_by_url="https://github.com/jaydenseric/graphql-multipart-request-spec",
        serialize=_no_output,
        parse_value=read_upload,
        parse_literal=_no_literal,
    ),
}
