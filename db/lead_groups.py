"""Leads counted by what they have in common. Only what is asked for is read: a count by status by its index alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, cast

from sqlalchemy import (
    Date,
    Double,
    FromClause,
    Integer,
    Text,
    bindparam,
    case,
    func,
    literal_column,
    select,
)
from sqlalchemy import cast as sql_cast

from db import views
from db.connections import Row
from db.expressions import Expression, SqlType
from db.filters import Values, condition_of
from db.lead_plans import ROOT, Plan
from db.row_code import Answers, Shaper
from db.shapes import Shape
from db.statements import render
from domain.ids import IdKind
from domain.masking import Masks
from domain.selection import TYPENAME, Pick
from domain.vocabulary import LeadFieldKey, LeadGroupBy

__all__ = ["DIMENSION_KEYS", "MAX_GROUPS", "plan_groups"]

MAX_GROUPS: Final = 10_000
"""More groups than these are an error, not a list."""

_DOUBLE: Final[SqlType] = Double()
_FIRST_DAY: Final = literal_column(f"date '{date.min.isoformat()}'", Date())
_LAST_DAY: Final = literal_column(f"date '{date.max.isoformat()}'", Date())
_By = LeadGroupBy
_K = LeadFieldKey


@dataclass(frozen=True, slots=True)
class _Dimension:
    """`key`: whose mask forbids it. `named`: the rows that give its values a key or id, and a label."""

    key: LeadFieldKey
    value: Callable[[FromClause], Expression]
    named: FromClause | None = None
    columns: tuple[str, str] = ("id", "name")
    kind: IdKind | None = None
    month: bool = False


def _column(name: str) -> Callable[[FromClause], Expression]:
    return lambda lead: lead.c[name]


def _since(unit: str) -> Callable[[FromClause], Expression]:
    """The first day of the unit, in the organization's zone; a day that Python has no date for is the nearest."""

    def value(lead: FromClause) -> Expression:
        local = lead.c.created_at.op("at time zone")(bindparam("zone", type_=Text()))
        first = sql_cast(func.date_trunc(literal_column(f"'{unit}'", Text()), local), Date())
        return func.least(func.greatest(first, _FIRST_DAY), _LAST_DAY)

    return value


_DIMENSIONS: Final[Mapping[LeadGroupBy, _Dimension]] = {
    _By.STATUS: _Dimension(_K.STATUS, _column("status_id"), views.statuses, ("key", "label")),
    _By.STAGE: _Dimension(_K.STAGE, _column("stage")),
    _By.SOURCE: _Dimension(_K.SOURCE, _column("source")),
    _By.CATEGORY: _Dimension(_K.CATEGORY, _column("category")),
    _By.CONFIDENCE: _Dimension(_K.CONFIDENCE, _column("confidence")),
    _By.INTEREST_LEVEL: _Dimension(_K.INTEREST_LEVEL, _column("interest_level")),
    _By.LANGUAGE: _Dimension(_K.PRIMARY_LANGUAGE, _column("primary_language")),
    _By.COMPANY: _Dimension(_K.COMPANY_ID, _column("company_id"), views.companies, kind=IdKind.COMPANY),
    _By.CHATBOT: _Dimension(_K.CHATBOT_ID, _column("chatbot_id"), views.chatbots, kind=IdKind.CHATBOT),
    _By.ASSIGNEE: _Dimension(_K.ASSIGNEE, _column("assignee_id"), views.users, kind=IdKind.USER),
    _By.COUNTRY: _Dimension(_K.LOCATION_COUNTRY, _column("location_country")),
    _By.CREATED_DAY: _Dimension(_K.CREATED_AT, _since("day")),
    _By.CREATED_WEEK: _Dimension(_K.CREATED_AT, _since("week")),
    _By.CREATED_MONTH: _Dimension(_K.CREATED_AT, _since("month"), month=True),
}
_WORDED: Final = frozenset({_By.STAGE, _By.SOURCE, _By.CATEGORY, _By.CONFIDENCE, _By.INTEREST_LEVEL})

DIMENSION_KEYS: Final[Mapping[LeadGroupBy, LeadFieldKey]] = {by: found.key for by, found in _DIMENSIONS.items()}
"""The field that each dimension tells of."""


