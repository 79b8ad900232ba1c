"""Rows that stand in for leads: sample exports run through the same statements as real ones."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import FromClause, column, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB

from db import views
from db.connections import Connection
from db.export_query import Selection, shape
from db.filters import compile_filter
from domain.json import JsonObject

__all__ = ["fitting", "load_references", "stand_ins"]

_MOST: Final = 200


def stand_ins(rows: Sequence[JsonObject]) -> FromClause:
    """A source with the columns of leads and these rows; columns that a row leaves out are null."""
    columns = (column(entry.name, entry.type) for entry in views.leads.c)
    made = func.jsonb_populate_recordset(literal_column("null::app.leads"), literal(list(rows), JSONB()))
    return made.table_valued(*columns).alias("leads")


async def fitting(connection: Connection, selection: Selection, rows: Sequence[JsonObject]) -> set[UUID]:
    """The ids of the rows that satisfy the selection's filter."""
    source = stand_ins(rows)
    condition = compile_filter(selection.leads, selection.context, source)
    statement = shape(select(source.c.id).where(condition))
    return {row["id"] for row in await connection.fetch(statement.sql, *statement.arguments)}


async def load_references(connection: Connection) -> dict[str, list[tuple[UUID, ...]]]:
    """What leads may refer to: (id, key, stage) of statuses, (id, company id) of chatbots, (id,) of the others."""
    statements = {
        "statuses": "select id, key, stage from statuses order by position, id",
        "companies": "select id from companies order by id",
        "chatbots": "select id, company_id from chatbots order by id",
        "users": "select id from users where active order by id",
    }
    return {
        name: [tuple(row) for row in await connection.fetch(f"{sql} limit {_MOST}")] for name, sql in statements.items()
    }
