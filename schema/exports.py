"""Export jobs, templates and schedules."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from domain import exports, job_details
from domain.ids import IdKind, format_id
from domain.jobs import JobRecord
from domain.records import ScheduleRecord, TemplateRecord
from domain.templates import builtin_id
from domain.vocabulary import (
    BuiltinTemplate,
    Compression,
    DeliveryChannel,
    DeliveryState,
    ExportFormat,
    LeadFieldKey,
)
from schema.arguments import After, First, first_page
from schema.context import Context, Info
from schema.files import JobFile
from schema.jobs import Job, JobConnection, detail, shared_fields
from schema.nodes import Count, Mirror, Node, counted
from schema.people import Actor, actor_of
from schema.scalars import BigInt


@strawberry.type(description="A column of an exported file.")
class ExportColumn(Mirror[exports.ResolvedColumn]):
    key: str = strawberry.field(description="A LeadFieldKey in lower case, or custom.<key>.")
    header: str = strawberry.field(description="The header in the file.")


@strawberry.type(description="How one recipient was told of a file.")
class Delivery(Mirror[job_details.FileDelivery]):
    channel: DeliveryChannel = strawberry.field(description="By e-mail or webhook.")
    target: str = strawberry.field(description="The address or the endpoint's URL.")
    state: DeliveryState = strawberry.field(description="Where it stands.")
    attempts: int = strawberry.field(description="How often it was tried.")
    last_error: str | None = strawberry.field(description="Why the last attempt failed.")
    delivered_at: datetime | None = strawberry.field(description="When it arrived.")


@strawberry.type(description="A saved or builtin set of columns and options.")
class ExportTemplate(Node):
    name: str = strawberry.field(description="Unique in the organization.")
    builtin: BuiltinTemplate | None = strawberry.field(description="Null for a saved one.")
    columns: list[ExportColumn] = strawberry.field(description="The columns in their order.")
    spec: JSON | None = strawberry.field(description="The shape of ExportSpecInput; null for a builtin one.")
    updated_at: datetime | None = strawberry.field(description="When it was saved last.")

    @classmethod
    def of(cls, record: TemplateRecord) -> "ExportTemplate":
        """The template as the API shows it."""
        return cls(
            id=strawberry.ID(_shown(record)),
            name=record.name,
            builtin=record.builtin,
            columns=[ExportColumn.of(column) for column in record.columns],
            spec=None if record.spec is None else JSON(record.spec),
            updated_at=record.updated_at,
        )


def _shown(record: TemplateRecord) -> str:
    if record.builtin is not None:
        return builtin_id(record.builtin)
    return format_id(IdKind.TEMPLATE, record.id) if record.id else ""


@strawberry.type(description="What an export would give.")
class ExportPreview(Mirror[job_details.ExportPreview]):
    columns: list[ExportColumn] = strawberry.field(description="The columns in their order.")
    rows: list[list[str | None]] = strawberry.field(description="The first rows as the file would have them.")
    row_count: Count = strawberry.field(description="How many rows it would have.")
    estimated_bytes: BigInt = strawberry.field(description="About how large it would be, before compression.")
    estimated_seconds: float = strawberry.field(description="About how long it would take.")
    masked_fields: list[LeadFieldKey] = strawberry.field(description="Columns whose values it would mask.")
    file_name: str = strawberry.field(description="The name it would have.")
    warnings: list[str] = strawberry.field(description="What to know before, for people.")


def _details(context: Context, job: JobRecord) -> job_details.ExportDetails:
    return context.exports.details(job)


@strawberry.type(description="An export of leads, or of the activity log.")
class ExportJob(Job):
    format: ExportFormat = detail("format", "The format of the file.", of=_details)
    compression: Compression = detail("compression", "How the file is packed.", of=_details)
    columns: list[ExportColumn] = detail("columns", "The columns in their order.", of=_details)
    row_count: int | None = detail("row_count", "Rows written; null until completed.", of=_details)
    spec: JSON = detail("spec", "The same shape as ExportSpecInput: it can be sent back.", of=_details)
    filter_description: str = detail(
        "filter_description", "The filter as one line a person can read; also in the file's manifest.", of=_details
    )
    snapshot_at: datetime | None = detail(
        "snapshot_at", "All rows are one database snapshot taken at this moment.", of=_details
    )
    delta_token: str | None = detail(
        "delta_token",
        "Pass as `since` to a later export to get only what changed, deleted leads included.",
        of=_details,
    )
    unmasked: bool = detail("unmasked", "Whether it was asked for with `unmask: true`.", of=_details)
    masked_fields: list[LeadFieldKey] = detail("masked_fields", "Columns whose values the file masks.", of=_details)
    sample: bool = detail("sample", "Whether the rows are invented.", of=_details)

    @classmethod
    def of(cls, record: JobRecord) -> "ExportJob":
        """The job as the API shows it."""
        return cls(**shared_fields(record))

    @strawberry.field(description="The one file (or the archive of parts); null until completed.")
    async def file(self, info: Info) -> JobFile | None:
        wanted = info.context.exports.details(self.record).file_id
        if wanted is None:
            return None
        files = await info.context.jobs.files(self.record)
        return next((JobFile.of(file) for file in files if file.id == wanted), None)

    @strawberry.field(description="The schedule that started it.")
    async def schedule(self, info: Info) -> "ExportSchedule | None":
        if self.record.schedule_id is None:
            return None
        record = await info.context.exports.schedule(self.record.schedule_id)
        return ExportSchedule.of(record) if record else None

    @strawberry.field(description="Who is told of the file.")
    async def deliveries(self, info: Info) -> list[Delivery]:
        return [Delivery.of(record) for record in await info.context.exports.deliveries(self.record)]


@strawberry.type(description="An export that runs by itself.")
class ExportSchedule(Node):
    record: strawberry.Private[ScheduleRecord]
    name: str = strawberry.field(description="Its name for people.")
    cron: str = strawberry.field(description="Five fields: minute, hour, day of month, month, day of week.")
    time_zone: str = strawberry.field(description="IANA name of the zone that `cron` is in.")
    enabled: bool = strawberry.field(description="False: it does not run by itself.")
    spec: JSON = strawberry.field(description="The same shape as ExportSpecInput.")
    incremental: bool = strawberry.field(description="Each run gives only what changed since the one before.")
    skip_when_empty: bool = strawberry.field(description="No file and no delivery where there are no rows.")
    deliver: JSON = strawberry.field(description="A list of the shape of DeliveryInput.")
    next_run_at: datetime | None = strawberry.field(description="When it runs next; null where it is not enabled.")
    consecutive_failures: int = strawberry.field(description="Runs that failed since the last that did not.")

    @classmethod
    def of(cls, record: ScheduleRecord) -> "ExportSchedule":
        """The schedule as the API shows it."""
        return cls(
            record=record,
            id=strawberry.ID(format_id(IdKind.SCHEDULE, record.id)),
            name=record.name,
            cron=record.cron,
            time_zone=record.time_zone,
            enabled=record.enabled,
            spec=JSON(record.spec),
            incremental=record.incremental,
            skip_when_empty=record.skip_when_empty,
            deliver=JSON(record.deliver),
            next_run_at=record.next_run_at,
            consecutive_failures=record.consecutive_failures,
        )

    @strawberry.field(description="Who saved it; its exports see what this person may see.")
    async def created_by(self, info: Info) -> Actor:
        return await actor_of(self.record.actor, info.context.people)

    @strawberry.field(description="Its newest run.")
    async def last_job(self, info: Info) -> ExportJob | None:
        if self.record.last_job_id is None:
            return None
        record = await info.context.jobs.job(self.record.last_job_id)
        return ExportJob.of(record) if record else None

    @strawberry.field(description="Its runs, newest first.")
    async def jobs(self, info: Info, first: First = 20, after: After = strawberry.UNSET) -> JobConnection:
        page = await info.context.exports.scheduled_jobs(self.record, first_page(info.context, first, after))
        return counted(page, ExportJob.of)
