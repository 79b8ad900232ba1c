"""Plans: for each kind of query and each selection one statement, and what makes its rows the response.

A plan holds neither values nor verdicts, so that every request of the same shape may share it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from sqlalchemy import ColumnElement, FromClause, Integer, bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.sql import visitors

from db import views
from db.columns import LeadRow, lead_row, with_joins
from db.expressions import Expression, Query
from db.filters import Values, condition_of
from db.lead_fields import LEAD, STATUS
from db.lead_pages import SORTS, Matches, PageShape, is_search, ordered, page_rows, page_source, sort_key
from db.nested import bounded_count
from db.row_code import CountColumn, Deferred, RowCode, Shaper
from db.shapes import Shape
from db.statements import Statement, render
from domain.masking import Masks
from domain.paging import MAX_EXACT_COUNT
from domain.selection import Pick

__all__ = ["ROOT", "Plan", "Wanted", "plan_count", "plan_estimate", "plan_leads", "plan_page", "plan_statuses"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A selection, the caller's masks, and the shapes of nested arguments by place."""

    picks: tuple[Pick, ...]
    masks: Masks
    nested: Mapping[int, Shape] = field(default_factory=dict[int, Shape])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """`shapers` and `deferred` by the place of the field that leads to the objects; 0 is the query itself.

    `keys` are the positions of the value ordered by and of the id, where they are asked for. A page's rows have `total`
    where the total is.
    """

    statement: Statement
    shapers: Mapping[int, Shaper] = field(default_factory=dict[int, Shaper])
    deferred: Mapping[int, tuple[Deferred, ...]] = field(default_factory=dict[int, tuple[Deferred, ...]])
    counts: tuple[CountColumn, ...] = ()
    keys: tuple[int, int] = (0, 0)
    rows: bool = True
    total: bool = False


ROOT: Final = 0
_SHAPES: Final = 256
"""Of filters, whose statements are kept."""
_FEW: Final = 1_000
"""Matches that are sorted sooner than a list is read until it has a page of them."""


def plan_page(shape: PageShape, wanted: Wanted) -> Plan:
    """A connection of leads. Binds: `f…` for the filter, `k0` and `k1` for the cursor, `n…` for nested arguments."""
    names = _names_within(wanted.picks)
    total = "totalCount" in names
    if not names & {"nodes", "node", "edges", "pageInfo"}:
        return Plan(statement=render(_only_total(shape.filter)), rows=False, total=total)
    lead = views.leads.alias("l")
    pieces = _pieces(wanted, lead_row(lead), _node_picks(wanted.picks))
    keyed = bool(names & {"cursor", "startCursor", "endCursor"})
    matches = Matches(shape, MAX_EXACT_COUNT if total else _FEW) if is_search(shape.filter) else None
    if matches or pieces.code.joins or pieces.code.correlated or SORTS[shape.order.field].nullable:
        pieces, tree = _derived(_Page(shape, wanted, matches, keyed), lead, pieces)
    else:
        pieces.add_keys(sort_key(shape.order.field, lead) if keyed else lead.c.id, lead.c.id)
        tree = page_rows(shape, lead, _labelled(pieces.code))
    if total:
        tree = tree.add_columns((matches.count if matches else bounded_count(shape.filter)).label("total"))
    return pieces.plan(render(tree), total=total)


def plan_leads(wanted: Wanted, *, several: bool) -> Plan:
    """Leads by id, in no order. Bind: `ids`, a list where there are several."""
    row = lead_row(views.leads.alias("l"))
    pieces = _pieces(wanted, row, [(ROOT, wanted.picks)])
    ids = bindparam("ids", type_=ARRAY(UUID) if several else UUID())
    pieces.add_keys(row.lead.c.id, row.lead.c.id)
    tree = select(*_labelled(pieces.code)).select_from(_joined(row, pieces.code))
    return pieces.plan(render(tree.where(row.lead.c.id == (func.any(ids) if several else ids))))


def plan_statuses(wanted: Wanted, *, one: bool) -> Plan:
    """Statuses by position, or one of them by the bind `ids`."""
    row = lead_row()
    code = RowCode(row=row, masks=wanted.masks, nested=wanted.nested)
    source = code.object(wanted.picks, STATUS)
    status = row.status.c
    code.column("id", status.id)
    tree = select(*_labelled(code)).select_from(row.status)
    tree = tree.where(status.id == bindparam("ids", type_=UUID())) if one else tree
    tree = tree.order_by(status.position, status.key_folded)
    shapers = {ROOT: code.shaper(source, wanted.picks)}
    return Plan(statement=render(tree), shapers=shapers, counts=tuple(code.counts))


