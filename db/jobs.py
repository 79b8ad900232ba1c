"""Job rows: insert, load, and the change from row to record. The statements run as the server's role, in views."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.connections import Connection, Row
from domain.actors import Actor, ActorKind, ActorRef
from domain.job_requests import NewJob
from domain.jobs import JobFailure, JobRecord, Progress
from domain.json import JsonObject
from domain.vocabulary import JobFailureCode, JobKind, JobState, JobTrigger

__all__ = ["JOB_COLUMNS", "JOB_TABLES", "StoredJob", "insert_job", "job_of", "load_job", "load_job_by_key", "lock_job"]

JOB_COLUMNS: Final = """
j.id, j.organization_id, j.kind, j.state, j.name, j.epoch, j.actor_kind, j.actor_id, j.actor_name, j.trigger,
j.schedule_id, j.spec, j.result, j.failure, j.created_at, j.started_at, j.finished_at, j.expires_at, p.revision,
p.phase, p.processed, p.total, p.rows_per_second, p.eta_seconds, p.updated_at as progress_at"""
JOB_TABLES: Final = "jobs j join job_progress p on p.organization_id = j.organization_id and p.job_id = j.id"

_INSERT: Final = """
insert into jobs (id, kind, state, name, large, priority, actor_kind, actor_id, actor_name, actor_role,
                  actor_permissions, actor_address, trigger, schedule_id, spec, result, idempotency_key, input_hash,
                  file_sha256, expires_at)
values ($1, $2, 'QUEUED', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
on conflict (organization_id, idempotency_key) do nothing
returning id
"""


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job with what its row holds beside the record; `engine_id` is its token in the queue."""

    record: JobRecord
    engine_id: int | None
    input_hash: str | None


def job_of(row: Row) -> JobRecord:
    """The record of a row of JOB_COLUMNS."""
    return JobRecord(
        id=row["id"],
        organization_id=row["organization_id"],
        kind=JobKind(row["kind"]),
        state=JobState(row["state"]),
        name=row["name"],
        revision=row["revision"],
        epoch=row["epoch"],
        actor=ActorRef(ActorKind(row["actor_kind"]), row["actor_id"], row["actor_name"]),
        trigger=JobTrigger(row["trigger"]),
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        expires_at=row["expires_at"],
        failure=failure_of(row["failure"]),
        progress=_progress_of(row),
        spec=row["spec"],
        result=row["result"],
        schedule_id=row["schedule_id"],
    )


def failure_of(document: JsonObject | None) -> JobFailure | None:
    """What `failure_document` wrote."""
    if document is None:
        return None
    return JobFailure(
        JobFailureCode(document["code"]),
        str(document["message"]),
        bool(document["retryable"]),
        str(document["correlationId"]),
    )


def failure_document(failure: JobFailure) -> JsonObject:
    """The JSON of a failure."""
    return {
        "code": failure.code,
        "message": failure.message,
        "retryable": failure.retryable,
        "correlationId": failure.correlation_id,
    }


async def insert_job(connection: Connection, job_id: UUID, actor: Actor, job: NewJob, input_hash: str) -> bool:
    """Insert a queued job with its progress; False where the idempotency key is taken (its holder has committed)."""
    inserted = await connection.fetchval(
        _INSERT,
        job_id,
        job.kind,
        job.name,
        job.large,
        job.priority,
        actor.kind,
        actor.id,
        actor.name,
        actor.role,
        sorted(actor.permissions),
        actor.address,
        job.trigger or _trigger(actor),
        job.schedule_id,
        job.spec,
        job.result,
        job.idempotency_key,
        input_hash,
        job.file_sha256,
        job.expires_at,
    )
    if inserted is None:
        return False
    await connection.execute("insert into job_progress (job_id) values ($1)", job_id)
    return True


async def load_job(connection: Connection, job_id: UUID) -> StoredJob | None:
    """The job, or None where this organization has none with that id."""
    return await _load(connection, "j.id = $1", job_id)


async def lock_job(connection: Connection, job_id: UUID) -> StoredJob | None:
    """The job, its row kept from other changes of state until the transaction's end; running blocks are not held up."""
    return await _load(connection, "j.id = $1 for no key update of j", job_id)


async def load_job_by_key(connection: Connection, key: str) -> StoredJob | None:
    """The job that was submitted with an idempotency key."""
    return await _load(connection, "j.idempotency_key = $1", key)


async def _load(connection: Connection, condition: str, value: object) -> StoredJob | None:
    sql = f"select {JOB_COLUMNS}, j.engine_id, j.input_hash from {JOB_TABLES} where {condition}"
    row = await connection.fetchrow(sql, value)
    return None if row is None else StoredJob(job_of(row), row["engine_id"], row["input_hash"])


def _trigger(actor: Actor) -> JobTrigger:
    match actor.kind:
        case ActorKind.USER:
            return JobTrigger.USER
        case ActorKind.API_KEY:
            return JobTrigger.API
        case ActorKind.SYSTEM:
            return JobTrigger.SCHEDULE


def _progress_of(row: Row) -> Progress:
    return Progress(
        phase=row["phase"],
        processed=row["processed"],
        total=row["total"],
        rows_per_second=row["rows_per_second"],
        eta_seconds=row["eta_seconds"],
        updated_at=row["progress_at"],
    )
