"""Lists of jobs: newest first, by keyset, the filter's values always bound."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from db.connections import Connection
from db.jobs import JOB_COLUMNS, JOB_TABLES, job_of
from db.lists import Clauses, Listing, list_page
from db.pool import Database
from domain.ids import IdKind, parse_id
from domain.job_details import JobFilter
from domain.job_filter import instant_bounds, parties
from domain.job_rules import EXPORT_KINDS
from domain.jobs import JobRecord
from domain.paging import Page, PageRequest
from domain.stored import encode

__all__ = ["JobList", "jobs_underway", "list_jobs", "load_jobs"]

_UNDERWAY: Final = f"""
select {JOB_COLUMNS} from {JOB_TABLES}
where j.state in ('QUEUED', 'RUNNING', 'CANCELLING', 'AWAITING_MAPPING', 'AWAITING_REVIEW')
   or j.created_at > now() - interval '2 minutes'
order by j.created_at desc limit 5000
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobList:
    """Which jobs of which organization; relative periods count back from `now` in the organization's zone."""

    organization_id: UUID
    now: datetime
    zone: ZoneInfo
    filter: JobFilter = field(default_factory=JobFilter)


async def jobs_underway(connection: Connection) -> list[JobRecord]:
    """The organization's jobs that may still change, and those so young that a poll may still come upon them."""
    return [job_of(row) for row in await connection.fetch(_UNDERWAY)]


async def load_jobs(database: Database, organization_id: UUID, ids: Sequence[UUID]) -> dict[UUID, JobRecord]:
    """Those of the jobs that this organization has, by id."""
    sql = f"select {JOB_COLUMNS} from {JOB_TABLES} where j.id = any($2::uuid[])"
    return {row["id"]: job_of(row) for row in await database.read(organization_id, sql, list(ids))}


async def list_jobs(database: Database, wanted: JobList, page: PageRequest) -> Page[JobRecord]:
    """A page of jobs, newest first, with its count. Raises BadInput for a cursor of another list."""
    listing = Listing(
        organization_id=wanted.organization_id,
        columns=JOB_COLUMNS,
        tables=JOB_TABLES,
        counted="jobs j",
        alias="j",
        at="created_at",
        clauses=_conditions(wanted),
        filter=encode(wanted.filter),
        record=job_of,
    )
    return await list_page(database, listing, page)


def _conditions(wanted: JobList) -> Clauses:
    clauses, given = Clauses(), wanted.filter
    for column, values in (("kind", given.kind), ("state", given.state), ("trigger", given.trigger)):
        if values is not None:
            clauses.add(f"j.{column} = any({{}}::text[])", list(values))
    if given.format is not None:
        condition = "j.kind = any(cast({} as text[])) and j.spec ->> 'format' = any(cast({} as text[]))"
        clauses.add(condition, sorted(EXPORT_KINDS), list(given.format))
    if given.created_by_id is not None:
        clauses.add("j.actor_id = any(cast({} as uuid[]))", list(parties(given.created_by_id)))
    if given.schedule_id is not None:
        clauses.add("j.schedule_id = cast({} as uuid)", parse_id(IdKind.SCHEDULE, given.schedule_id))
    if given.search is not None:
        clauses.add_search("j.name || E'\\n' || coalesce(j.spec ->> 'fileName', '')", given.search)
    clauses.add_instants("j.created_at", instant_bounds(given, wanted.now, wanted.zone))
    return clauses
