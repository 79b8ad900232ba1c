"""Identifiers: UUIDv7 (RFC 9562), shown with the prefix of their type, the same text in files and in the API."""

import secrets
from enum import StrEnum
from uuid import UUID

import uuid_utils.compat


class IdKind(StrEnum):
    """The prefix that tells what an identifier names."""

    ORGANIZATION = "org"
    USER = "user"
    API_KEY = "key"
    COMPANY = "company"
    CHATBOT = "chatbot"
    STATUS = "status"
    LEAD = "lead"
    NOTE = "note"
    JOB = "job"
    FILE = "file"
    TEMPLATE = "template"
    SCHEDULE = "schedule"
    MAPPING = "mapping"
    UPLOAD = "upload"
    ACTIVITY = "activity"
    WEBHOOK = "webhook"
    DELIVERY = "delivery"


_UUID_LENGTH = 36
_COUNTER_LOW = 14
"""The counter of `new_ids` fills the 12 bits behind the version and the 14 behind the variant."""
_LOW_MASK = (1 << _COUNTER_LOW) - 1
_VARIANT = 0x8000
_RANDOM_HEX = 12


def new_id() -> UUID:
    """A fresh UUIDv7: grows with time, so that an index on it stays compact."""
    return uuid_utils.compat.uuid7()


def new_ids(count: int) -> list[str]:
    """Fresh UUIDv7 as text, each greater than the one before: rows keep the order of their file (RFC 9562, 6.2)."""
    first = uuid_utils.compat.uuid7().int
    head = f"{first >> 80:012x}"
    prefix = f"{head[:8]}-{head[8:]}-7"
    tail = secrets.token_hex(count * _RANDOM_HEX // 2)
    return [
        f"{prefix}{number >> _COUNTER_LOW:03x}-{_VARIANT | number & _LOW_MASK:04x}-{tail[at : at + _RANDOM_HEX]}"
        for number, at in zip(range(count), range(0, count * _RANDOM_HEX, _RANDOM_HEX), strict=True)
    ]


def format_id(kind: IdKind, value: UUID) -> str:
    """`lead_0190d3c2-…`: what callers and files see."""
    return f"{kind}_{value}"


def parse_id(kind: IdKind, text: str) -> UUID | None:
    """The UUID behind a shown identifier, or None where the text names nothing of this kind."""
    prefix, _, rest = text.partition("_")
    if prefix != kind or len(rest) != _UUID_LENGTH:
        return None
    try:
        value = UUID(rest)
    except ValueError:
        return None
    return value if str(value) == rest else None


def kind_of(text: str) -> IdKind | None:
    """The kind that an identifier's prefix names, or None."""
    prefix, _, _ = text.partition("_")
    return next((kind for kind in IdKind if kind == prefix), None)
