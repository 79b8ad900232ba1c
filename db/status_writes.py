"""Statuses: saved, put in order, deleted. Each in its caller's transaction."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from db.catalog import STATUS_COLUMNS, status_of
from db.connections import Connection
from db.organization_writes import unique
from db.stages import CLOSED
from domain.records import StatusRecord

__all__ = [
    "count_leads",
    "delete_status",
    "lock_statuses",
    "makes_duplicates",
    "move_leads",
    "order_statuses",
    "save_status",
]

_LOCK: Final = f"select {STATUS_COLUMNS} from statuses order by position, id for update"
_INSERT: Final = """
insert into statuses (id, key, key_folded, label, stage, position, color, active)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_UPDATE: Final = """
update statuses set key = $2, key_folded = $3, label = $4, stage = $5, position = $6, color = $7, active = $8
where id = $1
"""
_ORDER: Final = """
update statuses s set position = o.position - 1 from unnest($1::uuid[]) with ordinality o(id, position)
where s.id = o.id and s.position <> o.position - 1
"""
_MOVE: Final = """
update leads set status_id = $2, stage = $3, version = version + 1, updated_at = now(), updated_by = $4,
  changed_xid = pg_current_xact_id()
where status_id = $1 and (status_id <> $2 or stage <> $3)
"""
_DELETE: Final = """
with gone as (
  delete from statuses where id = $1 and not exists (select from leads where status_id = $1) returning position
), closed as (
  update statuses s set position = s.position - 1 from gone where s.position > gone.position
)
select true from gone
"""
_DUPLICATES: Final = f"""
select exists (
  select from leads l where l.status_id = $1 and l.stage in {CLOSED} and l.phone_key is not null
  and exists (
    select from leads o where o.phone_key = l.phone_key and o.id <> l.id
    and (o.stage not in {CLOSED} or o.status_id = $1)))
"""


async def lock_statuses(connection: Connection) -> list[StatusRecord]:
    """Every status in the order of the board, kept from other changes until the transaction's end."""
    return [status_of(row) for row in await connection.fetch(_LOCK)]


async def save_status(connection: Connection, status: StatusRecord, *, new: bool) -> None:
    """Create or replace a status. Raises Taken for a key in use."""
    with unique():
        await connection.execute(
            _INSERT if new else _UPDATE,
            status.id,
            status.key,
            status.key.casefold(),
            status.label,
            status.stage,
            status.position,
            status.color,
            status.active,
        )


async def order_statuses(connection: Connection, ids: Sequence[UUID]) -> None:
    """Number all statuses from 0 in this order."""
    await connection.execute(_ORDER, list(ids))


async def count_leads(connection: Connection, status_id: UUID) -> int:
    """How many leads have the status."""
    return int(await connection.fetchval("select count(*) from leads where status_id = $1", status_id))


async def makes_duplicates(connection: Connection, status_id: UUID) -> bool:
    """Whether two active leads would share a phone if the closed leads of this status were active again."""
    return bool(await connection.fetchval(_DUPLICATES, status_id))


async def move_leads(connection: Connection, status_id: UUID, target: StatusRecord, who: str) -> None:
    """Give the leads of a status another one, or its new stage. The caller holds Lock.LEADS."""
    await connection.execute(_MOVE, status_id, target.id, target.stage, who)


async def delete_status(connection: Connection, status_id: UUID) -> bool:
    """Delete a status and close its gap in the order; False, and nothing done, where there is none or a lead has it."""
    return await connection.fetchval(_DELETE, status_id) is True
