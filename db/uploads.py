"""Files on their way in: rows of `uploads`, and whether an object of the store is still needed by one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from db.connections import Connection, Row
from db.system import SystemDatabase
from domain.records import UploadRecord
from domain.vocabulary import UploadState

__all__ = [
    "NewUpload",
    "StoredUpload",
    "complete_upload",
    "expire_uploads",
    "insert_upload",
    "key_has_owner",
    "load_upload",
]

_COLUMNS: Final = "id, file_name, key, content_type, coalesce(bytes, declared_bytes) as bytes, sha256, expires_at"
_STATE: Final = (
    "case when state = 'COMPLETE' then state when expires_at <= now() then 'EXPIRED' else state end as state"
)
_OWNED: Final = """
select exists (
  select from jobs j join job_files f on f.job_id = j.id
  where j.file_sha256 = $1 and f.key = $2)
"""
_EXPIRE: Final = """
delete from store.uploads u using (
  select organization_id, id from store.uploads where expires_at <= now() order by expires_at limit $1
  for update skip locked
) e
where u.organization_id = e.organization_id and u.id = e.id
returning u.key, exists (
  select from store.jobs j join store.job_files f on f.organization_id = j.organization_id and f.job_id = j.id
  where j.organization_id = u.organization_id and j.file_sha256 = u.sha256 and f.key = u.key) as owned
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUpload:
    """A file that is announced; `declared_bytes` None: its size is not known yet."""

    id: UUID
    file_name: str
    key: str
    content_type: str | None
    declared_bytes: int | None
    actor_id: UUID | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """An upload with the SHA-256 of its bytes once they are there."""

    record: UploadRecord
    sha256: str | None


async def insert_upload(connection: Connection, new: NewUpload) -> UploadRecord:
    """Announce a file."""
    row = await connection.fetchrow(
        "insert into uploads (id, file_name, key, content_type, declared_bytes, state, actor_id, expires_at) "
        f"values ($1, $2, $3, $4, $5, 'OPEN', $6, $7) returning {_COLUMNS}, {_STATE}",
        new.id,
        new.file_name,
        new.key,
        new.content_type,
        new.declared_bytes,
        new.actor_id,
        new.expires_at,
    )
    return _upload(row).record


async def load_upload(connection: Connection, upload_id: UUID) -> StoredUpload | None:
    """The upload, None where this organization has none with that id."""
    row = await connection.fetchrow(f"select {_COLUMNS}, {_STATE} from uploads where id = $1", upload_id)
    return None if row is None else _upload(row)


async def complete_upload(connection: Connection, upload_id: UUID, size: int, sha256: str) -> UploadRecord | None:
    """The bytes are in the store; None where the upload was complete, or has expired, before."""
    row = await connection.fetchrow(
        "update uploads set bytes = $2, sha256 = $3, state = 'COMPLETE' "
        f"where id = $1 and state = 'OPEN' and expires_at > now() returning {_COLUMNS}, {_STATE}",
        upload_id,
        size,
        sha256,
    )
    return None if row is None else _upload(row).record


async def key_has_owner(connection: Connection, key: str, sha256: str) -> bool:
    """Whether a job keeps the object as a file of its own."""
    return bool(await connection.fetchval(_OWNED, sha256, key))


async def expire_uploads(system: SystemDatabase, limit: int) -> list[str]:
    """Forget uploads past their date, at most so many; the keys that nobody else needs, to delete from the store."""
    return [row["key"] for row in await system.fetch(_EXPIRE, limit) if not row["owned"]]


def _upload(row: Row | None) -> StoredUpload:
    if row is None:
        raise LookupError("the upload was not returned")
    record = UploadRecord(
        id=row["id"],
        state=UploadState(row["state"]),
        file_name=row["file_name"],
        key=row["key"],
        content_type=row["content_type"],
        bytes=row["bytes"],
        expires_at=row["expires_at"],
    )
    return StoredUpload(record, row["sha256"])
