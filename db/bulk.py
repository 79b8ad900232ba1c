"""Bulk operations block by block, each block in its caller's transaction and in a handful of statements."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.bulk_statements import TAKEN, BulkChange, bulk_statement
from db.bulk_targets import PENDING
from db.connections import Connection
from db.lead_search import search_texts
from domain.bulk import BulkResult
from domain.ids import new_id
from domain.vocabulary import BulkOutcome

__all__ = ["Block", "change_leads", "delete_leads", "end_of_target", "missing_users"]

_BLOCK: Final = f"""
select lead_id from bulk_results
where job_id = $1 and position > $2 and position <= $3 and outcome = '{PENDING}' order by lead_id
"""
_LOCK: Final = "select count(*) from (select id from leads where id = any($1) order by id for update) locked"
_DELETE: Final = f"""
with {TAKEN}, block as (
  select r.position, r.lead_id, r.given, l.id, l.external_id,
    case when l.id is null then '{BulkOutcome.NOT_FOUND}' else '{BulkOutcome.CHANGED}' end as outcome
  from taken r left join leads l on l.id = r.lead_id
), kept as (
  insert into bulk_results (job_id, position, lead_id, given, outcome)
  select $1::uuid, position, lead_id, given, outcome from block
) {{}}
select outcome, count(*) as leads from block group by outcome
"""
_GONE: Final = """
, gone as (delete from leads l using block b where l.id = b.id),
notes_gone as (delete from notes n using block b where n.lead_id = b.id),
calls_gone as (delete from calls c using block b where c.lead_id = b.id),
told as (
  insert into lead_deletions (lead_id, external_id) select id, external_id from block where id is not null
  on conflict (organization_id, lead_id) do nothing
)
"""


@dataclass(frozen=True, slots=True)
class Block:
    """Places of a job's target: those behind `after` up to `to`. `done` leads were processed before."""

    job_id: UUID
    after: int
    to: int
    done: int


async def end_of_target(connection: Connection, job_id: UUID) -> int:
    """The last place of the job's target, 0 where it is empty."""
    return int(
        await connection.fetchval("select coalesce(max(position), 0) from bulk_results where job_id = $1", job_id)
    )


async def missing_users(connection: Connection, ids: list[UUID]) -> set[UUID]:
    """Those of the ids that name nobody active."""
    rows = await connection.fetch("select id from users where active and id = any($1)", ids)
    return set(ids) - {row["id"] for row in rows}


async def change_leads(connection: Connection, block: Block, change: BulkChange) -> BulkResult:
    """Change the leads of the block; the counts are of this block alone."""
    statement = bulk_statement(change)
    ids = await _lock(connection, block) if not change.dry_run else []
    further: list[object] = []
    if statement.searches:
        texts = await search_texts(connection, ids, change.lead.cleared, change.lead.note)
        further.append({str(lead_id): text for lead_id, text in texts.items()})
    if statement.notes:
        further.append([new_id() for _ in ids])
    bounds = (block.job_id, block.after, block.to, block.done)
    rows = await connection.fetch(statement.text, *bounds, *statement.values, *further)
    return _counts(block, {row["outcome"]: row["leads"] for row in rows})


async def delete_leads(connection: Connection, block: Block, *, dry_run: bool) -> BulkResult:
    """Delete the leads of the block with their notes and calls; delta exports are told by tombstones."""
    if not dry_run:
        await _lock(connection, block)
    rows = await connection.fetch(_DELETE.format("" if dry_run else _GONE), block.job_id, block.after, block.to)
    return _counts(block, {row["outcome"]: row["leads"] for row in rows})


async def _lock(connection: Connection, block: Block) -> list[UUID]:
    """Lock the block's leads in the order of their ids, so that no two writers wait for each other crosswise."""
    ids = [row["lead_id"] for row in await connection.fetch(_BLOCK, block.job_id, block.after, block.to)]
    await connection.execute(_LOCK, ids)
    return ids


def _counts(block: Block, leads: Mapping[str, int]) -> BulkResult:
    changed, unchanged, failed = (
        leads.get(outcome, 0) for outcome in (BulkOutcome.CHANGED, BulkOutcome.UNCHANGED, BulkOutcome.FAILED)
    )
    return BulkResult(
        changed=changed, unchanged=unchanged, failed=failed, position=block.to, processed=sum(leads.values())
    )
