"""When something happened: an operator document over an instant that is no lead's, with relative periods reckoned."""

from datetime import datetime
from zoneinfo import ZoneInfo

from domain.errors import BadInput, Path
from domain.filter_input import read_instant
from domain.filters import Operator, Period, Value
from domain.json import JsonObject
from domain.periods import in_utc, period_start

__all__ = ["Bounds", "bounds_of", "given_instant"]

Bound = tuple[Operator, bool | datetime]
Bounds = tuple[Bound, ...]
"""Operators on an instant with their operands in UTC; WITHIN has become GTE."""


def bounds_of(document: JsonObject | None, path: Path, now: datetime, zone: ZoneInfo) -> Bounds:
    """What a document asks, counted back from `now`; None asks nothing. Raises BadInput as `read_instant` does."""
    operators = read_instant(document, path) if document else ()
    return tuple(_bound(operator, value, (*path, operator), now, zone) for operator, value in operators)


def given_instant(instant: datetime, zone: ZoneInfo, path: Path) -> datetime:
    """The instant in UTC; one without offset is a wall clock of the zone.

    Raises BadInput where that is before the year 1 or after 9999.
    """
    try:
        return in_utc(instant, zone)
    except OverflowError:
        raise BadInput("An instant in the years 1 to 9999 is expected here.", path) from None


def _bound(operator: Operator, value: Value, path: Path, now: datetime, zone: ZoneInfo) -> Bound:
    match value:
        case Period():
            return Operator.GTE, period_start(value, now, zone)
        case datetime():
            return operator, given_instant(value, zone, path)
        case _:
            return operator, bool(value)
