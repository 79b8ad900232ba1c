"""What search looks through, made anew for leads that are about to change."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from db.connections import Connection, Row
from domain.lead_values import SEARCHED_COLUMNS, search_text, search_values

__all__ = ["search_texts"]

_COLUMNS: Final = ", ".join(f"l.{column}" for column in SEARCHED_COLUMNS)
_LEADS: Final = f"""
select l.id, {_COLUMNS}, case when l.notes_count > 0 then array(
  select n.text from notes n where n.lead_id = l.id order by n.created_at, n.id) end as notes
from leads l where l.id = any($1)
"""


async def search_texts(
    connection: Connection, ids: Collection[UUID], cleared: Collection[str] = (), note: str | None = None
) -> dict[UUID, str]:
    """The search texts of leads once these columns are empty and the note is added, where they do not have it yet."""
    rows = await connection.fetch(_LEADS, list(ids))
    return {row["id"]: _text(row, cleared, note) for row in rows}


def _text(row: Row, cleared: Collection[str], note: str | None) -> str:
    columns = {column: row[column] for column in SEARCHED_COLUMNS if column not in cleared}
    notes = list[str](row["notes"] or ())
    if note is not None and note not in notes:
        notes.append(note)
    return search_text(search_values(columns, notes))
