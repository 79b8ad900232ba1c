"""Pages of leads by keyset, NULLs last in either direction, each part of the list read through its index.

Pages of a search are planned alike whatever the planner takes its term for. It guesses from a sample: one value there
that has the term makes a rare term look common, and it then reads the list in its order, for a rare term to the end of
it. So the matches are read first, up to a bound, which is the trigram index's work. Where they are fewer the page is
made of them; where they are more the list in its order soon has a page of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from sqlalchemy import (
    CTE,
    DateTime,
    FromClause,
    Integer,
    Numeric,
    Text,
    bindparam,
    func,
    literal_column,
    not_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import UUID

from db import views
from db.expressions import Expression, Query, SqlType, Truth
from db.filters import Values, condition_of, name_order
from db.shapes import EVERY, Shape, Test
from domain.exports import LeadOrder
from domain.vocabulary import LeadFieldKey, LeadSortField, SortDirection

__all__ = [
    "SORTS",
    "CursorAt",
    "Matches",
    "PageShape",
    "Sort",
    "is_search",
    "ordered",
    "page_rows",
    "page_source",
    "sort_key",
]


class CursorAt(StrEnum):
    """Where the page begins: at an end of the list, beside a lead with a value, or beside one without."""

    END = "END"
    VALUE = "VALUE"
    NULL = "NULL"


@dataclass(frozen=True, slots=True)
class Sort:
    """An order. `key`: whose mask forbids it. `falling_index`: its index holds the largest first, NULLs last."""

    key: LeadFieldKey
    type: SqlType
    nullable: bool = True
    falling_index: bool = False


_INSTANT: Final = DateTime(timezone=True)
SORTS: Final = {
    LeadSortField.CREATED_AT: Sort(LeadFieldKey.CREATED_AT, _INSTANT, nullable=False),
    LeadSortField.UPDATED_AT: Sort(LeadFieldKey.UPDATED_AT, _INSTANT, nullable=False),
    LeadSortField.NAME: Sort(LeadFieldKey.NAME, Text()),
    LeadSortField.SCORE: Sort(LeadFieldKey.SCORE, Integer(), falling_index=True),
    LeadSortField.CONVERTED_AT: Sort(LeadFieldKey.CONVERTED_AT, _INSTANT),
    LeadSortField.LAST_CALL_AT: Sort(LeadFieldKey.LAST_CALL_AT, _INSTANT),
    LeadSortField.CONVERSION_VALUE: Sort(LeadFieldKey.CONVERSION_VALUE, Numeric()),
}


@dataclass(frozen=True, slots=True)
class PageShape:
    """All of a page that decides its SQL: at most `size` leads and one more, which tells whether there are further."""

    filter: Shape
    order: LeadOrder
    size: int
    backward: bool = False
    cursor: CursorAt = CursorAt.END

    @property
    def falling(self) -> bool:
        """Whether rows are read from the largest value on."""
        return (self.order.direction is SortDirection.DESC) is not self.backward


class Matches:
    """What a search finds, read once for a page and its total: at most `bound` leads and one more."""

    def __init__(self, shape: PageShape, bound: int) -> None:
        lead = views.leads.alias("m")
        columns = (lead.c.id, lead.c[shape.order.field.value.lower()])
        found = select(*columns).where(condition_of(shape.filter, lead, Values("f")))
        self.leads: CTE = found.limit(literal_column(str(bound + 1))).cte("matches").prefix_with("MATERIALIZED")
        self.count = select(func.count()).select_from(self.leads).scalar_subquery()
        self.few = self.count <= literal_column(str(bound))


def is_search(shape: Shape) -> bool:
    """Whether every lead of the filter is found by a term that the trigram index has."""
    kind, rest = shape
    if not isinstance(rest, tuple):
        return kind == Test.SEARCH_TEXT
    return any(map(is_search, rest)) if kind == "all" else kind == "any" and rest != () and all(map(is_search, rest))


def sort_key(field: LeadSortField, lead: FromClause) -> Expression:
    """What the list is ordered by, before the id."""
    return name_order(lead) if field is LeadSortField.NAME else lead.c[field.value.lower()]


def page_rows(shape: PageShape, lead: FromClause, columns: Sequence[Expression]) -> Query:
    """The rows of a page in the order in which they are read, when one part of the list has them all."""
    (part,) = _parts(shape)
    return _part(shape, part, lead, columns)


def page_source(shape: PageShape, names: Sequence[str], alias: str, matches: Matches | None = None) -> FromClause:
    """The page as a derived table: columns of leads by their names, and `k0` (the value) and `k1` (the id)."""
    lead = views.leads.alias("p")
    if matches is None:
        return _united(shape, _keyed(shape, lead, names), alias)
    sorted_matches = [part.where(matches.few) for part in _keyed(replace(shape, filter=EVERY), matches.leads)]
    listed = [part.where(not_(matches.few)) for part in _keyed(shape, lead)]
    keys, found = _united(shape, [*sorted_matches, *listed], "k"), views.leads.alias("f")
    columns = [*(found.c[name] for name in names), keys.c.k0, keys.c.k1]
    return select(*columns).select_from(keys.join(found, found.c.id == keys.c.k1)).subquery(alias)


def _keyed(shape: PageShape, lead: FromClause, names: Sequence[str] = ()) -> list[Query]:
    """Each part of the page with its keys."""
    keys = (sort_key(shape.order.field, lead).label("k0"), lead.c.id.label("k1"))
    return [_part(shape, part, lead, [*(lead.c[name] for name in names), *keys]) for part in _parts(shape)]


def _united(shape: PageShape, parts: Sequence[Query], alias: str) -> FromClause:
    return parts[0].subquery(alias) if len(parts) == 1 else union_all(*parts).limit(_limit(shape)).subquery(alias)


def ordered(shape: PageShape, key: Expression, identity: Expression) -> list[Expression]:
    """The order in which rows are read, for a derived table whose joins may have lost it."""
    if shape.falling:
        return [key.desc().nulls_first() if shape.backward else key.desc().nulls_last(), identity.desc()]
    return [key.asc().nulls_first() if shape.backward else key.asc().nulls_last(), identity.asc()]


class _Part(StrEnum):
    ALL = "ALL"
    VALUES = "VALUES"
    NULLS = "NULLS"


def _parts(shape: PageShape) -> list[_Part]:
    """The parts of the list that the page can reach, in the order in which they are read."""
    if not SORTS[shape.order.field].nullable:
        return [_Part.ALL]
    match shape.cursor, shape.backward:
        case CursorAt.VALUE, True:
            return [_Part.VALUES]
        case CursorAt.NULL, False:
            return [_Part.NULLS]
        case _, True:
            return [_Part.NULLS, _Part.VALUES]
        case _:
            return [_Part.VALUES, _Part.NULLS]


def _part(shape: PageShape, part: _Part, lead: FromClause, columns: Sequence[Expression]) -> Query:
    sort, key, identity = SORTS[shape.order.field], sort_key(shape.order.field, lead), lead.c.id
    rows = select(*columns).select_from(lead).where(condition_of(shape.filter, lead, Values("f")))
    if part is not _Part.ALL:
        rows = rows.where(key.is_(None) if part is _Part.NULLS else key.is_not(None))
    if beyond := _beyond(shape, part, key, identity):
        rows = rows.where(*beyond)
    falling = shape.falling
    by = key.desc() if falling else key.asc()
    if sort.falling_index:
        by = by.nulls_last() if falling else by.nulls_first()
    return rows.order_by(by, identity.desc() if falling else identity.asc()).limit(_limit(shape))


def _beyond(shape: PageShape, part: _Part, key: Expression, identity: Expression) -> list[Truth]:
    """What lies beyond the cursor in this part, which may be all of it."""
    value, found = bindparam("k0", type_=SORTS[shape.order.field].type), bindparam("k1", type_=UUID())
    if shape.cursor is CursorAt.VALUE and part is not _Part.NULLS:
        here, there = tuple_(key, identity), tuple_(value, found)
        return [here < there if shape.falling else here > there]
    if shape.cursor is CursorAt.NULL and part is _Part.NULLS:
        return [identity < found if shape.falling else identity > found]
    return []


def _limit(shape: PageShape) -> Expression:
    return literal_column(str(shape.size + 1), Integer())
