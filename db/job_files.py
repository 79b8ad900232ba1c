"""Files of jobs: rows that name objects of the store, and their retention."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.connections import Connection, Row
from db.system import SystemDatabase
from domain.jobs import JobFileRecord
from domain.vocabulary import JobFileRole, JobKind

__all__ = [
    "FILE_COLUMNS",
    "ExpiredJob",
    "count_download",
    "delete_file_rows",
    "expire_files",
    "expire_waiting_jobs",
    "file_of",
    "files_of",
    "load_file",
    "organizations_with_expired_files",
    "unknown_keys",
]

FILE_COLUMNS: Final = (
    "id, job_id, role, name, key, content_type, bytes, rows, sha256, sensitive, uploader_id, created_at, expires_at, "
    "deleted_at, download_count"
)

_UNDER_WAY: Final = "('QUEUED', 'RUNNING', 'CANCELLING')"
"""What a job in such a state reads stays until it has ended, though its time is over."""

_WITH_EXPIRED: Final = f"""
select distinct f.organization_id from store.job_files f
join store.jobs j on j.organization_id = f.organization_id and j.id = f.job_id and j.state not in {_UNDER_WAY}
where f.deleted_at is null and f.expires_at <= now()
"""

_EXPIRE: Final = f"""
with expired as (
  update job_files f set deleted_at = now() where f.id in (
    select f.id from job_files f join jobs j on j.id = f.job_id and j.state not in {_UNDER_WAY}
    where f.deleted_at is null and f.expires_at <= now()
    order by f.expires_at limit $1 for update of f skip locked)
  returning f.job_id, f.key
), told as (
  update job_progress set revision = revision + 1 where job_id in (select job_id from expired)
)
select j.id, j.kind, j.name, array_agg(e.key) as keys from expired e join jobs j on j.id = e.job_id
group by j.id, j.kind, j.name
"""

_EXPIRE_JOBS: Final = """
with ended as (
  update jobs j set state = 'EXPIRED', finished_at = clock_timestamp()
  where j.state in ('AWAITING_MAPPING', 'AWAITING_REVIEW') and exists (
    select from job_files f where f.job_id = j.id and f.role = 'ORIGINAL' and f.deleted_at is not null)
  returning j.id, j.kind, j.name
)
update job_progress p set revision = revision + 1, updated_at = clock_timestamp() from ended e where p.job_id = e.id
returning e.id, e.kind, e.name
"""

_UNKNOWN: Final = """
select given.key from unnest($1::text[], $2::uuid[], $3::uuid[]) as given(key, organization_id, job_id)
where not exists (
  select from store.job_files f
  where f.organization_id = given.organization_id and f.job_id = given.job_id and f.key = given.key
    and f.deleted_at is null)
and not exists (
  select from store.jobs j
  where j.organization_id = given.organization_id and j.id = given.job_id
    and j.state in ('QUEUED', 'RUNNING', 'CANCELLING', 'AWAITING_MAPPING', 'AWAITING_REVIEW'))
"""


@dataclass(frozen=True, slots=True)
class ExpiredJob:
    """A job whose time is over, with the keys of the files that went with it."""

    id: UUID
    kind: JobKind
    name: str
    keys: Sequence[str] = ()


def file_of(row: Row) -> JobFileRecord:
    """The record of a row of FILE_COLUMNS."""
    return JobFileRecord(
        id=row["id"],
        job_id=row["job_id"],
        role=JobFileRole(row["role"]),
        name=row["name"],
        key=row["key"],
        content_type=row["content_type"],
        bytes=row["bytes"],
        rows=row["rows"],
        sha256=row["sha256"],
        sensitive=row["sensitive"],
        uploader_id=row["uploader_id"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        deleted_at=row["deleted_at"],
        download_count=row["download_count"],
    )


async def files_of(connection: Connection, job_ids: Sequence[UUID]) -> dict[UUID, list[JobFileRecord]]:
    """The files of some jobs, deleted ones too, by job in the order of their making."""
    sql = f"select {FILE_COLUMNS} from job_files where job_id = any($1) order by created_at, id"
    found: dict[UUID, list[JobFileRecord]] = {job_id: [] for job_id in job_ids}
    for row in await connection.fetch(sql, list(job_ids)):
        found[row["job_id"]].append(file_of(row))
    return found


async def load_file(connection: Connection, file_id: UUID) -> JobFileRecord | None:
    """One file of the organization, or None."""
    row = await connection.fetchrow(f"select {FILE_COLUMNS} from job_files where id = $1", file_id)
    return None if row is None else file_of(row)


async def count_download(connection: Connection, file_id: UUID) -> None:
    """One download more."""
    await connection.execute("update job_files set download_count = download_count + 1 where id = $1", file_id)


async def delete_file_rows(connection: Connection, job_id: UUID) -> list[str]:
    """Mark the job's files as deleted; the keys to delete from the store once this is committed."""
    sql = "update job_files set deleted_at = now() where job_id = $1 and deleted_at is null returning key"
    keys = [row["key"] for row in await connection.fetch(sql, job_id)]
    if keys:
        await connection.execute("update job_progress set revision = revision + 1 where job_id = $1", job_id)
    return keys


async def organizations_with_expired_files(system: SystemDatabase) -> list[UUID]:
    """The organizations that keep files past their date."""
    return [row["organization_id"] for row in await system.fetch(_WITH_EXPIRED)]


async def expire_files(connection: Connection, limit: int) -> list[ExpiredJob]:
    """Mark files past their date as deleted, the oldest first; once committed, their keys leave the store."""
    rows = await connection.fetch(_EXPIRE, limit)
    return [ExpiredJob(row["id"], JobKind(row["kind"]), row["name"], row["keys"]) for row in rows]


async def expire_waiting_jobs(connection: Connection) -> list[ExpiredJob]:
    """End the jobs that waited for somebody until their file was deleted."""
    rows = await connection.fetch(_EXPIRE_JOBS)
    return [ExpiredJob(row["id"], JobKind(row["kind"]), row["name"]) for row in rows]


async def unknown_keys(system: SystemDatabase, keys: Sequence[tuple[str, UUID, UUID]]) -> list[str]:
    """Of the keys (with organization and job) in the store, those that neither a file nor an open job needs."""
    names, organizations, jobs = zip(*keys, strict=True)
    return [row["key"] for row in await system.fetch(_UNKNOWN, names, organizations, jobs)]
