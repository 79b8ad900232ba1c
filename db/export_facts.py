"""What the organization's rows add to an export as it is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.connections import Connection, Row
from db.organizations import COLUMNS, organization_of
from domain.exports import ExportSpec
from domain.records import OrganizationRecord
from domain.stored import decode

__all__ = [
    "Cluster",
    "missing_leads",
    "organization_and_custom_fields",
    "organization_record",
    "snapshot_mark",
    "template_spec",
]

_ORGANIZATION: Final = f"select {COLUMNS} from organizations"
_WITH_CUSTOM_FIELDS: Final = f"""
select {COLUMNS}, (select json_object_agg(key, label order by key) from custom_fields) as custom from organizations
"""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Which database cluster this is, and the oldest transaction that was still running: what a delta begins with."""

    identity: int
    xmin: str


async def organization_record(connection: Connection) -> OrganizationRecord:
    """The organization of the transaction."""
    return organization_of(await _organization(connection, _ORGANIZATION))


async def organization_and_custom_fields(connection: Connection) -> tuple[OrganizationRecord, dict[str, str]]:
    """The organization of the transaction, and its custom fields' labels by key."""
    row = await _organization(connection, _WITH_CUSTOM_FIELDS)
    return organization_of(row), row["custom"] or {}


async def _organization(connection: Connection, sql: str) -> Row:
    row = await connection.fetchrow(sql)
    if row is None:
        raise LookupError("the transaction has no organization")
    return row


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
