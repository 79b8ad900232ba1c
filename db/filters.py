"""The one filter compiler: lists, counts, exports, bulk operations and schedules all select leads through it.

A null is equal to nothing, so that `ne`, `notIn` and `not` include it.
"""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import (
    FromClause,
    Integer,
    SmallInteger,
    Text,
    and_,
    bindparam,
    exists,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from db import views
from db.expressions import Expression, SqlType, Truth
from db.filter_shapes import FilterContext, lower
from db.shapes import Shape, Test
from domain.filters import LeadFilter

__all__ = ["FilterContext", "Values", "compile_filter", "condition_of", "name_order"]


class Values:
    """Hands out the binds of a shape one after the other, as `<prefix>0`, `<prefix>1` and so on."""

    def __init__(self, prefix: str, values: tuple[object, ...] | None = None) -> None:
        self._prefix = prefix
        self._values = values
        self._count = 0

    def take(self, kind: SqlType) -> Expression:
        """The next bind, of this type; its value is None until the statement runs, unless values are known."""
        index, self._count = self._count, self._count + 1
        value = self._values[index] if self._values is not None else None
        return bindparam(f"{self._prefix}{index}", value, type_=kind, unique=self._values is not None)


def compile_filter(tree: LeadFilter, context: FilterContext, lead: FromClause = views.leads) -> Truth:
    """The filter as a condition on the view of leads, or on an alias of it, its values bound.

    Raises BadInput (see `lower`).
    """
    lowered = lower(tree, context)
    return condition_of(lowered.shape, lead, Values("filter", lowered.values))


def condition_of(shape: Shape, lead: FromClause, values: Values) -> Truth:
    """The condition of a shape, with a bind for each of its values in order."""
    kind, rest = shape
    if isinstance(rest, tuple):
        parts = [condition_of(part, lead, values) for part in rest]
        match kind:
            case "all":
                return and_(true(), *parts)
            case "any":
                return or_(false(), *parts)
            case _:
                return parts[0].is_not(true())
    return _TESTS[Test(kind)](lead, rest, values)


def name_order(lead: FromClause) -> Expression:
    """The lower-case name by code points: what the index leads_by_name holds."""
    return func.lower(lead.c.name).collate("C")


_NO_ITEMS: Final = literal_column("'{}'", ARRAY(Text))
_Build = Callable[[FromClause, str, Values], Truth]
_Compare = Callable[[Expression, Expression], Truth]


def _type_of(column: Expression) -> SqlType:
    """The type to compare with: wide enough for what a caller may ask of a small column."""
    return Integer() if isinstance(column.type, SmallInteger) else column.type


def _one(compare: _Compare) -> _Build:
    """A test of a column with one value of its type."""

    def build(lead: FromClause, name: str, values: Values) -> Truth:
        column = lead.c[name]
        return compare(column, values.take(_type_of(column)))

    return build


def _many(compare: _Compare) -> _Build:
    """A test of a column with a list of values of its type, bound as one array."""

    def build(lead: FromClause, name: str, values: Values) -> Truth:
        column = lead.c[name]
        return compare(column, values.take(ARRAY(_type_of(column))))

    return build


def _folded(compare: _Compare) -> _Build:
    """A test of a column in lower case with one text."""

    def build(lead: FromClause, name: str, values: Values) -> Truth:
        return compare(_lower(lead, name), func.lower(values.take(Text())))

    return build


def _folded_many(compare: _Compare) -> _Build:
    """A test of a column in lower case with several texts, folded once a statement."""

    def build(lead: FromClause, name: str, values: Values) -> Truth:
        text = func.unnest(values.take(ARRAY(Text))).column_valued("text")
        return compare(_lower(lead, name), _array(select(func.lower(text)).scalar_subquery(), Text()))

    return build


def _status(compare: _Compare, *, many: bool) -> _Build:
    """A test of the status by folded keys, which the database resolves: a renamed status is found at once."""

    def build(lead: FromClause, name: str, values: Values) -> Truth:
        folded = views.statuses.c.key_folded
        found = select(views.statuses.c.id)
        if many:
            keys = values.take(ARRAY(Text))
            return compare(
                lead.c[name], _array(found.where(folded == func.any(keys)).scalar_subquery(), views.statuses.c.id.type)
            )
        return compare(lead.c[name], found.where(folded == values.take(Text())).scalar_subquery())

    return build


def _custom(compare: _Compare, kind: SqlType) -> _Build:
    """A test of a custom field, whose key is a value like the other."""

    def build(lead: FromClause, name: str, values: Values) -> Truth:
        return compare(_custom_text(lead, name, values), values.take(kind))

    return build


def _custom_text(lead: FromClause, name: str, values: Values) -> Expression:
    return lead.c[name].op("->>", return_type=Text())(values.take(Text()))


def _lower(lead: FromClause, name: str) -> Expression:
    return name_order(lead) if name == "name" else func.lower(lead.c[name])


def _array(found: Expression, kind: SqlType) -> Expression:
    return func.array(found, type_=ARRAY(kind))


def _between(lead: FromClause, name: str, values: Values) -> Truth:
    column = lead.c[name]
    return and_(column >= values.take(column.type), column <= values.take(column.type))


def _name_begins(lead: FromClause, _name: str, values: Values) -> Truth:
    name = name_order(lead)
    return and_(name >= values.take(Text()), name < values.take(Text()))


def _search_notes(lead: FromClause, _name: str, values: Values) -> Truth:
    notes = views.notes
    return exists().where(notes.c.lead_id == lead.c.id, notes.c.text.ilike(values.take(Text())))


def _equal(left: Expression, right: Expression) -> Truth:
    return left == right


def _different(left: Expression, right: Expression) -> Truth:
    return left.is_distinct_from(right)


def _among(left: Expression, right: Expression) -> Truth:
    return left.bool_op("=")(func.any(right))  # `==` is turned round where the left side is a function, too


def _not_among(left: Expression, right: Expression) -> Truth:
    return or_(left.is_(None), left.bool_op("<>")(func.all(right)))


def _contains(left: Expression, right: Expression) -> Truth:
    return left.ilike(right)


def _operator(symbol: str) -> _Compare:
    return lambda left, right: left.bool_op(symbol)(right)


_TESTS: Final[Mapping[Test, _Build]] = {
    Test.EQUAL: _one(_equal),
    Test.DIFFERENT: _one(_different),
    Test.AMONG: _many(_among),
    Test.NOT_AMONG: _many(_not_among),
    Test.GREATER: _one(_operator(">")),
    Test.AT_LEAST: _one(_operator(">=")),
    Test.LESS: _one(_operator("<")),
    Test.AT_MOST: _one(_operator("<=")),
    Test.BETWEEN: _between,
    Test.ABSENT: lambda lead, name, _: lead.c[name].is_(None),
    Test.PRESENT: lambda lead, name, _: lead.c[name].is_not(None),
    Test.FOLDED_EQUAL: _folded(_equal),
    Test.FOLDED_DIFFERENT: _folded(_different),
    Test.FOLDED_AMONG: _folded_many(_among),
    Test.FOLDED_NOT_AMONG: _folded_many(_not_among),
    Test.CONTAINS: _one(_contains),
    Test.BEGINS: _one(_contains),
    Test.NAME_BEGINS: _name_begins,
    Test.OVERLAPS: _one(_operator("&&")),
    Test.COVERS: _one(_operator("@>")),
    Test.DISJOINT: _one(lambda left, right: not_(left.bool_op("&&")(right))),
    Test.EMPTY: lambda lead, name, _: lead.c[name] == _NO_ITEMS,
    Test.FILLED: lambda lead, name, _: lead.c[name] != _NO_ITEMS,
    Test.STATUS_EQUAL: _status(_equal, many=False),
    Test.STATUS_AMONG: _status(_among, many=True),
    Test.STATUS_NOT_AMONG: _status(lambda left, right: left != func.all(right), many=True),
    Test.CUSTOM_EQUAL: _custom(_equal, Text()),
    Test.CUSTOM_AMONG: _custom(_among, ARRAY(Text)),
    Test.CUSTOM_CONTAINS: _custom(_contains, Text()),
    Test.CUSTOM_ABSENT: lambda lead, name, values: _custom_text(lead, name, values).is_(None),
    Test.CUSTOM_PRESENT: lambda lead, name, values: _custom_text(lead, name, values).is_not(None),
    Test.SEARCH_TEXT: _one(lambda left, right: left.like(right)),
    Test.SEARCH_NOTES: _search_notes,
}
