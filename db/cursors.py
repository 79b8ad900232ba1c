"""Keyset cursors: where a page ended, bound to the list that it is a page of.

A cursor is base64url of a fingerprint of the list (its order and filter) and of the JSON `[value, id]`. It is opaque
and not secret: it holds nothing but what the page showed.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final
from uuid import UUID

import orjson

from domain.errors import BadInput
from domain.exports import LeadOrder
from domain.fields import INT_MAX
from domain.filters import AllOf, AnyOf, Condition, CustomCondition, LeadFilter, Not, Search
from domain.vocabulary import LeadSortField

__all__ = ["Place", "fingerprint", "read_cursor", "write_cursor"]

FINGERPRINT_BYTES: Final = 6
_UUID_BYTES: Final = 16
_DECIMAL_DIGITS: Final = 64

SortValue = datetime | Decimal | int | str | None


@dataclass(frozen=True, slots=True)
class Place:
    """A place in an ordered list: the value ordered by, and the id that settles ties."""

    value: SortValue
    id: UUID


def fingerprint(order: LeadOrder, tree: LeadFilter) -> bytes:
    """What tells one list from another; relative periods count as written."""
    text = "\0".join((order.field, order.direction, *_words(tree)))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=FINGERPRINT_BYTES).digest()


def write_cursor(list_fingerprint: bytes, place: Place) -> str:
    """The cursor of a place in a list."""
    value = place.value
    if isinstance(value, datetime):
        value = _microseconds(value)
    elif isinstance(value, Decimal):
        value = str(value)
    return urlsafe_b64encode(list_fingerprint + place.id.bytes + orjson.dumps(value)).rstrip(b"=").decode()


def read_cursor(list_fingerprint: bytes, field: LeadSortField, cursor: str, argument: str) -> Place:
    """The place that a cursor of this very list names. Raises BadInput for any other text."""
    try:
        data = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        start = FINGERPRINT_BYTES + _UUID_BYTES
        identity, value = UUID(bytes=data[FINGERPRINT_BYTES:start]), orjson.loads(data[start:])
        place = Place(_sort_value(field, value), identity)
    except (ValueError, InvalidOperation, OverflowError):
        raise BadInput("This is no cursor of this list.", (argument,)) from None
    if data[:FINGERPRINT_BYTES] != list_fingerprint:
        raise BadInput("This cursor belongs to a list with another filter or order.", (argument,))
    return place


def _sort_value(field: LeadSortField, value: object) -> SortValue:
    """Raises ValueError, InvalidOperation or OverflowError for what this order never has."""
    match field:
        case LeadSortField.CREATED_AT | LeadSortField.UPDATED_AT if isinstance(value, int):
            return _instant(value)
        case LeadSortField.CONVERTED_AT | LeadSortField.LAST_CALL_AT if value is None or isinstance(value, int):
            return None if value is None else _instant(value)
        case LeadSortField.SCORE if value is None or (isinstance(value, int) and abs(value) <= INT_MAX):
            return value
        case LeadSortField.NAME if value is None or (isinstance(value, str) and "\0" not in value):
            return value
        case LeadSortField.CONVERSION_VALUE if value is None or (isinstance(value, str)):
            return None if value is None else _decimal(value)
        case _:
            raise ValueError(field)


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if len(text) > _DECIMAL_DIGITS or not number.is_finite():
        raise ValueError(text)
    return number


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS_A_DAY: Final = 86_400_000_000


def _microseconds(instant: datetime) -> int:
    since = instant - _EPOCH
    return since.days * _MICROSECONDS_A_DAY + since.seconds * 1_000_000 + since.microseconds


def _instant(microseconds: int) -> datetime:
    """Raises OverflowError, a ValueError where it is before the year 1."""
    days, rest = divmod(microseconds, _MICROSECONDS_A_DAY)
    return _EPOCH + timedelta(days=days, microseconds=rest)


def _words(tree: LeadFilter) -> Iterator[str]:
    match tree:
        case Condition(field, operator, value):
            yield f"{field.name} {operator} {value!r}"
        case CustomCondition(key, operator, value):
            yield f"custom {key!r} {operator} {value!r}"
        case Search(text):
            yield f"search {text!r}"
        case AllOf(items) | AnyOf(items):
            yield f"{type(tree).__name__}("
            for item in items:
                yield from _words(item)
            yield ")"
        case Not(item):
            yield "not("
            yield from _words(item)
            yield ")"
