"""Single leads beside the merge: locked and compared, notes and calls. Each in its caller's transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from db.connections import Connection
from db.lead_search import search_texts
from db.stages import CLOSED
from domain.ids import new_id
from domain.records import NoteRecord

__all__ = [
    "LeadKeys",
    "NewCall",
    "add_call",
    "add_note",
    "clear_national_id",
    "forget_call_length",
    "lock_lead",
    "other_lead",
]

_KEYS: Final = f"""version, stage not in {CLOSED} as active, phone_key, external_id,
  (select key_folded from statuses s where s.id = l.status_id) as status"""
_TOUCH: Final = "version = version + 1, updated_at = now(), updated_by = $2, changed_xid = pg_current_xact_id()"
_OTHER: Final = f"""
select id from leads o where o.id <> $1 and (
  ($2::text is not null and o.external_id = $2)
  or ($3::text is not null and o.phone_key = $3 and (not $4 or o.stage not in {CLOSED})))
order by id limit 1
"""
_NOTE: Final = """
insert into notes (id, lead_id, text, created_by) values ($1, $2, $3, $4) returning id, text, created_at, created_by
"""
_NOTED: Final = f"update leads set {_TOUCH}, notes_count = notes_count + 1, search_text = $3 where id = $1"
_CALL: Final = (
    "insert into calls (id, lead_id, at, status, duration_seconds, created_by) values ($1, $2, $3, $4, $5, $6)"
)
_CALLED: Final = f"""
update leads set {_TOUCH}, last_call_at = $3, last_call_status = $4, last_call_duration_seconds = $5
where id = $1 and (last_call_at is null or last_call_at <= $3)
"""
_CLEARED: Final = """
update leads set national_id_cipher = null, national_id_last4 = null, version = version + $3::int, updated_at = now(),
  updated_by = $2, changed_xid = pg_current_xact_id()
where id = $1 and national_id_cipher is not null
"""


@dataclass(frozen=True, slots=True)
class LeadKeys:
    """What another lead could double. `active`: neither won nor lost; `status` is its key, case-folded."""

    version: int
    active: bool
    phone_key: str | None
    external_id: str | None
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCall:
    """A call with a lead; `at` has an offset."""

    lead_id: UUID
    at: datetime
    status: str
    duration_seconds: int | None


async def lock_lead(connection: Connection, lead_id: UUID) -> LeadKeys | None:
    """The lead, kept from other changes until the transaction's end; None where there is none."""
    row = await connection.fetchrow(f"select {_KEYS} from leads l where id = $1 for update", lead_id)
    return LeadKeys(*row.values()) if row else None


async def other_lead(
    connection: Connection, lead_id: UUID, external_id: str | None, phone_key: str | None, *, active_only: bool
) -> UUID | None:
    """Another lead with this external id, or with this phone (`active_only`: among active ones), if there is one."""
    return await connection.fetchval(_OTHER, lead_id, external_id, phone_key, active_only)


async def add_note(connection: Connection, lead_id: UUID, text: str, author: str) -> NoteRecord | None:
    """Add a note; None where there is no such lead."""
    if await lock_lead(connection, lead_id) is None:
        return None
    texts = await search_texts(connection, [lead_id], note=text)
    row = await connection.fetchrow(_NOTE, new_id(), lead_id, text, author)
    await connection.execute(_NOTED, lead_id, author, texts[lead_id])
    if row is None:
        raise LookupError("the note was not written")
    return NoteRecord(id=row["id"], text=row["text"], created_at=row["created_at"], created_by=row["created_by"])


async def add_call(connection: Connection, call: NewCall, author: str) -> bool:
    """Record a call; the lead shows the latest. False where there is no such lead."""
    if await lock_lead(connection, call.lead_id) is None:
        return False
    told = (call.at, call.status, call.duration_seconds)
    await connection.execute(_CALL, new_id(), call.lead_id, *told, author)
    await connection.execute(_CALLED, call.lead_id, author, *told)
    return True


async def clear_national_id(connection: Connection, lead_id: UUID, author: str, *, counted: bool) -> bool:
    """Remove a national id; `counted`: the lead's version has grown for this change already. False: there is none."""
    return await connection.execute(_CLEARED, lead_id, author, 0 if counted else 1) == "UPDATE 1"


async def forget_call_length(connection: Connection, lead_id: UUID) -> None:
    """Remove how long the last call took from a lead whose last call was removed in this transaction."""
    sql = "update leads set last_call_duration_seconds = null where id = $1 and last_call_at is null"
    await connection.execute(sql, lead_id)
