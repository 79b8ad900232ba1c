"""The keys of an organization's custom fields."""

from collections.abc import Collection
from typing import Final

from db.connections import Connection

__all__ = ["add_custom_keys", "custom_fields_with"]

_WITH: Final = "select count(*) from (select key from custom_fields union select unnest($1::text[])) every_key"
_ADD: Final = """
insert into custom_fields (key, label) select k, k from unnest($1::text[]) k
on conflict (organization_id, key) do nothing
"""


async def custom_fields_with(connection: Connection, keys: Collection[str]) -> int:
    """How many keys there would be with these."""
    return int(await connection.fetchval(_WITH, list(keys)))


async def add_custom_keys(connection: Connection, keys: Collection[str]) -> None:
    """Make the keys that are not there yet."""
    await connection.execute(_ADD, list(keys))
