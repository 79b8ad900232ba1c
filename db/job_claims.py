"""Claim, end and release of a job's run. Whatever is written carries the claim's epoch, or is not written."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from db.connections import Connection, Row
from db.jobs import JOB_COLUMNS, JOB_TABLES, failure_document, job_of
from db.progress import Reported, session_name
from domain.actors import Actor
from domain.job_requests import NewFile
from domain.jobs import CLAIMS_PER_REVISION, JobFailure, JobRecord
from domain.json import JsonObject
from domain.vocabulary import JobState, Permission, Role

__all__ = ["ClaimedJob", "RunEnd", "claim_job", "end_run", "insert_files", "release_run"]


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job with its new epoch, who asked for it, and how many runs it has had without an end, this one included."""

    record: JobRecord
    actor: Actor
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """What the end of a run writes to the job's row; `result` None keeps what was saved."""

    state: JobState
    reported: Reported
    result: JsonObject | None = None
    failure: JobFailure | None = None
    files: tuple[NewFile, ...] = field(default=())
    row_count: int = 0
    byte_count: int = 0
    expires_at: datetime | None = None


_PATIENCE_SECONDS: Final = 10
_STATE: Final = "select state, engine_id from jobs where id = $1"
_LOCK: Final = f"{_STATE} for update"

_END_SESSIONS: Final = """
select pg_terminate_backend(pid) from pg_stat_activity
where application_name = $1 and datname = current_database() and pid <> pg_backend_pid()
"""

_CLAIM: Final = f"""
with job as (
  update jobs set epoch = epoch + 1, attempts = attempts + 1, started_at = coalesce(started_at, now()),
    state = case state when 'QUEUED' then 'RUNNING' else state end
  where id = $1 returning id, epoch
)
update job_progress p set epoch = job.epoch, revision = p.revision + {CLAIMS_PER_REVISION},
  updated_at = clock_timestamp(), rows_per_second = null, eta_seconds = null
from job where p.job_id = job.id
"""

_END: Final = """
with job as (
  update jobs set state = $3, result = coalesce($4, result), failure = $5, row_count = $6, byte_count = $7,
    expires_at = coalesce($8, expires_at), admitted_at = null, engine_id = null, cancel_requested = false, attempts = 0,
    finished_at = case when $3 in ('AWAITING_MAPPING', 'AWAITING_REVIEW') then null else clock_timestamp() end
  where id = $1 and epoch = $2 and state in ('RUNNING', 'CANCELLING') returning id
)
update job_progress p set epoch = 0, phase = $9, processed = $10, total = $11, rows_per_second = $12,
  eta_seconds = null, revision = p.revision + 1, updated_at = clock_timestamp()
from job where p.job_id = job.id
returning p.revision
"""

_RELEASE: Final = """
with job as (
  update jobs set state = 'QUEUED', attempts = $3,
    engine_id = queue.defer_job(organization_id, id, large, priority, $4)
  where id = $1 and epoch = $2 and state = 'RUNNING' returning id
)
update job_progress p set epoch = 0, revision = p.revision + 1, updated_at = clock_timestamp(), eta_seconds = null
from job where p.job_id = job.id
returning p.revision
"""

_FILE: Final = """
insert into job_files (id, job_id, role, name, key, content_type, bytes, rows, sha256, sensitive, uploader_id,
                       expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""


async def claim_job(connection: Connection, job_id: UUID, engine_id: int) -> ClaimedJob | None:
    """Take the job under a new epoch; None where the token is stale or the job has ended.

    Where the row is held, it ends the sessions that still write for an earlier claim (their worker is stopped or cut
    off), so that this claim sees everything that was ever committed under earlier ones.
    """
    if not _fits(await connection.fetchrow(_STATE, job_id), engine_id):
        return None  # asked before the lock: a stale token must not end the sessions of a healthy run
    row = await connection.fetchrow(f"{_LOCK} skip locked", job_id)
    if row is None:
        await connection.execute(f"set local lock_timeout = '{_PATIENCE_SECONDS}s'")
        await connection.fetch(_END_SESSIONS, session_name(job_id))
        row = await connection.fetchrow(_LOCK, job_id)
    if not _fits(row, engine_id):
        return None
    await connection.execute(_CLAIM, job_id)
    sql = (
        "select j.attempts, j.actor_role, j.actor_permissions, j.actor_address, "
        f"{JOB_COLUMNS} from {JOB_TABLES} where j.id = $1"
    )
    claimed = await connection.fetchrow(sql, job_id)
    return None if claimed is None else _claimed(claimed)


async def end_run(connection: Connection, job_id: UUID, epoch: int, end: RunEnd) -> bool:
    """Write the end of a run with its files; False, and nothing written, where the claim is no longer the job's."""
    revision = await connection.fetchval(
        _END,
        job_id,
        epoch,
        end.state,
        end.result,
        None if end.failure is None else failure_document(end.failure),
        end.row_count,
        end.byte_count,
        end.expires_at,
        end.reported.phase,
        end.reported.processed,
        end.reported.total,
        end.reported.rows_per_second,
    )
    if revision is None:
        return False
    await insert_files(connection, job_id, end.files)
    return True


async def release_run(connection: Connection, job_id: UUID, epoch: int, attempts: int, delay_seconds: float) -> bool:
    """Queue the job again after a delay, with this many attempts behind it. False where the claim is lost.

    A job that is to be cancelled is not queued again: False as well.
    """
    revision = await connection.fetchval(_RELEASE, job_id, epoch, attempts, delay_seconds)
    return revision is not None


async def insert_files(connection: Connection, job_id: UUID, files: tuple[NewFile, ...]) -> None:
    """Make whole objects of the store files of the job."""
    for file in files:
        await connection.execute(
            _FILE,
            file.id,
            job_id,
            file.role,
            file.name,
            file.key,
            file.content_type,
            file.bytes,
            file.rows,
            file.sha256,
            file.sensitive,
            file.uploader_id,
            file.expires_at,
        )


_CLAIMABLE: Final = frozenset({JobState.QUEUED, JobState.RUNNING, JobState.CANCELLING})


def _fits(row: Row | None, engine_id: int) -> bool:
    """Whether the token is the job's own, and the job still to be run."""
    return row is not None and row["engine_id"] == engine_id and row["state"] in _CLAIMABLE


def _claimed(row: Row) -> ClaimedJob:
    record = job_of(row)
    actor = Actor(
        record.actor.kind,
        record.organization_id,
        record.actor.id,
        record.actor.name,
        None if row["actor_role"] is None else Role(row["actor_role"]),
        frozenset(Permission(name) for name in row["actor_permissions"]),
        row["actor_address"],
    )
    return ClaimedJob(record, actor, row["attempts"])
