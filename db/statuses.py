"""Statuses as callers name them: by key or by label."""

from uuid import UUID

from db.catalog import STATUS_COLUMNS, status_of
from db.connections import Connection
from domain.lead_values import name_key
from domain.records import StatusRecord

__all__ = ["find_status", "load_status"]


async def find_status(
    connection: Connection, text: str, *, inactive: bool = False
) -> tuple[StatusRecord | None, tuple[str, ...]]:
    """The status with this key, or else this label, whatever the case; and the keys that there are.

    `inactive`: one that is no longer used is found as well.
    """
    condition = "" if inactive else "where active "
    rows = await connection.fetch(f"select {STATUS_COLUMNS} from statuses {condition}order by position, id")
    statuses = [status_of(row) for row in rows]
    wanted = name_key(text)
    by_name = {name_key(status.label): status for status in reversed(statuses)}
    by_name |= {name_key(status.key): status for status in statuses}
    return by_name.get(wanted), tuple(status.key for status in statuses)


async def load_status(connection: Connection, status_id: UUID) -> StatusRecord | None:
    """The status with this id, used or not."""
    row = await connection.fetchrow(f"select {STATUS_COLUMNS} from statuses where id = $1", status_id)
    return status_of(row) if row else None
