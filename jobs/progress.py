"""Follow jobs from any process: a snapshot first, then the newest value as it changes, until a terminal state."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from db.job_lists import jobs_underway
from db.jobs import load_job
from domain.actors import Actor
from domain.errors import not_found
from domain.ids import IdKind, format_id
from domain.jobs import WAITING, JobRecord
from domain.vocabulary import JobEventType, JobState
from jobs.feed import Follower
from jobs.runtime import Runtime


@dataclass(frozen=True, slots=True)
class JobEvent:
    """A job as it is at that moment; its revision only grows."""

    type: JobEventType
    job: JobRecord
    at: datetime


async def follow(runtime: Runtime, actor: Actor, job_id: UUID) -> AsyncGenerator[JobEvent]:
    """SNAPSHOT, then PROGRESS and STATE events; ends after a terminal state. Raises Rejected where there is no job."""
    job = await _load(runtime, actor, job_id)
    yield _event(JobEventType.SNAPSHOT, job)
    if job.terminal:
        return
    state = job.state
    async with runtime.feed.following(Follower([job])) as follower:
        async for news in follower:
            yield _event(_type(state, news), news)
            if news.terminal:
                return
            state = news.state


async def follow_all(
    runtime: Runtime, actor: Actor, wanted: Callable[[JobRecord], bool] = lambda _: True
) -> AsyncGenerator[JobEvent]:
    """Every change of every job of the organization from now on: a job's first event is a SNAPSHOT. Never ends."""
    async with runtime.database.unit(actor.organization_id) as connection:
        jobs = await jobs_underway(connection)
    states: dict[UUID, JobState] = {}
    async with runtime.feed.following(Follower(jobs, actor.organization_id)) as follower:
        async for job in follower:
            if wanted(job):
                seen = states.get(job.id)
                yield _event(JobEventType.SNAPSHOT if seen is None else _type(seen, job), job)
            _remember(states, job)


async def wait(
    runtime: Runtime, actor: Actor, job_id: UUID, seconds: float, since_revision: int | None = None
) -> JobRecord:
    """Long poll: the job as soon as it is newer than `since_revision`, or as it is when the time is up.

    Without `since_revision`: as soon as its run has ended. Raises Rejected where there is no job.
    """
    job = await _load(runtime, actor, job_id)
    patience = min(seconds, runtime.settings.max_wait_seconds)
    if patience <= 0 or _awaited(job, since_revision):
        return job
    async with runtime.feed.following(Follower([job])) as follower:
        try:
            async with asyncio.timeout(patience):
                async for news in follower:
                    job = news
                    if _awaited(job, since_revision):
                        return job
        except TimeoutError:
            return job
    return job


def _awaited(job: JobRecord, since_revision: int | None) -> bool:
    if since_revision is not None:
        return job.revision > since_revision or job.terminal
    return job.terminal or job.state in WAITING


async def _load(runtime: Runtime, actor: Actor, job_id: UUID) -> JobRecord:
    async with runtime.database.unit(actor.organization_id) as connection:
        stored = await load_job(connection, job_id)
    if stored is None:
        raise not_found("job", format_id(IdKind.JOB, job_id), "id")
    return stored.record


def _type(before: JobState, job: JobRecord) -> JobEventType:
    return JobEventType.PROGRESS if job.state is before else JobEventType.STATE


def _event(kind: JobEventType, job: JobRecord) -> JobEvent:
    return JobEvent(kind, job, datetime.now(UTC))


def _remember(states: dict[UUID, JobState], job: JobRecord) -> None:
    """What has ended sends nothing more, so a long subscription must not keep it."""
    if job.terminal:
        states.pop(job.id, None)
    else:
        states[job.id] = job.state
