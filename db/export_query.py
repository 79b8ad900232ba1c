"""The statements of an export: which leads, in what order, how many, what changed since, in which parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy import UUID as UUID_TYPE
from sqlalchemy import (
    FromClause,
    Integer,
    Select,
    SelectBase,
    Text,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    literal_column,
    not_,
    null,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from db import views
from db.columns import JOINS, LeadRow, lead_row, with_joins
from db.export_columns import Formatting, column_of, formatted
from db.expressions import Expression, Truth
from db.filters import FilterContext, compile_filter
from db.lead_pages import SORTS, sort_key
from db.tables.leads import Xid8
from domain.export_columns import CHANGE
from domain.exports import LeadOrder
from domain.fields import CUSTOM_PREFIX
from domain.filters import EVERYTHING, LeadFilter
from domain.ids import IdKind
from domain.masking import Masks
from domain.vocabulary import LeadFieldKey, SortDirection, SplitBy

__all__ = [
    "Part",
    "Selection",
    "Statement",
    "count_rows",
    "counted",
    "deleted_leads",
    "lead_rows",
    "parts_of",
    "rows_among",
    "shape",
]

_K = LeadFieldKey
_DIALECT: Final = dialect.dialect()


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with its binds, starting at $1."""

    sql: str
    arguments: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Leads of one company or one status: `id` None for those without."""

    by: SplitBy
    id: UUID | None
    name: str | None
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which leads, in which order. `ids` and `leads` both hold; `part` narrows further.

    `since` is a transaction id: leads written by it or later, whether they still match or not. `source` has the
    columns of leads: the view, or rows that stand in for it.
    """

    context: FilterContext
    leads: LeadFilter = EVERYTHING
    ids: tuple[UUID, ...] | None = None
    limit: int | None = None
    order: LeadOrder = field(default_factory=LeadOrder)
    since: str | None = None
    source: FromClause = views.leads
    part: Part | None = None


def lead_rows(
    selection: Selection,
    columns: Sequence[str],
    formatting: Formatting,
    names: Sequence[str],
    *,
    extra: Sequence[Expression] = (),
) -> Select[tuple[object, ...]]:
    """A row a lead, with the columns of these keys under these names, then the extra ones.

    Raises BadInput where the filter cannot be compiled.
    """
    row = lead_row(selection.source)
    cells = [_cell(key, row, selection, formatting) for key in columns]
    rows = _rows(row, selection.order, columns, [*_labelled(cells, names), *extra])
    return rows.where(*_selected(selection, row.lead)).limit(selection.limit)


def rows_among(
    ids: Expression, order: LeadOrder, columns: Sequence[str], formatting: Formatting, names: Sequence[str]
) -> Select[tuple[object, ...]]:
    """The same for the leads of an array of ids; not for `_change`, which a selection tells."""
    row = lead_row()
    cells = [column_of(key, row, formatting) for key in columns]
    return _rows(row, order, columns, _labelled(cells, names)).where(row.lead.c.id == func.any(ids))


def deleted_leads(
    selection: Selection,
    columns: Sequence[str],
    formatting: Formatting,
    names: Sequence[str],
    *,
    extra: Sequence[Expression] = (),
) -> Select[tuple[object, ...]]:
    """A row a lead of a delta that was deleted since, with nothing but its ids, when, and `_change`."""
    gone = views.lead_deletions
    named = zip(columns, names, strict=True)
    cells = [_tombstone(key, gone, formatting).label(name) for key, name in named]
    return select(*cells, *extra).where(*_deleted(selection, gone)).order_by(gone.c.deleted_at, gone.c.lead_id)


def count_rows(selection: Selection, at_most: int | None = None) -> Statement:
    """How many leads there are; counting ends at `at_most`."""
    return shape(counted(selection, at_most))


def counted(selection: Selection, at_most: int | None = None) -> Select[int]:
    """The same as a part of a statement."""
    lead = selection.source
    limit = min((bound for bound in (selection.limit, at_most) if bound is not None), default=None)
    where = _conditions(selection, lead)
    if limit is None:
        return select(func.count()).select_from(lead).where(*where)
    some = select(literal_column("1", Integer()).label("one")).select_from(lead).where(*where).limit(limit).subquery()
    return select(func.count()).select_from(some)


def count_deleted(selection: Selection) -> Statement:
    """How many rows `deleted_leads` has."""
    gone = views.lead_deletions
    return shape(select(func.count()).select_from(gone).where(*_deleted(selection, gone)))


def parts_of(selection: Selection, by: SplitBy, at_most: int) -> Statement:
    """The parts as rows (id, name, rows), the largest first; one more than `at_most` where there are more."""
    row = lead_row()
    joined, column = (
        (row.company, row.lead.c.company_id) if by is SplitBy.COMPANY else (row.status, row.lead.c.status_id)
    )
    name = joined.c.name if by is SplitBy.COMPANY else joined.c.key
    count = func.count().label("rows")
    found = select(column.label("id"), func.min(name).label("name"), count)
    found = found.select_from(row.lead.outerjoin(joined, joined.c.id == column))
    found = found.where(*_shared_out(selection, row.lead)).group_by(column)
    return shape(found.order_by(count.desc(), column).limit(at_most + 1))


