"""The keys of an organization's custom fields."""

from collections.abc import Collection
from typing import Final

from db.connections import Connection

__all__ = ["custom_fields_with"]

_WITH: Final = "select count(*) from (select key from custom_fields union select unnest($1::text[])) every_key"


async def custom_fields_with(connection: Connection, keys: Collection[str]) -> int:
    """How many keys there would be with these."""
    return int(await connection.fetchval(_WITH, list(keys)))
