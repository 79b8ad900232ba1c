"""Leads for tests of exports, and what a COPY of them gives."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from db.connections import Connection
from db.copy_out import copy_out
from db.export_columns import Formatting
from db.export_copy import Copy, Form
from db.export_query import Selection
from db.filters import FilterContext
from db.pool import Database
from domain.exports import ResolvedColumn
from domain.ids import new_id
from domain.records import OrganizationRecord

NOW = datetime(2024, 6, 1, tzinfo=UTC)
CONTEXT = FilterContext(now=NOW, zone=ZoneInfo("UTC"), country="US")
EVERY_LEAD = Selection(context=CONTEXT)


async def add_lead(connection: Connection, **values: object) -> UUID:
    """One lead in the organization's first status unless `status` names another; `notes` are texts, oldest first."""
    lead_id = values.pop("id", None) or new_id()
    notes = values.pop("notes", ())
    key = values.pop("status", None)
    status = await connection.fetchrow(
        "select id, stage from statuses where $1::text is null or key = $1 order by position limit 1", key
    )
    row = {"id": lead_id, "status_id": status["id"], "stage": status["stage"], "notes_count": len(notes), **values}
    marks = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await connection.execute(f"insert into leads ({', '.join(row)}) values ({marks})", *row.values())
    for number, text in enumerate(notes):
        moment = datetime(2024, 1, 1, 0, number, tzinfo=UTC)
        await connection.execute(
            "insert into notes (id, lead_id, text, created_at) values ($1, $2, $3, $4)", new_id(), lead_id, text, moment
        )
    return lead_id


async def add_leads(database: Database, organization: OrganizationRecord, *rows: Mapping[str, object]) -> list[UUID]:
    """Leads a minute apart, the first one the newest."""
    async with database.unit(organization.id) as connection:
        return [
            await add_lead(connection, **{"created_at": datetime(2024, 3, 1, 12, 59 - number, tzinfo=UTC), **row})
            for number, row in enumerate(rows)
        ]


def form(formatting: Formatting, *keys: str, delimiter: str = ",") -> Form:
    """Columns called by their keys."""
    return Form([ResolvedColumn(key, key) for key in keys], formatting, delimiter)


async def copied(database: Database, organization: OrganizationRecord, copy: Copy) -> tuple[bytes, int]:
    """What COPY sends, and how many rows it counted."""
    pieces: list[bytes] = []

    async def take(data: bytes) -> None:
        pieces.append(data)

    async with database.snapshot(organization.id) as connection:
        rows = await copy_out(connection, copy.statement, copy.options, take)
    return b"".join(pieces), rows


def lines(data: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in data.decode().splitlines()]
