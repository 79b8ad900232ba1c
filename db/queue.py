"""The queue's side of a job: admission to the dispatcher, its tokens, and the sweep that mends what a crash left.

A token is a row of the dispatcher that means "run job X". It is made and withdrawn in the transaction that changes the
job, and only the token that the job names counts: a stale one is ignored, however often it is delivered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.connections import Connection
from db.locks import Lock
from db.system import SystemDatabase
from domain.job_requests import SMALL_JOB_SLOTS

__all__ = [
    "LARGE_QUEUE",
    "SMALL_QUEUE",
    "TASK",
    "Swept",
    "admit",
    "organizations_waiting",
    "sweep",
    "withdraw",
]

LARGE_QUEUE: Final = "large"
SMALL_QUEUE: Final = "small"
TASK: Final = "run_job"
_LOCK: Final = f"select pg_advisory_xact_lock({Lock.ADMISSION:d}, hashtext(current_setting('app.organization_id')))"

_ADMIT: Final = f"""
with taken as (
  select count(*) filter (where large) as large, count(*) filter (where not large) as small from jobs
  where state in ('QUEUED', 'RUNNING', 'CANCELLING') and (state <> 'QUEUED' or admitted_at is not null)
), cap as (
  select coalesce((select (limits ->> 'maxConcurrentJobs')::int from organizations), $1) as large
), picked as (
  (select id from jobs where state = 'QUEUED' and admitted_at is null and large
   order by priority desc, created_at limit (select greatest(0, cap.large - taken.large) from cap, taken))
  union all
  (select id from jobs where state = 'QUEUED' and admitted_at is null and not large
   order by priority desc, created_at limit (select greatest(0, {SMALL_JOB_SLOTS} - small) from taken))
)
update jobs j set admitted_at = now(), engine_id = queue.defer_job(j.organization_id, j.id, j.large, j.priority, 0)
where j.id = any(array(select id from picked))
returning j.id
"""
"""The array keeps a plan that was made while the table was empty from looking for the picked ones once a row."""

_STALLED: Final = """
delete from queue.procrastinate_jobs t
where t.status = 'doing' and not exists (
  select from queue.procrastinate_workers w
  where w.id = t.worker_id and w.last_heartbeat > now() - make_interval(secs => $1))
returning t.id
"""

_ENDED: Final = "delete from queue.procrastinate_jobs where status in ('succeeded', 'failed', 'cancelled', 'aborted')"

_ORPHANED: Final = """
update store.jobs j
set state = case state when 'RUNNING' then 'QUEUED' else state end,
  engine_id = queue.defer_job(organization_id, id, large, priority, 0)
where state in ('QUEUED', 'RUNNING', 'CANCELLING') and admitted_at is not null
  and not exists (select from queue.procrastinate_jobs t where t.id = j.engine_id and t.status in ('todo', 'doing'))
returning j.organization_id, j.id
"""

_TELL: Final = """
update store.job_progress p set revision = revision + 1, updated_at = clock_timestamp()
from unnest($1::uuid[], $2::uuid[]) as o(organization_id, job_id)
where p.organization_id = o.organization_id and p.job_id = o.job_id
"""

_WAITING: Final = f"""
select w.organization_id from (
  select organization_id, bool_or(large) as large, bool_or(not large) as small from store.jobs
  where state = 'QUEUED' and admitted_at is null group by organization_id
) w
cross join lateral (
  select count(*) filter (where j.large) as large, count(*) filter (where not j.large) as small from store.jobs j
  where j.organization_id = w.organization_id and j.state in ('QUEUED', 'RUNNING', 'CANCELLING')
    and (j.state <> 'QUEUED' or j.admitted_at is not null)
) taken
join store.organizations o on o.id = w.organization_id
where w.small and taken.small < {SMALL_JOB_SLOTS}
   or w.large and taken.large < coalesce((o.limits ->> 'maxConcurrentJobs')::int, $1)
limit 200
"""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did: tokens taken from dead workers, jobs that got a new token. None of either elsewhere."""

    stalled: int = 0
    requeued: tuple[tuple[UUID, UUID], ...] = ()


async def admit(connection: Connection, default_limit: int) -> Sequence[UUID]:
    """Give tokens to the organization's first waiting jobs, as many as its limit leaves free; returns those jobs.

    Call it last in a transaction that adds, ends or withdraws a job: the lock is held until the commit. The lock is a
    statement of its own, so that the counting one sees what its last holder committed.
    """
    await connection.execute(_LOCK)
    return [row["id"] for row in await connection.fetch(_ADMIT, default_limit)]


async def withdraw(connection: Connection, engine_id: int | None) -> None:
    """Take back a token that nobody has fetched yet."""
    if engine_id is not None:
        await connection.execute("select queue.cancel_job($1)", engine_id)


async def sweep(system: SystemDatabase, lease_seconds: float) -> Swept | None:
    """Requeue the jobs of dead workers and those whose token is gone; None while another process sweeps.

    A worker is dead when it gave no sign of life for the lease, by the database's clock.
    """
    async with system.unit() as connection:
        if not await connection.fetchval("select pg_try_advisory_xact_lock($1, 0)", int(Lock.SWEEP)):
            return None
        stalled = await connection.fetch(_STALLED, lease_seconds)
        await connection.execute(_ENDED)
        rows = await connection.fetch(_ORPHANED)
        orphans = tuple((row["organization_id"], row["id"]) for row in rows)
        if orphans:
            await connection.execute(_TELL, *zip(*orphans, strict=True))
        return Swept(len(stalled), orphans)


async def organizations_waiting(system: SystemDatabase, default_limit: int) -> list[UUID]:
    """Organizations that have a waiting job and a free place: something was lost between an end and its admission."""
    return [row["organization_id"] for row in await system.fetch(_WAITING, default_limit)]
