"""Progress rows: the check of a claim, the block's own save, and the worker's flush."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.connections import Connection
from db.system import SystemDatabase
from domain.json import JsonObject

__all__ = ["Claim", "Held", "Report", "Reported", "check_claim", "flush", "save_progress", "session_name"]

MAX_IDLE_SECONDS: Final = 15
"""A worker that stops inside a block loses its transaction, and the locks with it, after this time."""


@dataclass(frozen=True, slots=True)
class Reported:
    """Progress as a handler reported it. Rates in rows a second, the rest in seconds and rows."""

    phase: str
    processed: int
    total: int | None
    rows_per_second: float | None = None
    eta_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """Who holds the job now, and whether it should stop."""

    epoch: int
    cancel_requested: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What a claim reports; `revision` is the last one of the job's progress that the claim's holder has seen."""

    organization_id: UUID
    job_id: UUID
    epoch: int
    revision: int
    reported: Reported


@dataclass(frozen=True, slots=True)
class Held:
    """A claim that still stands, the revision of its progress, and whether the job should stop."""

    revision: int
    cancel_requested: bool


_CHECK: Final = """
select j.epoch, j.cancel_requested from jobs j
cross join (select set_config('application_name', $2, true), set_config('idle_in_transaction_session_timeout', $3, true)
            offset 0) s
where j.id = $1 for key share of j
"""

_SAVE: Final = """
with job as (update jobs set result = $3 where id = $1 and epoch = $2 returning id)
update job_progress p set phase = $4, total = $6,
  processed = case when p.phase = $4 then greatest(p.processed, $5) else $5 end, rows_per_second = $7,
  eta_seconds = $8, revision = p.revision + 1, updated_at = clock_timestamp()
from job where p.job_id = job.id
returning p.revision
"""

_FLUSH: Final = """
with given as (
  select * from unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[], $5::text[], $6::bigint[], $7::bigint[],
    $8::float8[], $9::int[])
    as g(organization_id, job_id, epoch, revision, phase, processed, total, rows_per_second, eta_seconds)
), written as (
  update store.job_progress p set phase = g.phase, total = g.total,
    processed = case when p.phase = g.phase then greatest(p.processed, g.processed) else g.processed end,
    rows_per_second = g.rows_per_second, eta_seconds = g.eta_seconds, revision = p.revision + 1,
    updated_at = clock_timestamp()
  from given g
  where p.organization_id = g.organization_id and p.job_id = g.job_id and p.epoch = g.epoch
    and (p.phase = g.phase or p.revision = g.revision)
    and (p.phase is distinct from g.phase or p.total is distinct from g.total or g.processed > p.processed)
  returning p.job_id, p.revision
)
select j.id, j.cancel_requested, coalesce(w.revision, p.revision) as revision
from given g
join store.jobs j on j.organization_id = g.organization_id and j.id = g.job_id and j.epoch = g.epoch
join store.job_progress p on p.organization_id = g.organization_id and p.job_id = g.job_id
left join written w on w.job_id = g.job_id
where j.state in ('RUNNING', 'CANCELLING')
"""
"""Another phase than the stored one is written by whoever knows the last revision alone: a block that was saved since
the report was made may have begun the phase that is stored."""


def session_name(job_id: UUID) -> str:
    """What a block's session is called while it writes for a job."""
    return f"job {job_id}"


async def check_claim(connection: Connection, job_id: UUID) -> Claim | None:
    """The job's claim, kept from changing until the transaction's end; names the session and bounds its idling."""
    row = await connection.fetchrow(_CHECK, job_id, session_name(job_id), f"{MAX_IDLE_SECONDS}s")
    return None if row is None else Claim(row["epoch"], row["cancel_requested"])


async def save_progress(
    connection: Connection, claim: tuple[UUID, int], reported: Reported, result: JsonObject
) -> int | None:
    """Write result and progress for a claim (job, epoch); the new revision, None where it is no longer the claim."""
    return await connection.fetchval(
        _SAVE,
        *claim,
        result,
        reported.phase,
        reported.processed,
        reported.total,
        reported.rows_per_second,
        reported.eta_seconds,
    )


async def flush(system: SystemDatabase, reports: Sequence[Report]) -> Mapping[UUID, Held]:
    """Write the progress of many claims at once, without waiting for the disk; the jobs that are still claimed so."""
    values = [report.reported for report in reports]
    async with system.unit() as connection:
        await connection.execute("set local synchronous_commit = off; set local lock_timeout = '2s'")
        rows = await connection.fetch(
            _FLUSH,
            [report.organization_id for report in reports],
            [report.job_id for report in reports],
            [report.epoch for report in reports],
            [report.revision for report in reports],
            [value.phase for value in values],
            [value.processed for value in values],
            [value.total for value in values],
            [value.rows_per_second for value in values],
            [value.eta_seconds for value in values],
        )
    return {row["id"]: Held(row["revision"], row["cancel_requested"]) for row in rows}
