"""The activity log, and figures from jobs."""

from datetime import datetime
from typing import Final

import strawberry
from strawberry.scalars import JSON

from domain import activity
from domain.errors import Path
from domain.filter_input import read_instant
from domain.ids import IdKind, format_id
from domain.stored import decode
from domain.vocabulary import ActivityAction, ExportFormat, ImportIssueCode
from schema.arguments import INPUT, First, constraints, first_items, optional, read
from schema.context import Info
from schema.filters import DateTimeFilter
from schema.job_types import job_of
from schema.jobs import Job
from schema.leads import Lead
from schema.nodes import CountedConnection, Mirror, Node
from schema.people import Actor, actor_of
from schema.scalars import BigInt

MAX_TOP_ISSUES: Final = 100


@strawberry.type(description="One act: who did what, when, to how much.")
class Activity(Node):
    record: strawberry.Private[activity.ActivityRecord]
    at: datetime = strawberry.field(description="When.")
    action: ActivityAction = strawberry.field(description="What.")
    summary: str = strawberry.field(description="The act in a line for people, lead values masked.")
    lead_count: int | None = strawberry.field(description="How many leads it concerned.")
    ip_address: str | None = strawberry.field(description="Where the request came from.")
    details: JSON = strawberry.field(description="What else is known, lead values masked.")

    @classmethod
    def of(cls, record: activity.ActivityRecord) -> "Activity":
        """The entry as the API shows it."""
        return cls(
            record=record,
            id=strawberry.ID(format_id(IdKind.ACTIVITY, record.id)),
            at=record.at,
            action=record.action,
            summary=record.summary,
            lead_count=record.lead_count,
            ip_address=record.ip_address,
            details=JSON(record.details),
        )

    @strawberry.field(description="Who.")
    async def actor(self, info: Info) -> Actor:
        return await actor_of(self.record.actor, info.context.people)

    @strawberry.field(description="The job it was about.")
    async def job(self, info: Info) -> Job | None:
        record = await info.context.jobs.job(self.record.job_id) if self.record.job_id else None
        return job_of(record) if record else None

    @strawberry.field(description="The lead it was about; null once it is deleted.")
    async def lead(self, info: Info) -> Lead | None:
        return await info.context.leads.lead(self.record.lead_id) if self.record.lead_id else None


ActivityConnection = CountedConnection[Activity]


@strawberry.input(description="Which acts; omitted: no constraint.")
class ActivityFilter:
    action: list[ActivityAction] | None = optional("One of these.")
    actor_id: strawberry.ID | None = optional("By this user or API key.")
    job_id: strawberry.ID | None = optional("About this job.")
    lead_id: strawberry.ID | None = optional("About this lead.")
    at: DateTimeFilter | None = optional("When.")
    search: str | None = optional("Found anywhere in the summary, ignoring case.")

    def to_domain(self, path: Path = ("filter",)) -> activity.ActivityFilter:
        """The filter. Raises BadInput for a null, an empty list or an operator object without an operator."""
        wanted = decode(activity.ActivityFilter, constraints(self, path))
        if wanted.at:
            read_instant(wanted.at, (*path, "at"))
        return wanted


@strawberry.input(description="An export of the activity log.")
class ExportActivityInput:
    filter: ActivityFilter | None = optional("Which acts; omitted: all.")
    format: ExportFormat = strawberry.field(default=ExportFormat.CSV, description="The format of the file.")
    wait_seconds: float = strawberry.field(default=0, description="Wait this long for the end, at most 30 seconds.")

    def to_domain(self) -> activity.ActivityExportRequest:
        """The request. Raises BadInput."""
        request = read(activity.ActivityExportRequest, self)
        if self.filter:
            self.filter.to_domain((*INPUT, "filter"))
        return request


@strawberry.type(description="Finished jobs of one family.")
class OperationStats(Mirror[activity.OperationStats]):
    jobs: int = strawberry.field(description="Jobs that ended.")
    rows: BigInt = strawberry.field(description="Rows they went through.")
    failed_jobs: int = strawberry.field(description="Jobs that failed.")
    error_rate: float = strawberry.field(description="Failed rows by rows, 0.0 to 1.0; an export has none.")
    p50_seconds: float | None = strawberry.field(
        description="Half of them took no longer; of those that ran in one go, without waiting for anybody."
    )
    p95_seconds: float | None = strawberry.field(description="95 of 100 of the same took no longer.")
    rows_per_second: float | None = strawberry.field(description="Rows of the same by the time they ran.")
    bytes: BigInt = strawberry.field(description="Bytes read or written.")


@strawberry.type(description="How often an issue occurred.")
class IssueStat(Mirror[activity.IssueStat]):
    code: ImportIssueCode = strawberry.field(description="What was wrong.")
    field: str | None = strawberry.field(description="A LeadFieldKey in lower case, or custom.<key>.")
    rows: BigInt = strawberry.field(description="How many rows.")


@strawberry.type(description="What jobs recorded in a time.")
class Metrics:
    record: strawberry.Private[activity.Metrics]
    imports: OperationStats = strawberry.field(description="Imports and their undo.")
    exports: OperationStats = strawberry.field(description="Exports of leads and of the activity log.")
    bulk: OperationStats = strawberry.field(description="Bulk operations.")

    @classmethod
    def of(cls, record: activity.Metrics) -> "Metrics":
        """The figures as the API shows them."""
        return cls(
            record=record,
            imports=OperationStats.of(record.imports),
            exports=OperationStats.of(record.exports),
            bulk=OperationStats.of(record.bulk),
        )

    @strawberry.field(description="The commonest issues of imports.")
    async def top_issues(self, info: Info, first: First = 10) -> list[IssueStat]:
        wanted = first_items(first, MAX_TOP_ISSUES)
        return [IssueStat.of(stat) for stat in await info.context.metrics.top_issues(self.record, wanted)]
