"""Jobs: found, listed, followed, cancelled, run again."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

import strawberry

from db.job_lists import JobList, list_jobs
from domain.actors import Actor
from domain.errors import Rejected, known_id, not_found
from domain.ids import IdKind, parse_id
from domain.job_details import JobFilter as JobFilterSpec
from domain.job_filter import instant_bounds, matches
from domain.job_rules import EVERY_KIND, visible_kinds
from domain.paging import PageArguments
from domain.vocabulary import JobKind
from jobs import lifecycle, progress
from resolvers.access import caller, home
from resolvers.context import Info
from resolvers.errors import answers
from schema.arguments import After, Before, First, Last, WaitSeconds, given, max_page_size
from schema.job_types import job_of
from schema.jobs import Job, JobConnection, JobEvent, JobFilter
from schema.nodes import counted
from schema.payloads import JobPayload

__all__ = ["JobMutations", "JobQueries", "JobSubscriptions"]

JobId = Annotated[strawberry.ID, strawberry.argument(description="`job_…`.")]
Filter = Annotated[JobFilter | None, strawberry.argument(description="Only these jobs; all of them without it.")]
SinceRevision = Annotated[
    int | None,
    strawberry.argument(description="Wait until the job is newer than this; without it, until its run has ended."),
]


@strawberry.type
class JobQueries:
    """The root fields of jobs."""

    @strawberry.field(
        description="One job; null where there is none with this id. sinceRevision + waitSeconds: long poll for "
        "networks that block WebSocket and SSE."
    )
    async def job(
        self, info: Info, id: JobId, since_revision: SinceRevision = strawberry.UNSET, wait_seconds: WaitSeconds = 0
    ) -> Job | None:
        actor, since = caller(info.context), given(since_revision, "sinceRevision")
        found = parse_id(IdKind.JOB, id)
        if found is None:
            return None
        try:
            job = await progress.wait(info.context.runtime, actor, found, wait_seconds, since)
        except Rejected:
            return None
        return job_of(job) if job.kind in visible_kinds(actor) else None

    @strawberry.field(description="Jobs in pages, newest first.")
    async def jobs(  # noqa: PLR0913, PLR0917 - the contract's arguments
        self,
        info: Info,
        filter: Filter = strawberry.UNSET,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
    ) -> JobConnection:
        actor, organization = caller(info.context), home(info.context)
        arguments = PageArguments(
            first=given(first, "first"),
            after=given(after, "after"),
            last=given(last, "last"),
            before=given(before, "before"),
        )
        wanted = JobList(
            organization_id=organization.id,
            now=info.context.now,
            zone=ZoneInfo(organization.settings.time_zone),
            filter=_wanted(actor, filter),
        )
        page = await list_jobs(info.context.runtime.database, wanted, arguments.request(max_page_size(info.context)))
        return counted(page, job_of)


@strawberry.type
class JobMutations:
    """What callers do to jobs."""

    @strawberry.mutation(
        description="A job that waits is CANCELLED at once; one that runs ends at its next block. Cancelling again "
        "changes nothing."
    )
    @answers(JobPayload)
    async def cancel_job(self, info: Info, id: JobId) -> JobPayload:
        actor = caller(info.context)
        return JobPayload(job=job_of(await lifecycle.cancel(info.context.runtime, actor, _id(id))))

    @strawberry.mutation(
        description="Runs a FAILED job again where failure.retryable; an import goes on at its checkpoint."
    )
    @answers(JobPayload)
    async def retry_job(self, info: Info, id: JobId) -> JobPayload:
        actor = caller(info.context)
        return JobPayload(job=job_of(await lifecycle.retry(info.context.runtime, actor, _id(id))))

    @strawberry.mutation(description="Deletes what an ended job keeps; its history stays.")
    @answers(JobPayload)
    async def delete_job_files(self, info: Info, id: JobId) -> JobPayload:
        actor = caller(info.context)
        return JobPayload(job=job_of(await lifecycle.delete_files(info.context.runtime, actor, _id(id))))


@strawberry.type
class JobSubscriptions:
    """Jobs as they change."""

    @strawberry.subscription(
        description="First event is the current snapshot, so a reconnect loses nothing; ends after a terminal state."
    )
    async def job(self, info: Info, id: JobId) -> AsyncGenerator[JobEvent]:
        actor = caller(info.context)
        kinds = visible_kinds(actor)
        async with aclosing(progress.follow(info.context.runtime, actor, _id(id))) as events:
            async for event in events:
                if event.job.kind not in kinds:
                    raise not_found("job", id, "id")
                yield _shown(event)

    @strawberry.subscription(description="Every job of the organization, from now on.")
    async def jobs(self, info: Info, filter: Filter = strawberry.UNSET) -> AsyncGenerator[JobEvent]:
        actor = caller(info.context)
        wanted = _wanted(actor, filter)
        zone = ZoneInfo(home(info.context).settings.time_zone)
        fits = partial(matches, wanted=wanted, bounds=instant_bounds(wanted, info.context.now, zone))
        async with aclosing(progress.follow_all(info.context.runtime, actor, fits)) as events:
            async for event in events:
                yield _shown(event)


def _shown(event: progress.JobEvent) -> JobEvent:
    return JobEvent(type=event.type, job=job_of(event.job), revision=event.job.revision, at=event.at)


def _id(shown: str) -> UUID:
    return known_id(IdKind.JOB, "job", shown, "id")


def _wanted(actor: Actor, filter: JobFilter | None) -> JobFilterSpec:
    """The caller's filter, narrowed to the kinds of jobs that they may see."""
    document = given(filter, "filter")
    wanted = document.to_domain() if document else JobFilterSpec()
    visible = visible_kinds(actor)
    if visible == EVERY_KIND:
        return wanted
    return replace(wanted, kind=tuple(kind for kind in wanted.kind or tuple(JobKind) if kind in visible))
