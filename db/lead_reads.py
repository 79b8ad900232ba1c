"""Running the statements of plans: rows, and estimates of large counts."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager
from typing import Final, cast
from uuid import UUID

import asyncpg
from sqlalchemy import Integer, bindparam, literal_column, select, union_all

from db import views
from db.connections import Connection, Row
from db.expressions import Query
from db.filters import Values, condition_of
from db.lead_plans import plan_estimate
from db.pool import Database
from db.shapes import Lowered
from db.statements import Statement, render
from domain.errors import BadInput

__all__ = ["LeadReader", "custom_fields", "estimate_leads", "existing_leads", "filter_values"]

EXPLAIN_SECONDS: Final = 5.0


def filter_values(lowered: Lowered, prefix: str = "f") -> dict[str, object]:
    """The values of a filter by the names of their binds."""
    return {f"{prefix}{index}": value for index, value in enumerate(lowered.values)}


class LeadReader:
    """Reads leads of one organization."""

    def __init__(self, database: Database, organization_id: UUID) -> None:
        self.database = database
        self.organization_id = organization_id

    async def rows(self, statement: Statement, values: Mapping[str, object]) -> Sequence[Row]:
        """The rows of a statement; errors as of `Database.read`.

        Raises BadInput where it takes longer than the statement time-out, as an order without an index may.
        """
        try:
            return await self.database.read(self.organization_id, statement.sql, *statement.arguments(values))
        except asyncpg.QueryCanceledError:
            raise BadInput("This takes too long; narrow the filter, or order by another field.", ("filter",)) from None

    async def estimate(self, lowered: Lowered) -> int:
        """How many leads the planner expects a filter to find."""
        async with self._explaining() as connection:
            return await estimate_leads(connection, lowered)

    async def estimate_by_status(self, lowered: Lowered, statuses: Sequence[UUID]) -> Mapping[UUID, int]:
        """The same for the leads of each status, in one statement."""
        parts = [_of_status(lowered, index) for index in range(len(statuses))]
        statement = render(union_all(*parts) if len(parts) > 1 else parts[0])
        values = filter_values(lowered) | {f"s{index}": status for index, status in enumerate(statuses)}
        async with self._explaining() as connection:
            root = await _explained(connection, statement, values)
        plans = cast("list[dict[str, float]]", root["Plans"]) if len(parts) > 1 else [root]
        return {status: int(cast("float", plan["Plan Rows"])) for status, plan in zip(statuses, plans, strict=True)}

    def _explaining(self) -> AbstractAsyncContextManager[Connection]:
        return self.database.unit(self.organization_id, timeout=EXPLAIN_SECONDS)


async def estimate_leads(connection: Connection, lowered: Lowered) -> int:
    """How many leads the planner expects a filter to find, for whoever is in a transaction already."""
    root = await _explained(connection, plan_estimate(lowered.shape), filter_values(lowered))
    return int(cast("float", root["Plan Rows"]))


async def _explained(connection: Connection, statement: Statement, values: Mapping[str, object]) -> dict[str, object]:
    found = await connection.fetchval(f"explain (format json) {statement.bare}", *statement.arguments(values))
    return cast("list[dict[str, dict[str, object]]]", found)[0]["Plan"]


def _of_status(lowered: Lowered, index: int) -> Query:
    lead = views.leads.alias(f"l{index}")
    one = literal_column("1", Integer()).label("one")
    found = (
        select(one)
        .select_from(lead)
        .where(lead.c.status_id == bindparam(f"s{index}", type_=views.leads.c.status_id.type))
    )
    return found.where(condition_of(lowered.shape, lead, Values("f")))


async def existing_leads(database: Database, organization_id: UUID, ids: Sequence[UUID]) -> AbstractSet[UUID]:
    """Those of the ids that name a lead of the organization."""
    rows = await database.read(organization_id, "select id from app.leads where id = any($2::uuid[])", list(ids))
    return {row["id"] for row in rows}


async def custom_fields(database: Database, organization_id: UUID) -> Mapping[str, str]:
    """The labels of the organization's own fields by their keys, in the labels' order."""
    rows = await database.read(organization_id, "select key, label from app.custom_fields order by label, key")
    return {row["key"]: row["label"] for row in rows}
