"""The one state of the database that an export reads."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from db.connections import Connection
from db.export_facts import snapshot_mark
from db.export_query import Part, Selection, count_deleted, count_rows, parts_of
from domain.delta_token import delta_token
from domain.vocabulary import SplitBy

__all__ = ["Snapshot", "count_selected", "open_snapshot", "parts"]

_SETTINGS: Final = """
select set_config('TimeZone', $1, true), set_config('DateStyle', 'ISO, YMD', true), set_config('jit', 'off', true)
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """When the rows are as they are, and what a later delta begins with."""

    at: datetime
    delta_token: str


async def open_snapshot(connection: Connection, zone: str) -> Snapshot:
    """Begin reading: the first statement of a repeatable-read transaction takes the snapshot.

    `zone` is the one that instants with offset are written in.
    """
    await connection.execute(_SETTINGS, zone)
    mark = await snapshot_mark(connection)
    at: datetime = await connection.fetchval("select clock_timestamp()")
    return Snapshot(at, delta_token(mark.identity, mark.xmin))


async def count_selected(connection: Connection, selection: Selection) -> int:
    """How many rows the export has; deleted leads included where it is a delta."""
    statement = count_rows(selection)
    rows: int = await connection.fetchval(statement.sql, *statement.arguments)
    if selection.since is not None:
        statement = count_deleted(selection)
        deleted: int = await connection.fetchval(statement.sql, *statement.arguments)
        rows += deleted
    return rows


async def parts(connection: Connection, selection: Selection, by: SplitBy, at_most: int) -> list[Part]:
    """The parts of a split export, the largest first; one more than `at_most` where there are more."""
    statement = parts_of(selection, by, at_most)
    rows = await connection.fetch(statement.sql, *statement.arguments)
    return [Part(by, row["id"], row["name"], row["rows"]) for row in rows]