def plan_groups(shape: Shape, dimensions: Sequence[LeadGroupBy], picks: Sequence[Pick], masks: Masks) -> Plan:
    """The groups, largest first. Binds: `f…` for the filter, `zone` for days, weeks and months.

    At most one more than MAX_GROUPS, which tells that there are too many.
    """
    names = {pick.name for pick in picks}
    lead = views.leads.alias("l")
    values = [_DIMENSIONS[by].value(lead).label(f"d{index}") for index, by in enumerate(dimensions)]
    measures = [func.count().label("n"), *_measures(lead, names, masks)]
    found = select(*values, *measures).select_from(lead).where(condition_of(shape, lead, Values("f")))
    places = [literal_column(str(index + 1), Integer()) for index in range(len(values))]
    groups = found.group_by(*places).subquery("g")
    source, columns = groups, list[Expression]()
    for index, by in enumerate(dimensions):
        source, value, label = _named(source, groups.c[f"d{index}"], by, index)
        columns += [value.label(f"v{index}"), label.label(f"l{index}")]
    order = [groups.c.n.desc(), *(groups.c[f"d{index}"].nulls_last() for index in range(len(dimensions)))]
    columns += [groups.c[measure.name] for measure in measures]
    tree = select(*columns).select_from(source).order_by(*order)
    statement = render(tree.limit(literal_column(str(MAX_GROUPS + 1), Integer())))
    return Plan(statement=statement, shapers={ROOT: _shaper(tuple(dimensions), tuple(picks))})


def _measures(lead: FromClause, names: set[str], masks: Masks) -> list[Expression]:
    measures = list[Expression]()
    if "averageScore" in names and _K.SCORE not in masks:
        measures.append(sql_cast(func.avg(lead.c.score), _DOUBLE).label("score"))
    if "conversionValue" in names and _K.CONVERSION_VALUE not in masks:
        measures.append(_sum_of_one_currency(lead).label("value"))
    return measures


def _sum_of_one_currency(lead: FromClause) -> Expression:
    currency = func.coalesce(lead.c.conversion_currency, literal_column("''", Text()))
    valued = lead.c.conversion_value.is_not(None)
    least, greatest = func.min(currency).filter(valued), func.max(currency).filter(valued)
    return case((least == greatest, func.sum(lead.c.conversion_value)))


def _named(
    source: FromClause, value: Expression, by: LeadGroupBy, index: int
) -> tuple[FromClause, Expression, Expression]:
    """The groups with what a value is called; a value that names itself stays as it is."""
    dimension = _DIMENSIONS[by]
    if dimension.named is None:
        return source, value, value
    rows = dimension.named.alias(f"named{index}")
    key, label = dimension.columns
    return source.outerjoin(rows, rows.c.id == value), rows.c[key], rows.c[label]


def _shaper(dimensions: tuple[LeadGroupBy, ...], picks: tuple[Pick, ...]) -> Shaper:
    def shape(rows: Sequence[Row], _answers: Answers) -> list[dict[str, object]]:
        return [{pick.key: _field(pick, row, dimensions) for pick in picks} for row in rows]

    return shape


def _field(pick: Pick, row: Row, dimensions: tuple[LeadGroupBy, ...]) -> object:
    match pick.name:
        case "count":
            return row["n"]
        case "averageScore":
            return row.get("score")
        case "conversionValue":
            value = cast("Decimal | None", row.get("value"))
            return None if value is None else format(value, "f")
        case "keys":
            return [_key(pick.fields, row, by, index) for index, by in enumerate(dimensions)]
        case _:
            return "LeadGroup"


def _key(picks: Sequence[Pick], row: Row, by: LeadGroupBy, index: int) -> dict[str, object]:
    value, label = row[f"v{index}"], row[f"l{index}"]
    values = {TYPENAME: "LeadGroupKey", "by": by.value, "value": _value(by, value), "label": _label(by, label)}
    return {pick.key: values[pick.name] for pick in picks}


def _value(by: LeadGroupBy, value: object) -> object:
    kind = _DIMENSIONS[by].kind
    if value is not None and kind:
        return f"{kind}_{value}"
    return _label(by, value) if isinstance(value, date) else value


def _label(by: LeadGroupBy, label: object) -> object:
    if isinstance(label, date):
        return label.isoformat()[: len("YYYY-MM")] if _DIMENSIONS[by].month else label.isoformat()
    if label is not None and by in _WORDED:
        return str(label).replace("_", " ").capitalize()
    return label
