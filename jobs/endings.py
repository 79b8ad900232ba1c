"""How a run can end, and what each end writes."""

import asyncio
import logging
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from db.activity import Act, Doer, record
from db.connections import Connection
from db.job_claims import RunEnd, end_run
from db.queue import admit
from db.schedules import note_outcome
from db.transient import TRANSIENT
from db.webhooks import plan_events
from domain.errors import JobCancelled, JobFailed, JobFenced
from domain.job_rules import RULES, ended_action, events_of
from domain.jobs import TERMINAL, JobFailure
from domain.observing import Facts
from domain.vocabulary import JobFailureCode, JobState
from jobs.import_notices import tell_failed
from jobs.running import JobEnd, JobReleased, RunningJob
from storage.store import StorageUnavailable

MAX_ATTEMPTS: Final = 5
"""Runs without an end: those whose worker died, and those whose error may pass."""
_LONGEST_DELAY: Final = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failed:
    """The run ends the job as FAILED."""

    code: JobFailureCode
    message: str
    retryable: bool
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Again:
    """The job is queued again with this many attempts behind it."""

    attempts: int
    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Dropped:
    """Another worker has the job: nothing is written."""


Ending = JobEnd | Failed | Again | Dropped


def cancelled() -> JobEnd:
    """The end of a job that somebody cancelled; what was saved stays."""
    return JobEnd(state=JobState.CANCELLED)


def died(times: int) -> Failed:
    """The end of a job that takes its workers with it."""
    return Failed(JobFailureCode.INTERNAL, f"The worker died {times} times.", True, _correlation())


def ending_of(error: BaseException, job: RunningJob, attempts: int) -> Ending:
    """What follows from what the handler raised; a repeated attempt waits longer each time."""
    match error:
        case JobCancelled():
            return cancelled()
        case JobFenced():
            return Dropped()
        case JobReleased():
            return Again(attempts - 1)
        case asyncio.CancelledError():
            return _interrupted(job, attempts)
        case JobFailed():
            failed = Failed(error.code, error.message, error.retryable, _correlation())
        case _ if isinstance(error, TRANSIENT):
            failed = _unavailable(error, JobFailureCode.DATABASE_UNAVAILABLE, "The database did not answer.")
        case StorageUnavailable():
            failed = _unavailable(error, JobFailureCode.STORAGE_UNAVAILABLE, "The file store did not answer.")
        case _:
            return unexpected(error, job)
    facts = _facts(job, failed.correlation_id)
    _log.warning("job %s: %s (%s)", job.id, failed.code, failed.correlation_id, extra=facts)
    return Again(attempts, _delay(attempts)) if failed.retryable and attempts < MAX_ATTEMPTS else failed


def unexpected(error: BaseException, job: RunningJob) -> Failed:
    """The end after an error that nobody foresaw: the log has it under the id, the caller sees only the id."""
    correlation_id = _correlation()
    facts = _facts(job, correlation_id)
    _log.error("job %s failed (%s)", job.id, correlation_id, exc_info=error, extra=facts)
    message = "Something went wrong that is not in your data. The log of the server knows it by this id."
    return Failed(JobFailureCode.INTERNAL, message, True, correlation_id)


async def write_end(connection: Connection, job: RunningJob, ending: JobEnd | Failed, limit: int) -> None:
    """Write an end with all that belongs to it, and admit the organization's next jobs; nothing where it is fenced."""
    end = _run_end(job, ending)
    if not await end_run(connection, job.id, job.epoch, end):
        return
    if isinstance(ending, JobEnd) and ending.also is not None:
        await ending.also(connection)
    if isinstance(ending, Failed):
        await tell_failed(connection, job, ending.message)
    events = events_of(job.record.kind, end.state, has_file=bool(end.files))
    if events:
        await plan_events(connection, job.id, events, datetime.now(UTC))
    if end.state in TERMINAL:
        await record(connection, Doer(job.record.actor, job.actor.address), _act(job, ending, end))
        if job.record.schedule_id is not None and end.state is not JobState.CANCELLED:
            await note_outcome(connection, job.record.schedule_id, failed=end.state is JobState.FAILED)
    await admit(connection, limit)


def facts_of(ending: Ending) -> Facts:
    """What may be told of an end in a trace; the correlation id is the one of the log and of the job's failure."""
    match ending:
        case JobEnd():
            return {"leadport.job.state": ending.state}
        case Failed():
            return {
                "leadport.job.state": JobState.FAILED,
                "leadport.correlation_id": ending.correlation_id,
                "failed": ending.code,
            }
        case Again():
            return {"leadport.job.state": JobState.QUEUED}
        case Dropped():
            return {"leadport.job.state": "taken over"}


def _facts(job: RunningJob, correlation_id: str) -> dict[str, str]:
    """What a line of the log is found by."""
    return {"correlation_id": correlation_id, "job_id": str(job.id), "kind": job.record.kind}


def _run_end(job: RunningJob, ending: JobEnd | Failed) -> RunEnd:
    if isinstance(ending, Failed):
        failure = JobFailure(ending.code, ending.message, ending.retryable, ending.correlation_id)
        return RunEnd(state=JobState.FAILED, reported=job.reported, failure=failure)
    return RunEnd(
        state=ending.state,
        reported=job.reported,
        result=ending.result,
        files=ending.files,
        row_count=ending.row_count,
        byte_count=ending.byte_count,
        expires_at=ending.expires_at,
    )


def _act(job: RunningJob, ending: JobEnd | Failed, end: RunEnd) -> Act:
    action = ended_action(job.record.kind, end.state)
    if isinstance(ending, Failed):
        details = {"code": ending.code, "correlationId": ending.correlation_id}
        return Act(action=action, summary=f"{job.record.name}: {ending.message}", job_id=job.id, details=details)
    word = end.state.lower().replace("_", " ")
    return Act(
        action=action,
        summary=ending.summary or f"{RULES[job.record.kind].noun} {job.record.name}: {word}",
        job_id=job.id,
        lead_count=ending.lead_count,
        details=ending.details,
    )


def _interrupted(job: RunningJob, attempts: int) -> Ending:
    if job.fenced:
        return Dropped()
    return cancelled() if job.cancelled else Again(attempts - 1)


def _unavailable(error: BaseException, code: JobFailureCode, message: str) -> Failed:
    failed = Failed(code, message, True, _correlation())
    facts = {"correlation_id": failed.correlation_id}
    _log.warning("%s (%s)", message, failed.correlation_id, exc_info=error, extra=facts)
    return failed


def _delay(attempts: int) -> float:
    return min(_LONGEST_DELAY, 4.0 ** (attempts - 1)) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads the load


def _correlation() -> str:
    return uuid4().hex[:16]
