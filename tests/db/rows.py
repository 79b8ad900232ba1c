"""Rows for tests about the database itself."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import Column, Table
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from db.pool import Database
from db.tables import metadata, organizations
from domain.ids import new_id
from domain.records import OrganizationRecord

START = datetime(2024, 1, 1, tzinfo=UTC)


def one_row_in_every_table(admin: psycopg.Connection, organization_id: UUID) -> None:
    """Every id of the organization is its own id, so that every reference is right."""
    admin.execute(
        "insert into store.organizations (id, slug, name) values (%s, %s, 'x')", (organization_id, organization_id.hex)
    )
    for table in metadata.sorted_tables:
        if table is not organizations:
            insert(admin, table, organization_id)


def insert(admin: psycopg.Connection, table: Table, organization_id: UUID) -> None:
    columns = [column for column in table.columns if column.server_default is None or column.name == "organization_id"]
    names = ", ".join(f'"{column.name}"' for column in columns)
    marks = ", ".join("%s" for _ in columns)
    values = [value_for(column, organization_id) for column in columns]
    admin.execute(f"insert into store.{table.name} ({names}) values ({marks})".encode(), values)


def value_for(column: Column, identity: UUID) -> object:
    if isinstance(column.type, ARRAY):
        return []
    if isinstance(column.type, JSONB):
        return Jsonb({})
    if column.name == "role":
        return "AGENT"  # other tests list the users of every organization
    kind = column.type.python_type
    return {UUID: identity, str: "x", bool: True, datetime: START}.get(kind, 1)


async def add_leads(database: Database, organization: OrganizationRecord, count: int) -> list[UUID]:
    """Leads named `lead 1` and so on, an hour apart, over all statuses, every third without a score."""
    ids = [new_id() for _ in range(count)]
    async with database.unit(organization.id) as connection:
        statuses = await connection.fetch("select id, stage from statuses order by position")
        records = [
            (
                lead_id,
                f"lead {number}",
                status["id"],
                status["stage"],
                number % 100 if number % 3 else None,
                f"lead {number} שלום",
                START + timedelta(hours=number),
            )
            for number, lead_id in enumerate(ids, 1)
            for status in [statuses[number % len(statuses)]]
        ]
        await connection.copy_records_to_table(
            "leads",
            schema_name="store",
            columns=["id", "name", "status_id", "stage", "score", "search_text", "created_at"],
            records=records,
        )
    return ids
