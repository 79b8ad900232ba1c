"""Cursors of lists by name: base64url of the JSON `[name in lower case, id]`, opaque and not secret."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

import msgspec

from db.connections import Row
from domain.errors import BadInput

__all__ = ["read_name_cursor", "write_name_cursor"]


def write_name_cursor(row: Row) -> str:
    """The cursor of a row that has its `place` and its `id`."""
    return urlsafe_b64encode(msgspec.json.encode((row["place"], row["id"]))).decode().rstrip("=")


def read_name_cursor(cursor: str) -> tuple[str, UUID]:
    """The place and the id. Raises BadInput for any other text, and for a place that no name has."""
    unknown = BadInput("This is no cursor of this list.", ("after",))
    try:
        document = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        place, last = msgspec.json.decode(document, type=tuple[str, UUID])
    except ValueError:
        raise unknown from None
    if "\0" in place:
        raise unknown
    return place, last
