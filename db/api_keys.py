"""API keys: looked up by the public part of the key, in whatever organization they are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.connections import Connection, Row
from db.pool import Database
from db.system import SystemDatabase
from domain.records import ApiKeyRecord
from domain.vocabulary import Permission

__all__ = ["StoredApiKey", "find_api_keys", "insert_api_key", "list_api_keys", "load_api_keys", "mark_used", "revoke"]

COLUMNS: Final = "id, name, prefix, permissions, created_at, expires_at, last_used_at, revoked_at"
ACTIVE: Final = "revoked_at is null and (expires_at is null or expires_at > now())"
"""The condition on a key that still opens something."""
_MARK: Final = """
update store.api_keys set last_used_at = now() where organization_id = $1 and id = $2
and (last_used_at is null or last_used_at < now() - interval '1 minute')
"""


@dataclass(frozen=True, slots=True)
class StoredApiKey:
    """A key with what verifies it: `secret_hash` as written by `insert_api_key`."""

    organization_id: UUID
    record: ApiKeyRecord
    secret_hash: str


async def find_api_keys(system: SystemDatabase, prefix: str) -> Sequence[StoredApiKey]:
    """Every key of this prefix, expired and revoked ones too: whoever asks compares the hash and the dates."""
    rows = await system.fetch(
        f"select {COLUMNS}, organization_id, secret_hash from store.api_keys where prefix = $1", prefix
    )
    return [StoredApiKey(row["organization_id"], _key_of(row), row["secret_hash"]) for row in rows]


async def mark_used(system: SystemDatabase, key: StoredApiKey) -> None:
    """Remember the use, at most once a minute."""
    await system.execute(_MARK, key.organization_id, key.record.id)


async def list_api_keys(database: Database, organization_id: UUID) -> Sequence[ApiKeyRecord]:
    """The organization's keys, newest first, revoked ones too."""
    rows = await database.read(organization_id, f"select {COLUMNS} from api_keys order by created_at desc, id desc")
    return [_key_of(row) for row in rows]


async def load_api_keys(database: Database, organization_id: UUID, ids: Collection[UUID]) -> dict[UUID, ApiKeyRecord]:
    """The keys of these ids that the organization has."""
    rows = await database.read(organization_id, f"select {COLUMNS} from api_keys where id = any($2)", list(ids))
    return {row["id"]: _key_of(row) for row in rows}


async def insert_api_key(connection: Connection, record: ApiKeyRecord, secret_hash: str) -> None:
    """A new key."""
    await connection.execute(
        "insert into api_keys (id, name, prefix, secret_hash, permissions, created_at, expires_at)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        record.id,
        record.name,
        record.prefix,
        secret_hash,
        list(record.permissions),
        record.created_at,
        record.expires_at,
    )


async def revoke(connection: Connection, key_id: UUID) -> ApiKeyRecord | None:
    """The key, revoked now or earlier; None where the organization has none of this id."""
    row = await connection.fetchrow(
        f"update api_keys set revoked_at = coalesce(revoked_at, now()) where id = $1 returning {COLUMNS}", key_id
    )
    return _key_of(row) if row else None


def _key_of(row: Row) -> ApiKeyRecord:
    return ApiKeyRecord(
        id=row["id"],
        name=row["name"],
        prefix=row["prefix"],
        permissions=tuple(Permission(name) for name in row["permissions"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
    )