def shape(statement: SelectBase) -> Statement:
    """The statement as asyncpg takes it."""
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    values: Mapping[str, object] = compiled.params
    return Statement(str(compiled), tuple(values[name] for name in compiled.positiontup or ()))


def masked_order(order: LeadOrder | None, masks: Masks) -> bool:
    """Whether the order would tell the values of a masked field."""
    return order is not None and SORTS[order.field].key in masks


def _rows(
    row: LeadRow, order: LeadOrder, columns: Sequence[str], cells: Sequence[Expression]
) -> Select[tuple[object, ...]]:
    return select(*cells).select_from(_joined(row, columns)).order_by(*_order(order, row.lead))


def _labelled(cells: Sequence[Expression], names: Sequence[str]) -> list[Expression]:
    return [cell.label(name) for cell, name in zip(cells, names, strict=True)]


def _cell(key: str, row: LeadRow, selection: Selection, formatting: Formatting) -> Expression:
    if key == CHANGE:
        return _change(selection, row.lead)
    return column_of(key, row, formatting)


def _change(selection: Selection, lead: FromClause) -> Expression:
    created, updated, removed = (literal_column(f"'{word}'", Text()) for word in ("created", "updated", "removed"))
    matches = compile_filter(selection.leads, selection.context, lead)
    first = and_(matches, lead.c.version == literal_column("1"))
    return case((first, created), (matches, updated), else_=removed)


def _tombstone(key: str, gone: FromClause, formatting: Formatting) -> Expression:
    if key == CHANGE:
        return literal_column("'deleted'", Text())
    if key.startswith(CUSTOM_PREFIX):
        return cast(null(), Text())
    match LeadFieldKey(key):
        case _K.LEAD_ID:
            lead_id = literal_column(f"'{IdKind.LEAD}_'", Text()).concat(cast(gone.c.lead_id, Text()))
            return formatted(key, lead_id, formatting)
        case _K.DELETED_AT:
            return formatted(key, gone.c.deleted_at, formatting)
        case _:
            return cast(null(), Text())


def _joined(row: LeadRow, columns: Sequence[str]) -> FromClause:
    known = [LeadFieldKey(key) for key in columns if key != CHANGE and not key.startswith(CUSTOM_PREFIX)]
    return with_joins(row, dict.fromkeys(JOINS[key] for key in known if key in JOINS))


def _conditions(selection: Selection, lead: FromClause) -> list[Truth]:
    conditions: list[Truth] = []
    if selection.since is not None:
        conditions.append(lead.c.changed_xid >= _xid(selection.since))
    elif selection.leads != EVERYTHING:
        conditions.append(compile_filter(selection.leads, selection.context, lead))
    if selection.ids is not None:
        conditions.append(_among(lead.c.id, selection.ids))
    return conditions


def _deleted(selection: Selection, gone: FromClause) -> list[Truth]:
    """Of none, where the selection is no delta."""
    if selection.since is None:
        return [false()]
    alive = exists().where(views.leads.c.id == gone.c.lead_id)
    selected = [] if selection.ids is None else [_among(gone.c.lead_id, selection.ids)]
    return [gone.c.changed_xid >= _xid(selection.since), not_(alive), *selected]


def _among(lead_id: Expression, ids: Sequence[UUID]) -> Truth:
    return lead_id == func.any(literal(list(ids), ARRAY(UUID_TYPE())))


def _shared_out(selection: Selection, lead: FromClause) -> list[Truth]:
    """Of the leads that are shared out among parts: with a limit, the first ones alone."""
    if selection.limit is None:
        return _conditions(selection, lead)
    one = views.leads.alias("one")
    first = select(one.c.id).where(*_conditions(selection, one)).order_by(*_order(selection.order, one))
    return [lead.c.id.in_(first.limit(selection.limit))]


def _selected(selection: Selection, lead: FromClause) -> list[Truth]:
    if selection.part is None:
        return _conditions(selection, lead)
    part = selection.part
    column = lead.c.company_id if part.by is SplitBy.COMPANY else lead.c.status_id
    mine = column.is_(None) if part.id is None else column == literal(part.id, UUID_TYPE())
    return [*_shared_out(selection, lead), mine]


def _order(order: LeadOrder, lead: FromClause) -> list[Expression]:
    """Without a clause about NULLs where there are none, so that the index serves the order."""
    key = sort_key(order.field, lead)
    descending = order.direction is SortDirection.DESC
    first = key.desc() if descending else key.asc()
    tie = lead.c.id.desc() if descending else lead.c.id.asc()
    return [first.nulls_last() if SORTS[order.field].nullable else first, tie]


def _xid(since: str) -> Expression:
    return cast(literal(since, Text()), Xid8())
