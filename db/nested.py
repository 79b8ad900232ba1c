"""What is read for each row of a page: its notes, or how many leads have its status."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    DateTime,
    Integer,
    cast,
    extract,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSON, UUID

from db import views
from db.columns import LeadRow
from db.expressions import Expression
from db.filters import Values, condition_of
from db.masks import masked
from db.shapes import Shape
from domain.masking import Masks
from domain.paging import MAX_EXACT_COUNT
from domain.vocabulary import LeadFieldKey

__all__ = ["AFTER", "FIRST", "bounded_count", "count_of_status", "notes_of_lead", "prefix"]

FIRST: Final[Shape] = ("first", "notes")
AFTER: Final[Shape] = ("after", "notes")
_MICROSECONDS: Final = literal_column("1000000", Integer())
_ONE: Final = literal_column("1", Integer())


def prefix(place: int) -> str:
    """What the binds of a nested field are called, before their number."""
    return f"n{place}_"


def notes_of_lead(row: LeadRow, place: int, shape: Shape, masks: Masks) -> Expression:
    """A JSON list of `[id, text, microseconds since the epoch, created by]`, newest first.

    Binds: how many at most and, after a cursor, its instant and id.
    """
    notes = views.notes.alias(f"notes{place}")
    mode = masks.get(LeadFieldKey.NOTES)
    text = notes.c.text if mode is None else masked(LeadFieldKey.NOTES, mode, notes.c.text)
    at = cast(extract("epoch", notes.c.created_at) * _MICROSECONDS, BigInteger)
    found = select(func.json_build_array(notes.c.id, text, at, notes.c.created_by).label("item"))
    found = found.where(notes.c.lead_id == row.lead.c.id).correlate(row.lead)
    values = Values(prefix(place))
    size = values.take(Integer())
    if shape == AFTER:
        cursor = tuple_(values.take(DateTime(timezone=True)), values.take(UUID()))
        found = found.where(tuple_(notes.c.created_at, notes.c.id) < cursor)
    items = found.order_by(notes.c.created_at.desc(), notes.c.id.desc()).limit(size).subquery(f"items{place}")
    return select(func.json_agg(items.c["item"], type_=JSON())).scalar_subquery()


def count_of_status(row: LeadRow, place: int, shape: Shape) -> Expression:
    """How many leads of the filter have the row's status, counted to one beyond MAX_EXACT_COUNT."""
    lead = views.leads.alias(f"counted{place}")
    found = select(_ONE).select_from(lead).where(lead.c.status_id == row.status.c.id).correlate(row.status)
    found = found.where(condition_of(shape, lead, Values(prefix(place))))
    bounded = found.limit(literal_column(str(MAX_EXACT_COUNT + 1))).subquery(f"bounded{place}")
    return select(func.count()).select_from(bounded).scalar_subquery()


def bounded_count(shape: Shape) -> Expression:
    """How many leads the filter finds, counted to one beyond MAX_EXACT_COUNT; binds as of the page."""
    lead = views.leads.alias("t")
    found = select(_ONE).select_from(lead).where(condition_of(shape, lead, Values("f")))
    bounded = found.limit(literal_column(str(MAX_EXACT_COUNT + 1))).subquery("b")
    return select(func.count()).select_from(bounded).scalar_subquery()
