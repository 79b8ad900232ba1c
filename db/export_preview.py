"""The first rows of an export as text, and how many there are, in one page query's time.

To make the statement of many columns takes longer than to read a few rows by it: it is kept. Which leads they are, it
asks as a page of them does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from sqlalchemy import Select, Text, cast, func, select

from db import views
from db.connections import Connection, Row
from db.export_columns import Formatting
from db.export_query import Selection, count_deleted, counted, deleted_leads, lead_rows, rows_among, shape
from db.expressions import Expression, Query
from db.filter_shapes import lower
from db.lead_pages import Matches, PageShape, is_search, page_source
from db.lead_reads import filter_values
from db.nested import bounded_count
from db.statements import Statement, render
from domain.paging import MAX_EXACT_COUNT

__all__ = ["MOST_ROWS", "First", "first_rows"]

MOST_ROWS: Final = 100
_KEPT: Final = 256


@dataclass(frozen=True, slots=True)
class First:
    """The first rows, None for what is empty, and how many leads there are, counted to one beyond MAX_EXACT_COUNT."""

    rows: Sequence[tuple[str | None, ...]]
    count: int


async def first_rows(
    connection: Connection, selection: Selection, first: int, columns: Sequence[str], formatting: Formatting
) -> First:
    """The selection's first leads in its order, every cell as CSV would write it.

    Raises BadInput where the filter cannot be compiled.
    """
    wanted = min(first, selection.limit or first)
    read = _read_page if _is_page(selection) else _read_others
    found = await read(connection, selection, wanted, columns, formatting)
    total = found[0]["total"] if found else 0
    leads = First([tuple(row)[:-1] for row in found], min(total, selection.limit or total))
    if selection.since is None:
        return leads
    gone = await _read_deleted(connection, selection, wanted - len(leads.rows), columns, formatting)
    return First([*leads.rows, *gone.rows], leads.count + gone.count)


def _is_page(selection: Selection) -> bool:
    """Whether a page could list its leads: no ids, no stand-ins, no delta."""
    return selection.source is views.leads and selection.since is None and selection.ids is None


async def _read_page(
    connection: Connection, selection: Selection, wanted: int, columns: Sequence[str], formatting: Formatting
) -> list[Row]:
    lowered = lower(selection.leads, selection.context)
    statement = _kept(PageShape(lowered.shape, selection.order, wanted - 1), tuple(columns), formatting)
    return await connection.fetch(
        statement.bare, *statement.arguments({**statement.literals, **filter_values(lowered)})
    )


async def _read_others(
    connection: Connection, selection: Selection, wanted: int, columns: Sequence[str], formatting: Formatting
) -> list[Row]:
    rows = lead_rows(replace(selection, limit=wanted), columns, formatting, _names(columns))
    statement = shape(_shown(rows, counted(selection, MAX_EXACT_COUNT + 1).scalar_subquery()))
    return await connection.fetch(statement.sql, *statement.arguments)


async def _read_deleted(
    connection: Connection, selection: Selection, wanted: int, columns: Sequence[str], formatting: Formatting
) -> First:
    """The leads deleted since, which follow the others in a delta."""
    gone = deleted_leads(selection, columns, formatting, _names(columns)).limit(wanted)
    statement, counting = shape(_as_text(gone)), count_deleted(selection)
    rows = await connection.fetch(statement.sql, *statement.arguments)
    count: int = await connection.fetchval(counting.sql, *counting.arguments)
    return First([tuple(row) for row in rows], count)


@lru_cache(_KEPT)
def _kept(page: PageShape, columns: tuple[str, ...], formatting: Formatting) -> Statement:
    """A page reads one lead more than its size."""
    matches = Matches(page, MAX_EXACT_COUNT) if is_search(page.filter) else None
    listed = page_source(page, (), "listed", matches)
    ids = func.array(select(listed.c.k1).scalar_subquery())
    count = matches.count if matches else bounded_count(page.filter)
    rows = rows_among(ids, page.order, columns, formatting, _names(columns))
    return render(_shown(rows, count))


def _shown(rows: Select[tuple[object, ...]], count: Expression) -> Query:
    return _as_text(rows).add_columns(count.label("total"))


def _as_text(rows: Select[tuple[object, ...]]) -> Query:
    cells: list[Expression] = [cast(cell, Text()) for cell in rows.inner_columns]
    return rows.with_only_columns(*cells)


def _names(columns: Sequence[str]) -> list[str]:
    return [f"c{place}" for place in range(len(columns))]
