"""The first rows of an export as text, in one page query's time.

Which leads they are, a page tells. To make the statement of many columns takes longer than to read a few rows by it: it
is kept, and finds its leads by id.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final
from uuid import UUID

from sqlalchemy import Select, Text, cast, func, select

from db import views
from db.connections import Connection
from db.export_columns import Formatting
from db.export_query import Selection, Statement, counted, first_ids, lead_rows, rows_by_id, shape
from db.filter_shapes import lower
from db.lead_pages import PageShape
from db.lead_plans import Plan, Wanted, plan_page
from db.lead_reads import filter_values
from db.nested import BOUND
from domain.exports import LeadOrder
from domain.selection import Pick

__all__ = ["BOUND", "MOST_ROWS", "First", "first_leads", "preview_rows"]

MOST_ROWS: Final = 100
_KEPT: Final = 256
_IDS: Final = UUID(int=0)
"""Stands for the ids in a statement that is kept."""
_WANTED: Final = Wanted((Pick("nodes", "nodes", 1, (Pick("id", "id", 2),)), Pick("totalCount", "totalCount", 3)), {})


@dataclass(frozen=True, slots=True)
class First:
    """The first leads of a selection, in its order, and how many there are, counted to one beyond BOUND."""

    ids: Sequence[UUID]
    count: int


async def first_leads(connection: Connection, selection: Selection, first: int) -> First:
    """Raises BadInput where the filter cannot be compiled."""
    wanted = min(first, selection.limit or first)
    if not _is_plain(selection) or selection.ids is not None:
        return await _first_of_others(connection, selection, wanted)
    lowered = lower(selection.leads, selection.context)
    plan = _page(PageShape(lowered.shape, selection.order, wanted))
    rows = await connection.fetch(plan.statement.bare, *plan.statement.arguments(filter_values(lowered)))
    total = rows[0]["total"] if rows else 0
    return First([row[plan.keys[1]] for row in rows[:wanted]], min(total, selection.limit or total))


async def preview_rows(
    connection: Connection, selection: Selection, ids: Sequence[UUID], columns: Sequence[str], formatting: Formatting
) -> list[tuple[str | None, ...]]:
    """The selection's leads of these ids, every cell as CSV would write it; None for what is empty."""
    if _is_plain(selection):
        statement = _by_id(selection.order, tuple(columns), formatting)
    else:
        narrowed = replace(selection, ids=tuple(ids))
        statement = _as_text(lead_rows(narrowed, columns, formatting, _names(columns)))
    arguments = [list(ids) if value == [_IDS] else value for value in statement.arguments]
    return [tuple(row) for row in await connection.fetch(statement.sql, *arguments)]


def _is_plain(selection: Selection) -> bool:
    """Whether its leads are real ones and told as they are: no stand-ins, no delta."""
    return selection.source is views.leads and selection.since is None


async def _first_of_others(connection: Connection, selection: Selection, wanted: int) -> First:
    ids = func.array(first_ids(selection, wanted).scalar_subquery()).label("ids")
    count = counted(selection, BOUND + 1).scalar_subquery().label("count")
    statement = shape(select(ids, count))
    [row] = await connection.fetch(statement.sql, *statement.arguments)
    return First(row["ids"], row["count"])


@lru_cache(_KEPT)
def _page(page: PageShape) -> Plan:
    return plan_page(page, _WANTED)


@lru_cache(_KEPT)
def _by_id(order: LeadOrder, columns: tuple[str, ...], formatting: Formatting) -> Statement:
    return _as_text(rows_by_id([_IDS], order, columns, formatting, _names(columns)))


def _as_text(made: Select[tuple[object, ...]]) -> Statement:
    return shape(made.with_only_columns(*(cast(cell, Text()) for cell in made.inner_columns)))


def _names(columns: Sequence[str]) -> list[str]:
    return [f"c{place}" for place in range(len(columns))]
