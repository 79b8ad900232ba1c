"""When something happened: an operator document over an instant that is no lead's, with relative periods reckoned."""

from datetime import datetime
from zoneinfo import ZoneInfo

from domain.errors import Path
from domain.filter_input import read_instant
from domain.filters import Operator, Period, Value
from domain.json import JsonObject
from domain.periods import in_utc, period_start

__all__ = ["Bounds", "bounds_of"]

Bounds = tuple[tuple[Operator, bool | datetime | tuple[datetime, ...]], ...]
"""Operators on an instant with their operands in UTC; WITHIN has become GTE."""


def bounds_of(document: JsonObject | None, path: Path, now: datetime, zone: ZoneInfo) -> Bounds:
    """What a document asks, counted back from `now`; None asks nothing. Raises BadInput as `read_instant` does."""
    operators = read_instant(document, path) if document else ()
    return tuple(_bound(operator, value, now, zone) for operator, value in operators)


def _bound(
    operator: Operator, value: Value, now: datetime, zone: ZoneInfo
) -> tuple[Operator, bool | datetime | tuple[datetime, ...]]:
    match value:
        case Period():
            return Operator.GTE, period_start(value, now, zone)
        case datetime():
            return operator, in_utc(value, zone)
        case tuple():
            return operator, tuple(in_utc(one, zone) for one in value if isinstance(one, datetime))
        case _:
            return operator, bool(value)
