"""What jobs recorded, reckoned over a time."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from db.connections import Row
from db.pool import Database
from domain.activity import IssueStat, Metrics, OperationStats
from domain.job_rules import BULK_KINDS, EXPORT_KINDS
from domain.vocabulary import ImportIssueCode, JobKind

__all__ = ["common_issues", "job_metrics"]

FAMILIES: Final[Mapping[str, Collection[JobKind]]] = {
    "imports": (JobKind.IMPORT, JobKind.REVERT),
    "exports": EXPORT_KINDS,
    "bulk": BULK_KINDS,
}

_ENDED: Final = "j.finished_at >= $2::timestamptz and j.finished_at < $3::timestamptz"
# a job of several runs has waited for a person or for another worker meanwhile: its time says nothing
_STATS: Final = f"""
with ended as (
  select j.kind, j.state, j.row_count as rows, j.byte_count as bytes,
    case when j.epoch = 1 then extract(epoch from j.finished_at - j.started_at)::float8 end as seconds,
    case when j.kind = 'IMPORT' then coalesce((j.result -> 'counts' ->> 'failed')::bigint, 0)
         when j.kind like 'BULK%' then coalesce((j.result ->> 'failed')::bigint, 0)
         else 0 end as failed_rows
  from jobs j
  where {_ENDED} and j.created_at < $3
)
select family.name, count(*) as jobs, coalesce(sum(rows), 0)::bigint as rows,
  count(*) filter (where state = 'FAILED') as failed_jobs,
  least(sum(failed_rows)::float8 / nullif(sum(rows), 0), 1) as failed_share,
  percentile_cont(0.5) within group (order by seconds) as p50,
  percentile_cont(0.95) within group (order by seconds) as p95,
  (sum(rows) filter (where seconds > 0) / nullif(sum(seconds), 0))::float8 as rate,
  coalesce(sum(bytes), 0)::bigint as bytes
from ended join unnest($4::text[], $5::text[]) as family(kind, name) using (kind)
group by family.name
"""
_ISSUES: Final = f"""
select g.code, g.field, sum(g.rows)::bigint as rows
from import_issue_groups g join jobs j on j.organization_id = g.organization_id and j.id = g.job_id
where {_ENDED}
group by g.code, g.field order by 3 desc, 1, 2 limit $4
"""


async def job_metrics(database: Database, organization_id: UUID, since: datetime, until: datetime) -> Metrics:
    """The figures of the jobs that ended from `since` (included) to `until` (not)."""
    families = [(kind.value, name) for name, kinds in FAMILIES.items() for kind in kinds]
    kinds, names = zip(*families, strict=True)
    rows = await database.read(organization_id, _STATS, since, until, list(kinds), list(names))
    found = {row["name"]: _stats(row) for row in rows}
    stats = {name: found.get(name, OperationStats()) for name in FAMILIES}
    return Metrics(since=since, until=until, **stats)


async def common_issues(database: Database, organization_id: UUID, metrics: Metrics, first: int) -> list[IssueStat]:
    """The issues of the imports that ended in the metrics' time, the commonest first."""
    rows = await database.read(organization_id, _ISSUES, metrics.since, metrics.until, first)
    return [IssueStat(ImportIssueCode(row["code"]), row["field"], row["rows"]) for row in rows]


def _stats(row: Row) -> OperationStats:
    return OperationStats(
        jobs=row["jobs"],
        rows=row["rows"],
        failed_jobs=row["failed_jobs"],
        error_rate=row["failed_share"] or 0.0,
        p50_seconds=row["p50"],
        p95_seconds=row["p95"],
        rows_per_second=row["rate"],
        bytes=row["bytes"],
    )
