"""What importLeads and its like look up and write beside the job itself: mappings, earlier imports, undos."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from db.connections import Connection, Row
from domain.jobs import TERMINAL
from domain.json import JsonObject, JsonValue
from domain.records import MappingRecord

__all__ = [
    "delete_mapping",
    "find_mapping",
    "imports_being_undone",
    "list_mappings",
    "newest_revert",
    "same_file",
    "save_mapping",
    "use_mapping",
    "user_exists",
    "write_result",
]

_MAPPING: Final = "id, name, columns, options, used_count, updated_at"
_SAVE: Final = """
insert into import_mappings (id, name, columns, options) values ($1, $2, $3, $4)
on conflict (organization_id, name)
do update set columns = excluded.columns, options = excluded.options, updated_at = now()
"""
_SAME_FILE: Final = """
select id from jobs
where file_sha256 = $1 and kind = 'IMPORT' and result ->> 'revertJobId' is null
  and (state in ('QUEUED', 'RUNNING', 'CANCELLING') and spec ->> 'mode' = 'COMMIT'
       or (result -> 'counts' ->> 'created')::int > 0 or (result -> 'counts' ->> 'updated')::int > 0)
order by created_at desc limit 1
"""
_REVERT: Final = """
select id from jobs
where kind = 'REVERT' and spec ->> 'importJobId' = $1 and not coalesce((spec ->> 'dryRun')::bool, false)
order by created_at desc limit 1
"""
_UNDOING: Final = """
select spec ->> 'importJobId' as import_id from jobs
where kind = 'REVERT' and not coalesce((spec ->> 'dryRun')::bool, false) and spec ->> 'importJobId' = any($1)
  and state <> all($2)
"""


async def list_mappings(connection: Connection) -> Sequence[MappingRecord]:
    """Every saved mapping, by name."""
    rows = await connection.fetch(f"select {_MAPPING} from import_mappings order by lower(name), id")
    return [_mapping(row) for row in rows]


async def find_mapping(connection: Connection, mapping_id: UUID) -> MappingRecord | None:
    """A saved mapping."""
    row = await connection.fetchrow(f"select {_MAPPING} from import_mappings where id = $1", mapping_id)
    return None if row is None else _mapping(row)


async def save_mapping(
    connection: Connection, mapping_id: UUID, name: str, columns: JsonValue, options: JsonObject
) -> None:
    """Keep a mapping under a name, in place of one of the same name."""
    await connection.execute(_SAVE, mapping_id, name, columns, options)


async def use_mapping(connection: Connection, mapping_id: UUID) -> None:
    """One use more."""
    await connection.execute("update import_mappings set used_count = used_count + 1 where id = $1", mapping_id)


async def delete_mapping(connection: Connection, mapping_id: UUID) -> bool:
    """Whether there was one to delete."""
    return await connection.execute("delete from import_mappings where id = $1", mapping_id) == "DELETE 1"


async def same_file(connection: Connection, sha256: str) -> UUID | None:
    """The newest import of the same bytes that has changed leads, or may be about to, and was not undone."""
    row = await connection.fetchrow(_SAME_FILE, sha256)
    return None if row is None else row["id"]


async def newest_revert(connection: Connection, import_id: str) -> UUID | None:
    """The newest undo of an import (a shown id), dry runs aside."""
    return await connection.fetchval(_REVERT, import_id)


async def imports_being_undone(connection: Connection, imports: Sequence[str]) -> set[str]:
    """Those of the imports (shown ids) that a job is taking back now, or is about to."""
    return {row["import_id"] for row in await connection.fetch(_UNDOING, list(imports), sorted(TERMINAL))}


async def user_exists(connection: Connection, user_id: UUID) -> bool:
    """Whether the organization has this user, active."""
    return bool(await connection.fetchval("select exists (select from users where id = $1 and active)", user_id))


async def write_result(connection: Connection, job_id: UUID, result: JsonObject) -> None:
    """Replace the result of a job that nobody runs."""
    await connection.execute("update jobs set result = $2 where id = $1", job_id, result)


def _mapping(row: Row) -> MappingRecord:
    return MappingRecord(
        id=row["id"],
        name=row["name"],
        columns=row["columns"],
        options=row["options"],
        used_count=row["used_count"],
        updated_at=row["updated_at"],
    )
