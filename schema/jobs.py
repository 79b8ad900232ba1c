"""What all long actions have in common."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import strawberry

from domain.filter_input import read_instant
from domain.ids import IdKind, format_id
from domain.job_details import JobFilter as JobFilterSpec
from domain.jobs import JobFailure as FailureRecord
from domain.jobs import JobRecord, Progress
from domain.stored import decode
from domain.vocabulary import (
    ExportFormat,
    JobAction,
    JobEventType,
    JobFailureCode,
    JobKind,
    JobState,
    JobTrigger,
)
from schema.arguments import constraints, optional
from schema.context import Context, Info
from schema.files import JobFile
from schema.filters import DateTimeFilter
from schema.nodes import CountedConnection, Mirror, Node
from schema.people import Actor, actor_of


@strawberry.type(description="How far a job is.")
class JobProgress(Mirror[Progress]):
    phase: str = strawberry.field(description="What it is doing, e.g. validating.")
    processed: int = strawberry.field(description="Rows or leads done.")
    total: int | None = strawberry.field(description="Rows or leads in all, once known.")
    percent: float | None = strawberry.field(description="0.0 to 100.0; null while the total is not known.")
    rows_per_second: float | None = strawberry.field(description="Its speed of late.")
    eta_seconds: int | None = strawberry.field(description="How long it may still take.")
    updated_at: datetime = strawberry.field(description="When this was true.")


@strawberry.type(description="Why a job failed.")
class JobFailure(Mirror[FailureRecord]):
    code: JobFailureCode = strawberry.field(description="For programs.")
    message: str = strawberry.field(description="For people.")
    retryable: bool = strawberry.field(description="Whether retryJob may help.")
    correlation_id: str = strawberry.field(description="Finds the details in the server's log.")


@strawberry.interface(description="A long action: an import, an export, an undo or a bulk operation.")
class Job(Node):
    record: strawberry.Private[JobRecord]
    kind: JobKind = strawberry.field(description="What it does.")
    state: JobState = strawberry.field(description="Where it stands.")
    name: str = strawberry.field(description="Its name for people.")
    revision: int = strawberry.field(
        description="Grows with every persisted change; a client that reconnects drops what it has already seen."
    )
    progress: JobProgress = strawberry.field(description="How far it is.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When it first began to run.")
    finished_at: datetime | None = strawberry.field(description="When it ended for good.")
    trigger: JobTrigger = strawberry.field(description="What started it.")
    failure: JobFailure | None = strawberry.field(description="Why it failed.")
    expires_at: datetime | None = strawberry.field(description="When its files are deleted by themselves.")

    @strawberry.field(description="Who asked for it.")
    async def created_by(self, info: Info) -> Actor:
        return await actor_of(self.record.actor, info.context.people)

    @strawberry.field(description="What the caller may do now; a UI needs no state table of its own.")
    async def actions(self, info: Info) -> list[JobAction]:
        return list(await info.context.jobs.actions(self.record))

    @strawberry.field(description="Every file of the job, deleted ones too.")
    async def files(self, info: Info) -> list[JobFile]:
        return [JobFile.of(record) for record in await info.context.jobs.files(self.record)]


def shared_fields(record: JobRecord) -> Mapping[str, Any]:
    """What every type of job is made with."""
    progress = record.progress
    if progress.updated_at is None:
        progress = replace(progress, updated_at=record.created_at)
    return {
        "record": record,
        "id": strawberry.ID(format_id(IdKind.JOB, record.id)),
        "kind": record.kind,
        "state": record.state,
        "name": record.name,
        "revision": record.revision,
        "progress": JobProgress.of(progress),
        "created_at": record.created_at,
        "started_at": record.started_at,
        "finished_at": record.finished_at,
        "trigger": record.trigger,
        "failure": JobFailure.of(record.failure) if record.failure else None,
        "expires_at": record.expires_at,
    }


def detail(name: str, description: str, *, of: Callable[[Context, JobRecord], object]) -> Any:  # noqa: ANN401 - a field specifier, like strawberry.field
    """A field of a job read from its kind's details, which are decoded only where such a field is selected."""

    def resolve(root: Job, info: Info):  # noqa: ANN202 - the field's own annotation is its type
        return getattr(of(info.context, root.record), name)

    return strawberry.field(resolver=resolve, description=description)


JobConnection = CountedConnection[Job]


@strawberry.type(description="A change of a job, as subscribers see it.")
class JobEvent:
    type: JobEventType = strawberry.field(description="What kind of change.")
    job: Job = strawberry.field(description="The job as it is now.")
    revision: int = strawberry.field(
        description="The job's revision; what is not greater than one seen can be dropped."
    )
    at: datetime = strawberry.field(description="When it was so.")


@strawberry.input(description="Which jobs; omitted: no constraint.")
class JobFilter:
    kind: list[JobKind] | None = optional("One of these kinds.")
    state: list[JobState] | None = optional("In one of these states.")
    format: list[ExportFormat] | None = optional("Exports in one of these formats.")
    created_by_id: strawberry.ID | None = optional("Asked for by this user or API key.")
    schedule_id: strawberry.ID | None = optional("Started by this schedule.")
    trigger: list[JobTrigger] | None = optional("Started by one of these.")
    created_at: DateTimeFilter | None = optional("When it was asked for.")
    search: str | None = optional("Found anywhere in the name or file name, ignoring case.")

    def to_domain(self) -> JobFilterSpec:
        """The filter. Raises BadInput for a null, an empty list or an operator object without an operator."""
        wanted = decode(JobFilterSpec, constraints(self, ("filter",)))
        if wanted.created_at:
            read_instant(wanted.created_at, ("filter", "createdAt"))
        return wanted
