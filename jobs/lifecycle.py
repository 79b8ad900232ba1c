"""What callers do to jobs: submit, cancel, retry, queue again, delete the files.

Each is one transaction that holds the row, its token in the queue, the admission of whatever may start now, and the
activity entry. A function that takes a connection works in its caller's transaction.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

from db.activity import Act, Doer, doer_of, record
from db.connections import Connection
from db.import_requests import imports_being_undone
from db.job_claims import insert_files
from db.job_files import delete_file_rows, files_of
from db.job_states import mark_cancelled, mark_cancelling, mark_queued
from db.jobs import StoredJob, insert_job, load_job, load_job_by_key, lock_job
from db.queue import admit, withdraw
from db.webhooks import plan_events
from domain.actors import Actor
from domain.checks import idempotency_key_problems, require
from domain.errors import Problem, Rejected, StateProblem, not_found
from domain.ids import IdKind, format_id, new_id
from domain.job_requests import NewJob
from domain.job_rules import CANCELLABLE, RULES, events_of, is_retryable, is_revertible, kept, undone_import
from domain.jobs import WAITING, JobRecord
from domain.json import JsonObject
from domain.vocabulary import ActivityAction, JobState, UserErrorCode
from jobs.idempotency import input_hash, key_reused
from jobs.runtime import Runtime


async def submit(runtime: Runtime, actor: Actor, job: NewJob, connection: Connection | None = None) -> JobRecord:
    """Queue a job. With an idempotency key that was used before for the same input: the earlier job.

    Raises Rejected with IDEMPOTENCY_MISMATCH where the key was used for another input.
    """
    async with _unit(runtime, actor, connection) as unit:
        require(idempotency_key_problems(job.idempotency_key))
        job_id, digest = new_id(), job.input_hash or _hash(job)
        if not await insert_job(unit, job_id, actor, job, digest):
            return await _earlier(unit, job, digest)
        await insert_files(unit, job_id, job.files)
        if (action := RULES[job.kind].started) is not None:
            act = Act(action=action, summary=job.summary, job_id=job_id, details=job.details)
            await record(unit, doer_of(actor), act)
        await admit(unit, runtime.limits.max_concurrent_jobs)
        return (await _get(unit, job_id)).record


async def requeue(
    runtime: Runtime, job_id: UUID, connection: Connection, *, spec: JsonObject | None = None
) -> JobRecord:
    """Run a job that awaits mapping or review again, in the transaction that recorded the answer.

    `spec` None: as before. Raises Rejected: WRONG_STATE, NOT_FOUND.
    """
    stored = await _locked(connection, job_id)
    _require(stored.record, stored.record.state in WAITING)
    await mark_queued(connection, job_id, spec=spec)
    await admit(connection, runtime.limits.max_concurrent_jobs)
    return (await _get(connection, job_id)).record


async def cancel(runtime: Runtime, actor: Actor, job_id: UUID) -> JobRecord:
    """A job that waits is CANCELLED at once; one that runs becomes CANCELLING and ends at its next block.

    Cancelling again changes nothing. Raises Rejected (WRONG_STATE where it has ended, NOT_FOUND), Forbidden.
    """
    async with runtime.database.unit(actor.organization_id) as connection:
        stored = await _locked(connection, job_id)
        actor.require(RULES[stored.record.kind].permission)
        if stored.record.state is not JobState.CANCELLING:
            _require(stored.record, stored.record.state in CANCELLABLE)
            await _cancel(runtime, connection, stored, doer_of(actor))
        job = (await _get(connection, job_id)).record
    runtime.feed.hint()
    return job


async def retry(runtime: Runtime, actor: Actor, job_id: UUID) -> JobRecord:
    """Run a FAILED job again; one with checkpoints goes on at its last. Raises Rejected (NOT_RETRYABLE), Forbidden."""
    async with runtime.database.unit(actor.organization_id) as connection:
        stored = await _locked(connection, job_id)
        actor.require(RULES[stored.record.kind].permission)
        _require(stored.record, stored.record.state is JobState.FAILED)
        if not await _may_run_again(connection, stored.record):
            raise Rejected(Problem(UserErrorCode.NOT_RETRYABLE, "Running this job again would fail again.", ("id",)))
        await mark_queued(connection, job_id)
        action = RULES[stored.record.kind].started
        if action is not None:
            await _note(connection, doer_of(actor), stored.record, action, "started again")
        await admit(connection, runtime.limits.max_concurrent_jobs)
        return (await _get(connection, job_id)).record


async def delete_files(runtime: Runtime, actor: Actor, job_id: UUID) -> JobRecord:
    """Delete what the job keeps in the store; its history stays. Raises Rejected (WRONG_STATE while it runs)."""
    async with runtime.database.unit(actor.organization_id) as connection:
        stored = await _locked(connection, job_id)
        actor.require(RULES[stored.record.kind].permission)
        _require(stored.record, stored.record.terminal)
        keys = await delete_file_rows(connection, job_id)
        if keys:
            await _note(connection, doer_of(actor), stored.record, ActivityAction.FILES_DELETED, "files deleted")
        job = (await _get(connection, job_id)).record
    await runtime.store.delete(*keys)
    return job


async def _may_run_again(connection: Connection, job: JobRecord) -> bool:
    files = (await files_of(connection, [job.id]))[job.id]
    if not is_retryable(job, kept(files, datetime.now(UTC))):
        return False
    imported = undone_import(job)
    if imported is not None:
        stored = await lock_job(connection, imported)
        if stored is None or not is_revertible(stored.record):
            return False
    return not await imports_being_undone(connection, [format_id(IdKind.JOB, imported or job.id)])


async def _cancel(runtime: Runtime, connection: Connection, stored: StoredJob, doer: Doer) -> None:
    job = stored.record
    if job.state is JobState.RUNNING:
        await mark_cancelling(connection, job.id)
        return
    await withdraw(connection, stored.engine_id)
    await mark_cancelled(connection, job.id)
    await plan_events(connection, job.id, events_of(job.kind, JobState.CANCELLED, has_file=False), datetime.now(UTC))
    await _note(connection, doer, job, RULES[job.kind].cancelled, "cancelled")
    await admit(connection, runtime.limits.max_concurrent_jobs)


async def _note(connection: Connection, doer: Doer, job: JobRecord, action: ActivityAction, what: str) -> None:
    await record(connection, doer, Act(action=action, summary=f"{job.name}: {what}", job_id=job.id))


async def _earlier(connection: Connection, job: NewJob, digest: str) -> JobRecord:
    earlier = await load_job_by_key(connection, job.idempotency_key or "")
    if earlier is None or earlier.input_hash != digest:
        raise key_reused()
    return earlier.record


async def _locked(connection: Connection, job_id: UUID) -> StoredJob:
    return _found(await lock_job(connection, job_id), job_id)


async def _get(connection: Connection, job_id: UUID) -> StoredJob:
    return _found(await load_job(connection, job_id), job_id)


def _found(stored: StoredJob | None, job_id: UUID) -> StoredJob:
    if stored is None:
        raise not_found("job", format_id(IdKind.JOB, job_id), "id")
    return stored


def _require(job: JobRecord, allowed: bool) -> None:  # noqa: FBT001 - the condition itself
    if not allowed:
        message = f"The job is {job.state}: this is not possible now."
        raise Rejected(StateProblem(UserErrorCode.WRONG_STATE, message, ("id",), job.state))


def _hash(job: NewJob) -> str:
    return input_hash([job.kind, job.name, job.spec])


@asynccontextmanager
async def _unit(runtime: Runtime, actor: Actor, given: Connection | None) -> AsyncGenerator[Connection]:
    if given is not None:
        yield given
        return
    async with runtime.database.unit(actor.organization_id) as connection:
        yield connection
