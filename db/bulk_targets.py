"""The target of a bulk operation: its leads, written down with the job, so that exactly these are acted upon."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Integer, func, select

from db import views
from db.connections import Connection, Row
from db.export_query import shape
from db.filters import FilterContext, compile_filter
from db.pool import Database
from db.system import SystemDatabase
from domain.bulk import BulkResult
from domain.filters import LeadFilter
from domain.ids import IdKind, format_id
from domain.job_details import BulkLeadResult
from domain.job_rules import BULK_KINDS
from domain.jobs import TERMINAL
from domain.paging import Count
from domain.stored import encode
from domain.vocabulary import BulkOutcome, UserErrorCode

__all__ = [
    "PENDING",
    "ResultList",
    "add_filter_target",
    "add_id_target",
    "drop_old_results",
    "is_new_job",
    "organizations_with_old_results",
    "save_result",
]

_ENDED_BULK: Final = (sorted(BULK_KINDS), sorted(TERMINAL))
PENDING: Final = "PENDING"
"""The outcome of a lead that the job has not come to yet; never shown."""

_ADD_IDS: Final = f"""
with target as (
  insert into bulk_results (job_id, position, lead_id, given, outcome)
  select $1, g.position, l.id, g.given, case when l.id is null then '{BulkOutcome.NOT_FOUND}' else '{PENDING}' end
  from unnest($2::uuid[], $3::text[]) with ordinality g(id, given, position) left join leads l on l.id = g.id
  returning lead_id
)
select count(lead_id) from target
"""
_RESULTS: Final = """
select position, lead_id, given, outcome, code, message from bulk_results
where job_id = $2 and outcome = any($3) and position > $4 order by position limit $5
"""
_COUNT: Final = "select count(*) as n from bulk_results where job_id = $2 and outcome = any($3)"
_OLD: Final = "kind = any($1) and state = any($2) and expires_at <= now()"
_WITH_OLD: Final = f"select distinct organization_id from store.jobs where {_OLD}"
_DROP: Final = f"""
with job as (
  update jobs set expires_at = null where id = (select id from jobs where {_OLD} limit 1 for update skip locked)
  returning id
), dropped as (
  delete from bulk_results r using job where r.job_id = job.id
)
select id from job
"""
_NEWEST: Final = (views.leads.c.created_at.desc(), views.leads.c.id.desc())


async def is_new_job(connection: Connection, job_id: UUID) -> bool:
    """Whether this very transaction has made the job."""
    return bool(await connection.fetchval("select created_at = now() from jobs where id = $1", job_id))


async def add_id_target(connection: Connection, job_id: UUID, given: Sequence[str], ids: Sequence[UUID | None]) -> int:
    """Write down the leads of these ids in this order; `given` are the ids as shown, for those that name nothing.

    Returns how many there are.
    """
    return int(await connection.fetchval(_ADD_IDS, job_id, list(ids), list(given)))


async def add_filter_target(connection: Connection, job_id: UUID, tree: LeadFilter, context: FilterContext) -> int:
    """Write down the leads that the filter finds, newest first; returns how many. Raises BadInput."""
    place = func.row_number().over(order_by=_NEWEST).cast(Integer()).label("position")
    found = shape(select(place, views.leads.c.id).where(compile_filter(tree, context)))
    sql = (
        f"insert into bulk_results (job_id, position, lead_id, outcome) "
        f"select ${len(found.arguments) + 1}::uuid, f.position, f.id, '{PENDING}' from ({found.sql}) f"
    )
    tag = await connection.execute(sql, *found.arguments, job_id)
    return int(tag.rpartition(" ")[2])


async def save_result(connection: Connection, job_id: UUID, result: BulkResult) -> None:
    """Keep the counts with a job that has not begun."""
    await connection.execute("update jobs set result = $2 where id = $1", job_id, encode(result))


async def organizations_with_old_results(system: SystemDatabase) -> list[UUID]:
    """The organizations that keep results of bulk operations past their date."""
    return [row["organization_id"] for row in await system.fetch(_WITH_OLD, *_ENDED_BULK)]


async def drop_old_results(connection: Connection) -> bool:
    """Delete what became of each lead in one bulk operation whose date is past; False where there is none.

    The job keeps its counts, and loses the date: it keeps nothing more that could be deleted.
    """
    return await connection.fetchval(_DROP, *_ENDED_BULK) is not None


class ResultList:
    """What became of the leads of one job, of some outcomes."""

    def __init__(
        self, database: Database, organization_id: UUID, job_id: UUID, outcomes: Sequence[BulkOutcome]
    ) -> None:
        self._database = database
        self._organization_id = organization_id
        self._wanted = (job_id, list(outcomes))

    async def after(self, position: int, size: int) -> list[tuple[int, BulkLeadResult]]:
        """At most `size` of them behind a place in the target, each with its place."""
        rows = await self._database.read(self._organization_id, _RESULTS, *self._wanted, position, size)
        return [(row["position"], _result_of(row)) for row in rows]

    async def count(self) -> Count:
        """How many there are."""
        (row,) = await self._database.read(self._organization_id, _COUNT, *self._wanted)
        return Count(row["n"])


def _result_of(row: Row) -> BulkLeadResult:
    code = row["code"]
    return BulkLeadResult(
        lead_id=row["given"] or format_id(IdKind.LEAD, row["lead_id"]),
        outcome=BulkOutcome(row["outcome"]),
        code=UserErrorCode(code) if code else None,
        message=row["message"],
    )
