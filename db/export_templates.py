"""Saved export templates."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.connections import Connection, Row
from domain.exports import ExportSpec
from domain.stored import decode, encode

__all__ = ["SavedTemplate", "delete_template", "list_templates", "name_is_taken", "write_template"]


@dataclass(frozen=True, slots=True)
class SavedTemplate:
    """A template as it was saved."""

    id: UUID
    name: str
    spec: ExportSpec
    updated_at: datetime


async def list_templates(connection: Connection) -> list[SavedTemplate]:
    """Every template, by name."""
    rows = await connection.fetch("select id, name, spec, updated_at from export_templates order by name, id")
    return [_template(row) for row in rows]


async def name_is_taken(connection: Connection, name: str, by_other_than: UUID | None) -> bool:
    """Whether another template has this name."""
    sql = "select exists (select from export_templates where name = $1 and id is distinct from $2)"
    return await connection.fetchval(sql, name, by_other_than)


async def write_template(connection: Connection, template_id: UUID, name: str, spec: ExportSpec) -> SavedTemplate:
    """Create the template, or replace the one of this id. Raises asyncpg.UniqueViolationError for a taken name."""
    sql = """
    insert into export_templates (id, name, spec) values ($1, $2, $3)
    on conflict (organization_id, id) do update set name = excluded.name, spec = excluded.spec, updated_at = now()
    returning id, name, spec, updated_at
    """
    row = await connection.fetchrow(sql, template_id, name, encode(spec))
    if row is None:
        raise LookupError(template_id)
    return _template(row)


async def delete_template(connection: Connection, template_id: UUID) -> str | None:
    """The name of the template that was deleted, None where there is none."""
    return await connection.fetchval("delete from export_templates where id = $1 returning name", template_id)


def _template(row: Row) -> SavedTemplate:
    return SavedTemplate(row["id"], row["name"], decode(ExportSpec, row["spec"]), row["updated_at"])
