"""What the feed polls: which of the watched jobs have a newer revision, in one statement for all of them."""

from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID

from db.jobs import JOB_COLUMNS, job_of
from db.system import SystemDatabase
from domain.jobs import JobRecord

__all__ = ["JobKey", "changed_jobs", "jobs_in_motion"]

JobKey = tuple[UUID, UUID]
"""Organization and job."""

_CHANGED: Final = f"""
select {JOB_COLUMNS} from unnest($1::uuid[], $2::uuid[], $3::int[]) as known(organization_id, job_id, revision)
join store.job_progress p on p.organization_id = known.organization_id and p.job_id = known.job_id
join store.jobs j on j.organization_id = known.organization_id and j.id = known.job_id
where p.revision > known.revision
"""

_IN_MOTION: Final = f"""
with known as (
  select organization_id, id, revision
  from unnest($2::uuid[], $3::uuid[], $4::int[]) as known(organization_id, id, revision)
), candidates as (
  select organization_id, id from store.jobs
  where state in ('QUEUED', 'RUNNING', 'CANCELLING') and organization_id = any($1::uuid[])
  union
  select organization_id, id from store.jobs
  where created_at > now() - interval '1 minute' and organization_id = any($1::uuid[])
  union
  select organization_id, id from known
)
select {JOB_COLUMNS} from candidates c
join store.jobs j on j.organization_id = c.organization_id and j.id = c.id
join store.job_progress p on p.organization_id = c.organization_id and p.job_id = c.id
left join known on known.organization_id = c.organization_id and known.id = c.id
where p.revision > coalesce(known.revision, 0)
"""


async def changed_jobs(system: SystemDatabase, known: Mapping[JobKey, int]) -> list[JobRecord]:
    """Of the jobs with the revisions known so far, those that have a newer one."""
    if not known:
        return []
    organizations, jobs = zip(*known, strict=True)
    return [job_of(row) for row in await system.fetch(_CHANGED, organizations, jobs, list(known.values()))]


async def jobs_in_motion(
    system: SystemDatabase, organizations: Collection[UUID], known: Mapping[JobKey, int]
) -> list[JobRecord]:
    """Jobs of these organizations that are active, not a minute old or known, newer than the revisions known so far.

    A known one is neither of the others any more when it ends, or waits for an answer, after a minute.
    """
    if not organizations:
        return []
    owners, jobs = [owner for owner, _ in known], [job for _, job in known]
    rows = await system.fetch(_IN_MOTION, list(organizations), owners, jobs, list(known.values()))
    return [job_of(row) for row in rows]
