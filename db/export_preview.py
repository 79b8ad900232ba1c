"""The first rows of an export as text, in one page query's time.

To make the statement of many columns takes longer than to read a few rows by it. So it is kept, and finds leads by id.
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
from domain.exports import LeadOrder

__all__ = ["First", "first_leads", "preview_rows"]

MOST_ROWS: Final = 100
_STATEMENTS: Final = 256
_IDS: Final = UUID(int=0)
"""Stands for the ids in a statement that is kept."""


@dataclass(frozen=True, slots=True)
class First:
    """The first leads of a selection, in its order, and how many there are, up to a bound."""

    ids: list[UUID]
    count: int


async def first_leads(connection: Connection, selection: Selection, first: int, at_most: int) -> First:
    """Raises BadInput where the filter cannot be compiled."""
    ids = func.array(first_ids(selection, first).scalar_subquery()).label("ids")
    count = counted(selection, at_most).scalar_subquery().label("count")
    statement = shape(select(ids, count))
    [row] = await connection.fetch(statement.sql, *statement.arguments)
    return First(row["ids"], row["count"])


async def preview_rows(
    connection: Connection, selection: Selection, ids: Sequence[UUID], columns: Sequence[str], formatting: Formatting
) -> list[tuple[str | None, ...]]:
    """The selection's leads of these ids, every cell as CSV would write it; None for what is empty."""
    if selection.source is views.leads and selection.since is None:
        statement = _by_id(selection.order, tuple(columns), formatting)
    else:
        narrowed = replace(selection, ids=tuple(ids))
        statement = _as_text(lead_rows(narrowed, columns, formatting, _names(columns)))
    arguments = [list(ids) if value == [_IDS] else value for value in statement.arguments]
    return [tuple(row.values()) for row in await connection.fetch(statement.sql, *arguments)]


@lru_cache(_STATEMENTS)
def _by_id(order: LeadOrder, columns: tuple[str, ...], formatting: Formatting) -> Statement:
    return _as_text(rows_by_id([_IDS], order, columns, formatting, _names(columns)))


def _as_text(made: Select[tuple[object, ...]]) -> Statement:
    return shape(made.with_only_columns(*(cast(cell, Text()) for cell in made.inner_columns)))


def _names(columns: Sequence[str]) -> list[str]:
    return [f"c{place}" for place in range(len(columns))]
