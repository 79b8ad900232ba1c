"""What a link to a file is checked against, and what a download writes."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.api_keys import ACTIVE
from db.connections import Connection
from db.job_files import FILE_COLUMNS, file_of
from domain.actors import ActorKind
from domain.jobs import JobFileRecord
from domain.vocabulary import JobKind

__all__ = ["Linked", "delivery_target", "holder_name", "linked_file"]

_HOLDERS: Final = {
    ActorKind.USER: "select name from users where id = $1 and active",
    ActorKind.API_KEY: f"select name from api_keys where id = $1 and {ACTIVE}",
}


@dataclass(frozen=True, slots=True)
class Linked:
    """A file with its job's kind and name; `available`: neither deleted nor past its date."""

    file: JobFileRecord
    kind: JobKind
    job_name: str
    available: bool


async def linked_file(connection: Connection, file_id: UUID) -> Linked | None:
    """The file of the organization with this id."""
    sql = f"""
    select {FILE_COLUMNS}, deleted_at is null and expires_at > now() as available,
      (select kind from jobs where jobs.id = job_files.job_id) as kind,
      (select name from jobs where jobs.id = job_files.job_id) as job_name
    from job_files where id = $1
    """
    row = await connection.fetchrow(sql, file_id)
    return None if row is None else Linked(file_of(row), JobKind(row["kind"]), row["job_name"], row["available"])


async def holder_name(connection: Connection, kind: ActorKind, holder: UUID) -> str | None:
    """The name of the user or key that a link was made for, None where it may not act any more."""
    sql = _HOLDERS.get(kind)
    return None if sql is None else await connection.fetchval(sql, holder)


async def delivery_target(connection: Connection, delivery_id: UUID, file_id: UUID) -> str | None:
    """Whom a delivery of the file went to, None where its link lives no longer."""
    sql = "select target from deliveries where id = $1 and file_id = $2 and link_expires_at > now()"
    return await connection.fetchval(sql, delivery_id, file_id)
