"""Undoing an import: leads that it updated get their earlier values back, leads that it created are removed.

Both go through the leads in the order of their ids, some at a time, so that an undo goes on where it was stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.connections import Connection, Row
from db.tables import leads
from domain.json import JsonObject
from domain.lead_restore import Change, restoration
from domain.lead_values import SearchValues, search_text

__all__ = ["Undone", "remember_undo", "remove_created", "restore_updated"]

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
_CREATED: Final = """
select l.id, l.external_id,
  l.version <> coalesce((
    select c.version_after from import_changes c
    where c.job_id = $1 and c.lead_id = l.id order by c.row desc limit 1), 1)
  or exists (select from notes n where n.lead_id = l.id and n.import_job_id is distinct from $1)
  or exists (select from calls c where c.lead_id = l.id) as edited
from leads l where l.import_job_id = $1 and ($2::uuid is null or l.id > $2) order by l.id limit $3 for update of l
"""
_TOMBSTONES: Final = "insert into lead_deletions (lead_id, external_id) select * from unnest($1::uuid[], $2::text[])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What some leads came to; `cursor` is the last one, None where there were no more."""

    removed: int = 0
    restored: int = 0
    kept: int = 0
    gone: int = 0
    cursor: UUID | None = None


async def restore_updated(
    connection: Connection, job_id: UUID, after: UUID | None, *, size: int, actor_name: str
) -> Undone:
    """Give the next updated leads their earlier values back."""
    ids = [row["lead_id"] for row in await connection.fetch(_UPDATED, job_id, after, size)]
    if not ids:
        return Undone()
    current = {row["id"]: row["columns"] for row in await connection.fetch(_CURRENT, ids, job_id)}
    changes: dict[UUID, list[Change]] = {}
    for row in await connection.fetch(_CHANGES, job_id, list(current)):
        changes.setdefault(row["lead_id"], []).append(Change(row["before"], row["after"]))
    stages = {str(row["id"]): row["stage"] for row in await connection.fetch("select id, stage from statuses")}
    undone = {lead: restoration(columns, changes[lead], stages) for lead, columns in current.items()}
    noted = {row["lead_id"] for row in await connection.fetch(_DROP_NOTES, job_id, list(current))}
    restored = [lead for lead, found in undone.items() if found.columns or lead in noted]
    await _restore(connection, {lead: (current[lead], undone[lead].columns) for lead in restored}, actor_name)
    gone = await _gone(connection, [lead for lead in ids if lead not in current])
    kept = sum(1 for found in undone.values() if found.kept)
    return Undone(restored=len(restored), kept=kept, gone=gone, cursor=ids[-1])


async def remove_created(connection: Connection, job_id: UUID, after: UUID | None, *, size: int) -> Undone:
    """Remove the next created leads; those that somebody has edited, noted on or called stay."""
    rows = await connection.fetch(_CREATED, job_id, after, size)
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


async def _restore(
    connection: Connection, restored: dict[UUID, tuple[JsonObject, JsonObject]], actor_name: str
) -> None:
    if not restored:
        return
    notes: dict[UUID, Sequence[str]] = {
        row["lead_id"]: row["texts"] for row in await connection.fetch(_NOTES, list(restored))
    }
    searches = [_search({**current, **columns}, notes.get(lead, ())) for lead, (current, columns) in restored.items()]
    await connection.execute(
        _RESTORE,
        list(restored),
        [columns for _, columns in restored.values()],
        [len(notes.get(lead, ())) for lead in restored],
        searches,
        actor_name,
    )


def _search(columns: JsonObject, notes: Sequence[str]) -> str:
    def text(column: str) -> str | None:
        value = columns.get(column)
        return None if value is None else str(value)

    return search_text(
        SearchValues(
            name=text("name"),
            email=text("email"),
            phone_key=text("phone_key"),
            external_id=text("external_id"),
            summary=text("conversation_summary"),
            notes="\n".join(notes) or None,
        )
    )


async def _gone(connection: Connection, ids: Sequence[UUID]) -> int:
    """How many of the leads are nowhere; the others were created by the same import."""
    rows: list[Row] = await connection.fetch("select id from leads where id = any($1)", list(ids))
    return len(ids) - len(rows)