def plan_count(shape: Shape) -> Statement:
    """The bounded count of a filter, as `total`."""
    return render(_only_total(shape))


@lru_cache(_SHAPES)
def plan_estimate(shape: Shape) -> Statement:
    """A statement to EXPLAIN: the leads of a filter."""
    lead = views.leads.alias("l")
    return render(
        select(literal_column("1", Integer())).select_from(lead).where(condition_of(shape, lead, Values("f")))
    )


def _only_total(shape: Shape) -> Query:
    return select(bounded_count(shape).label("total"))


@dataclass(slots=True)
class _Pieces:
    code: RowCode
    sources: Mapping[int, tuple[str, tuple[Pick, ...]]]
    deferred: Mapping[int, tuple[Deferred, ...]]
    keys: tuple[int, int] = (0, 0)

    def add_keys(self, value: Expression, identity: Expression) -> None:
        self.keys = (self.code.column("value", value), self.code.column("id", identity))

    def plan(self, statement: Statement, *, total: bool = False) -> Plan:
        shapers = {
            place: self.code.shaper(source, picks, int(total)) for place, (source, picks) in self.sources.items()
        }
        return Plan(
            statement=statement,
            shapers=shapers,
            deferred=self.deferred,
            counts=tuple(self.code.counts),
            keys=self.keys,
            total=total,
        )


def _pieces(wanted: Wanted, row: LeadRow, nodes: Sequence[tuple[int, tuple[Pick, ...]]]) -> _Pieces:
    code = RowCode(row=row, masks=wanted.masks, nested=wanted.nested)
    sources, deferred = dict[int, tuple[str, tuple[Pick, ...]]](), dict[int, tuple[Deferred, ...]]()
    for place, picks in nodes:
        code.deferred = []
        sources[place] = (code.object(picks, LEAD), picks)
        deferred[place] = tuple(code.deferred)
    return _Pieces(code, sources, deferred)


@dataclass(frozen=True, slots=True)
class _Page:
    shape: PageShape
    wanted: Wanted
    matches: Matches | None
    keyed: bool


def _derived(page: _Page, lead: FromClause, first: _Pieces) -> tuple[_Pieces, Query]:
    """The page first, then its joins, lest they are made for rows that no page shows."""
    shape, wanted = page.shape, page.wanted
    read = (*first.code.columns.values(), *first.code.sources)
    used = {column.name for value in read for column in _columns(value, lead)}
    used |= {f"{join}_id" for join in first.code.joins if f"{join}_id" in lead.c}
    row = lead_row(page_source(shape, sorted({*used, "id"}), "l", page.matches))
    pieces = _pieces(wanted, row, _node_picks(wanted.picks))
    value = shape.order.field.value.lower()
    shown = row.lead.c[value] if value in used and value != "name" else row.lead.c.k0
    pieces.add_keys(shown if page.keyed else row.lead.c.id, row.lead.c.id)
    tree = select(*_labelled(pieces.code)).select_from(_joined(row, pieces.code))
    return pieces, tree.order_by(*ordered(shape, row.lead.c.k0, row.lead.c.k1))


def _columns(value: Expression, lead: FromClause) -> list[ColumnElement[object]]:
    parts = (part for part in visitors.iterate(value) if getattr(part, "table", None) is lead)
    return [part for part in parts if isinstance(part, ColumnElement)]


def _labelled(code: RowCode) -> list[Expression]:
    return [value.label(f"c{index}") for index, value in enumerate(code.columns.values())]


def _joined(row: LeadRow, code: RowCode) -> FromClause:
    return with_joins(row, code.joins)


def _node_picks(picks: Sequence[Pick]) -> list[tuple[int, tuple[Pick, ...]]]:
    nodes = [pick for pick in picks if pick.name == "nodes"]
    edges = [inner for pick in picks if pick.name == "edges" for inner in pick.fields if inner.name == "node"]
    return [(pick.place, pick.fields) for pick in (*nodes, *edges)]


def _names_within(picks: Sequence[Pick]) -> set[str]:
    """The connection's own fields and those of its edges and page information."""
    inner = (pick.fields for pick in picks if pick.name in {"edges", "pageInfo"})
    return {pick.name for pick in (*picks, *(found for fields in inner for found in fields))}
