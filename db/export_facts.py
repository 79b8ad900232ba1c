"""What the organization's rows add to an export as it is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from db.connections import Connection
from domain.exports import ExportSpec
from domain.stored import decode

__all__ = ["Cluster", "custom_labels", "missing_leads", "snapshot_mark", "template_spec"]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Which database cluster this is, and the oldest transaction that was still running: what a delta begins with."""

    identity: int
    xmin: str


async def custom_labels(connection: Connection) -> dict[str, str]:
    """The labels of the organization's custom fields by their keys."""
    return {
        row["key"]: row["label"] for row in await connection.fetch("select key, label from custom_fields order by key")
    }


async def template_spec(connection: Connection, template_id: UUID) -> ExportSpec | None:
    """The spec of a saved template."""
    document = await connection.fetchval("select spec from export_templates where id = $1", template_id)
    return None if document is None else decode(ExportSpec, document)


async def missing_leads(connection: Connection, ids: Sequence[UUID]) -> list[UUID]:
    """Those of the ids that name no lead, in their order."""
    sql = """
    select given.id from unnest($1::uuid[]) with ordinality as given(id, place)
    where not exists (select from leads where leads.id = given.id) order by given.place
    """
    return [row["id"] for row in await connection.fetch(sql, list(ids))]


async def snapshot_mark(connection: Connection) -> Cluster:
    """Where a later delta begins if it is to miss nothing that this transaction does not see."""
    row = await connection.fetchrow(
        "select (pg_control_system()).system_identifier as identity,"
        " pg_snapshot_xmin(pg_current_snapshot())::text as xmin"
    )
    if row is None:
        raise LookupError("PostgreSQL did not identify itself")
    return Cluster(row["identity"], row["xmin"])
