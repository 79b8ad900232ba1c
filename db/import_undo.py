"""Undoing an import: leads that it updated get their earlier values back, leads that it created are removed.

Both go through the leads in the order of their ids, some at a time, so that an undo goes on where it was stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.connections import Connection, Row
from db.stages import CLOSED
from db.tables import leads
from domain.json import JsonObject
from domain.lead_restore import Change, Restoration, restoration
from domain.lead_values import search_text, search_values
from domain.undo_doubles import Restored, keep_single, wanted_phones

__all__ = ["Undoing", "Undone", "remember_undo", "remove_created", "restore_updated"]

_FIXED: Final = frozenset(
    {
        "organization_id",
        "id",
        "version",
        "search_text",
        "notes_count",
        "updated_at",
        "created_by",
        "updated_by",
        "import_job_id",
        "changed_xid",
    }
)
_COLUMNS: Final = tuple(column.name for column in leads.columns if column.name not in _FIXED)
_UPDATED: Final = """
select distinct lead_id from import_changes where job_id = $1 and ($2::uuid is null or lead_id > $2)
order by lead_id limit $3
"""
_CURRENT: Final = """
select l.id, to_jsonb(l) as columns from leads l
where l.id = any($1) and l.import_job_id is distinct from $2 order by l.id for update
"""
_CHANGES: Final = (
    "select lead_id, before, after from import_changes where job_id = $1 and lead_id = any($2) order by row"
)
_REVERTED: Final = "update import_changes set reverted = true where job_id = $1 and lead_id = any($2)"
_DROP_NOTES: Final = "delete from notes where import_job_id = $1 and lead_id = any($2) returning lead_id"
_NOTES: Final = (
    "select lead_id, array_agg(text order by created_at, id) as texts from notes where lead_id = any($1) group by 1"
)
_RESTORE: Final = f"""
update leads l set ({", ".join(_COLUMNS)}) = (
    select {", ".join(f"p.{name}" for name in _COLUMNS)} from jsonb_populate_record(l, u.columns) p),
  notes_count = u.notes, search_text = u.search, version = l.version + 1, updated_at = now(), updated_by = $5,
  changed_xid = pg_current_xact_id()
from unnest($1::uuid[], $2::jsonb[], $3::int[], $4::text[]) u(id, columns, notes, search) where l.id = u.id
"""
_EDITED: Final = """(
  exists (
    select from (select coalesce((
      select c.version_after from import_changes c
      where c.job_id = $1 and c.lead_id = l.id order by c.row desc limit 1), 1) as version) own
    where l.version <> own.version and l.version <> own.version + (
      select count(*) + count(distinct c.job_id) from import_changes c
      where c.lead_id = l.id and c.reverted and c.version_after > own.version and c.job_id = any(array(
        select j.id from jobs j where j.kind = 'IMPORT' and (j.state = 'FAILED' or j.result ? 'revertJobId')))))
  or exists (select from notes n where n.lead_id = l.id and n.import_job_id is distinct from $1)
  or exists (select from calls c where c.lead_id = l.id))"""
"""Whether anybody else has written to a lead that the import created.

What later imports wrote does not count once it was undone: each of their rows made one version, and the undo one more.
"""
_CREATED: Final = f"""
select l.id, l.external_id, {_EDITED} as edited
from leads l where l.import_job_id = $1 and ($2::uuid is null or l.id > $2) order by l.id limit $3 for update of l
"""
_NEAR: Final = f"""
with recursive near(id, phone_key) as (
  select null::uuid, unnest($2::text[])
  union
  select l.id, (
    select c.before ->> 'phone_key' from import_changes c
    where c.job_id = $1 and c.lead_id = l.id and c.after ? 'phone_key' order by c.row limit 1)
  from near n join leads l on l.phone_key = n.phone_key
  where l.id <> all ($3) and (not $4 or l.stage not in {CLOSED})
    and (l.import_job_id is distinct from $1 or {_EDITED})
), found as (select id from near where id is not null limit $5)
select l.id, jsonb_build_object('phone', l.phone, 'phone_key', l.phone_key, 'status_id', l.status_id,
  'stage', l.stage, 'import_job_id', l.import_job_id) as columns
from found join leads l on l.id = found.id
"""
"""Leads that stay and have these phones now, and those that have the phones which these are to get back, and so on."""
_MOST_NEAR: Final = 10_000
_TOMBSTONES: Final = "insert into lead_deletions (lead_id, external_id) select * from unnest($1::uuid[], $2::text[])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """The import that `actor_name` undoes, `size` leads at a time. `active_only`: closed leads double none."""

    job_id: UUID
    actor_name: str
    active_only: bool
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What some leads came to; `cursor` is the last one, None where there were no more."""

    removed: int = 0
    restored: int = 0
    kept: int = 0
    gone: int = 0
    cursor: UUID | None = None


