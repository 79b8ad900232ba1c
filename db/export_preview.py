"""The first rows of an export as text, in one page query's time."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Text, cast

from db.connections import Connection
from db.export_columns import Formatting
from db.export_query import Selection, lead_rows, shape

__all__ = ["preview_rows"]

MOST_ROWS: Final = 100


async def preview_rows(
    connection: Connection, selection: Selection, columns: Sequence[str], formatting: Formatting
) -> list[tuple[str | None, ...]]:
    """The rows, every cell as CSV would write it; None for what is empty."""
    names = [f"c{place}" for place in range(len(columns))]
    made = lead_rows(selection, columns, formatting, names)
    statement = shape(made.with_only_columns(*(cast(cell, Text()) for cell in made.inner_columns)))
    rows = await connection.fetch(statement.sql, *statement.arguments)
    return [tuple(row.values()) for row in rows]
