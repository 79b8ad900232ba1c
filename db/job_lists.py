"""Lists of jobs: newest first, by keyset, the filter's values always bound."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from db.connections import Connection
from db.jobs import JOB_COLUMNS, JOB_TABLES, job_of
from db.pool import Database
from domain.errors import BadInput
from domain.filters import Operator
from domain.ids import IdKind, parse_id
from domain.job_details import JobFilter
from domain.job_filter import EXPORT_KINDS, instant_bounds, parties
from domain.jobs import JobRecord
from domain.paging import Count, Page, PageRequest
from domain.stored import encode

__all__ = ["JobList", "jobs_underway", "list_jobs", "load_jobs"]

MAX_COUNT: Final = 10_000
_DIGEST: Final = 8

_UNDERWAY: Final = f"""
select {JOB_COLUMNS} from {JOB_TABLES}
where j.state in ('QUEUED', 'RUNNING', 'CANCELLING', 'AWAITING_MAPPING', 'AWAITING_REVIEW')
   or j.created_at > now() - interval '2 minutes'
order by j.created_at desc limit 5000
"""
_COMPARISONS: Final = {
    Operator.EQ: "=",
    Operator.NE: "<>",
    Operator.GT: ">",
    Operator.GTE: ">=",
    Operator.LT: "<",
    Operator.LTE: "<=",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobList:
    """Which jobs of which organization; relative periods count back from `now` in the organization's zone."""

    organization_id: UUID
    now: datetime
    zone: ZoneInfo
    filter: JobFilter = field(default_factory=JobFilter)


class _Clauses:
    """Conditions joined by `and`, their values numbered from $2: $1 is the gate's."""

    def __init__(self) -> None:
        self.texts: list[str] = ["true"]
        self.values: list[object] = []

    def add(self, text: str, *values: object) -> None:
        """A condition with a `{}` for each of its values."""
        first = len(self.values) + 2
        self.texts.append(text.format(*(f"${first + place}" for place in range(len(values)))))
        self.values += values

    @property
    def sql(self) -> str:
        """The condition."""
        return " and ".join(self.texts)


async def jobs_underway(connection: Connection) -> list[JobRecord]:
    """The organization's jobs that may still change, and those so young that a poll may still come upon them."""
    return [job_of(row) for row in await connection.fetch(_UNDERWAY)]


async def load_jobs(database: Database, organization_id: UUID, ids: Sequence[UUID]) -> dict[UUID, JobRecord]:
    """Those of the jobs that this organization has, by id."""
    sql = f"select {JOB_COLUMNS} from {JOB_TABLES} where j.id = any($2::uuid[])"
    return {row["id"]: job_of(row) for row in await database.read(organization_id, sql, list(ids))}


async def list_jobs(database: Database, wanted: JobList, page: PageRequest) -> Page[JobRecord]:
    """A page of jobs, newest first, with its count. Raises BadInput for a cursor of another list."""
    clauses = _conditions(wanted)
    count = partial(_count, database, wanted.organization_id, clauses.sql, tuple(clauses.values))
    binding = hashlib.sha256(msgspec.json.encode(encode(wanted.filter))).hexdigest()[:_DIGEST]
    if page.cursor is not None:
        sign = ">" if page.backward else "<"
        clauses.add(f"(j.created_at, j.id) {sign} ({{}}::timestamptz, {{}}::uuid)", *_position(page, binding))
    order = "asc" if page.backward else "desc"
    sql = (
        f"select {JOB_COLUMNS} from {JOB_TABLES} where {clauses.sql} "
        f"order by j.created_at {order}, j.id {order} limit {page.size + 1}"
    )
    rows = await database.read(wanted.organization_id, sql, *clauses.values)
    jobs = [job_of(row) for row in rows[: page.size]]
    if page.backward:
        jobs.reverse()
    more, came = len(rows) > page.size, page.cursor is not None

    return Page(
        items=jobs,
        cursors=[_cursor(job, binding) for job in jobs],
        has_next=came if page.backward else more,
        has_previous=more if page.backward else came,
        count=count,
    )


async def _count(database: Database, organization_id: UUID, condition: str, values: tuple[object, ...]) -> Count:
    sql = f"select count(*) as jobs from (select from jobs j where {condition} limit {MAX_COUNT + 1}) counted"
    [row] = await database.read(organization_id, sql, *values)
    return Count(min(row["jobs"], MAX_COUNT), exact=row["jobs"] <= MAX_COUNT)


def _conditions(wanted: JobList) -> _Clauses:
    clauses, given = _Clauses(), wanted.filter
    for column, values in (("kind", given.kind), ("state", given.state), ("trigger", given.trigger)):
        if values is not None:
            clauses.add(f"j.{column} = any({{}}::text[])", list(values))
    if given.format is not None:
        condition = "j.kind = any({}::text[]) and j.spec ->> 'format' = any({}::text[])"
        clauses.add(condition, list(EXPORT_KINDS), list(given.format))
    if given.created_by_id is not None:
        clauses.add("j.actor_id = any({}::uuid[])", list(parties(given.created_by_id)))
    if given.schedule_id is not None:
        clauses.add("j.schedule_id = {}::uuid", parse_id(IdKind.SCHEDULE, given.schedule_id))
    if given.search is not None:
        condition = "position(lower({}::text) in lower(j.name || E'\\n' || coalesce(j.spec ->> 'fileName', ''))) > 0"
        clauses.add(condition, given.search)
    _add_instants(clauses, wanted)
    return clauses


def _add_instants(clauses: _Clauses, wanted: JobList) -> None:
    for operator, operand in instant_bounds(wanted.filter, wanted.now, wanted.zone):
        match operator:
            case Operator.IN | Operator.NOT_IN:
                negation = "not " if operator is Operator.NOT_IN else ""
                clauses.add(f"{negation}j.created_at = any({{}}::timestamptz[])", operand)
            case Operator.IS_NULL:
                clauses.add("(j.created_at is null) = {}::boolean", operand)
            case _:
                clauses.add(f"j.created_at {_COMPARISONS[operator]} {{}}::timestamptz", operand)


def _cursor(job: JobRecord, binding: str) -> str:
    document = msgspec.json.encode([job.created_at, job.id, binding])
    return urlsafe_b64encode(document).decode().rstrip("=")


def _position(page: PageRequest, binding: str) -> tuple[datetime, UUID]:
    text = page.cursor or ""
    try:
        document = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        at, job_id, bound = msgspec.json.decode(document, type=tuple[datetime, UUID, str])
        if bound == binding:
            return at, job_id
    except (ValueError, msgspec.MsgspecError):
        pass
    raise BadInput("This is no cursor of this list.", ("before" if page.backward else "after",))