async def restore_updated(connection: Connection, undoing: Undoing, after: UUID | None) -> Undone:
    """Give the next updated leads their earlier values back, but none that would make them doubles by now."""
    job_id = undoing.job_id
    ids = [row["lead_id"] for row in await connection.fetch(_UPDATED, job_id, after, undoing.size)]
    if not ids:
        return Undone()
    current = {row["id"]: row["columns"] for row in await connection.fetch(_CURRENT, ids, job_id)}
    undone = await _restorations(connection, undoing, current)
    noted = {row["lead_id"] for row in await connection.fetch(_DROP_NOTES, job_id, list(current))}
    restored = [lead for lead, found in undone.items() if found.columns or lead in noted]
    changed: dict[UUID, tuple[JsonObject, JsonObject]] = {
        lead: (current[lead], undone[lead].columns) for lead in restored
    }
    await _restore(connection, changed, undoing.actor_name)
    await connection.execute(_REVERTED, job_id, [lead for lead in restored if not undone[lead].kept])
    gone = await _gone(connection, [lead for lead in ids if lead not in current])
    kept = sum(1 for found in undone.values() if found.kept)
    return Undone(restored=len(restored), kept=kept, gone=gone, cursor=ids[-1])


async def remove_created(connection: Connection, undoing: Undoing, after: UUID | None) -> Undone:
    """Remove the next created leads; those that somebody has edited, noted on or called stay."""
    rows = await connection.fetch(_CREATED, undoing.job_id, after, undoing.size)
    if not rows:
        return Undone()
    unedited = [row for row in rows if not row["edited"]]
    ids = [row["id"] for row in unedited]
    await connection.execute("delete from notes where lead_id = any($1)", ids)
    await connection.execute("delete from leads where id = any($1)", ids)
    await connection.execute(_TOMBSTONES, ids, [row["external_id"] for row in unedited])
    return Undone(removed=len(ids), kept=len(rows) - len(ids), cursor=rows[-1]["id"])


async def remember_undo(connection: Connection, job_id: UUID, undo_id: str) -> None:
    """Let the import say that it was undone, and by which job (a shown id)."""
    await connection.execute(
        "update jobs set result = result || jsonb_build_object('revertJobId', $2::text) where id = $1", job_id, undo_id
    )
    await connection.execute("update job_progress set revision = revision + 1 where job_id = $1", job_id)


async def _restorations(
    connection: Connection, undoing: Undoing, current: dict[UUID, JsonObject]
) -> dict[UUID, Restoration]:
    undone = await _judged(connection, undoing.job_id, current)
    restored = {lead: Restored(current[lead], found) for lead, found in undone.items()}
    active_only, taken = undoing.active_only, set[str]()
    if phones := wanted_phones(restored.values(), active_only=active_only):
        binds = (undoing.job_id, list(phones), list(current), active_only, _MOST_NEAR)
        near = {row["id"]: row["columns"] for row in await connection.fetch(_NEAR, *binds)}
        judged = await _judged(connection, undoing.job_id, near)
        restored |= {lead: Restored(near[lead], found) for lead, found in judged.items()}
        if len(near) == _MOST_NEAR:  # who has the others is not known
            known = {str(one.now["phone_key"]) for one in restored.values()}
            taken = wanted_phones(restored.values(), active_only=active_only) - known
        keep_single([restored[lead] for lead in sorted(restored)], taken, active_only=active_only)
    return undone


async def _judged(connection: Connection, job_id: UUID, leads: dict[UUID, JsonObject]) -> dict[UUID, Restoration]:
    """What would restore each lead by itself; nothing restores those that the import created."""
    updated = [lead for lead, columns in leads.items() if columns.get("import_job_id") != str(job_id)]
    changes: dict[UUID, list[Change]] = {}
    for row in await connection.fetch(_CHANGES, job_id, updated):
        changes.setdefault(row["lead_id"], []).append(Change(row["before"], row["after"]))
    stages = {str(row["id"]): row["stage"] for row in await connection.fetch("select id, stage from statuses")}
    return {lead: restoration(columns, changes.get(lead, ()), stages) for lead, columns in leads.items()}


async def _restore(
    connection: Connection, restored: dict[UUID, tuple[JsonObject, JsonObject]], actor_name: str
) -> None:
    if not restored:
        return
    notes: dict[UUID, Sequence[str]] = {
        row["lead_id"]: row["texts"] for row in await connection.fetch(_NOTES, list(restored))
    }
    searches = [
        search_text(search_values({**current, **columns}, notes.get(lead, ())))
        for lead, (current, columns) in restored.items()
    ]
    await connection.execute(
        _RESTORE,
        list(restored),
        [columns for _, columns in restored.values()],
        [len(notes.get(lead, ())) for lead in restored],
        searches,
        actor_name,
    )


async def _gone(connection: Connection, ids: Sequence[UUID]) -> int:
    """How many of the leads are nowhere; the others were created by the same import."""
    rows: list[Row] = await connection.fetch("select id from leads where id = any($1)", list(ids))
    return len(ids) - len(rows)
