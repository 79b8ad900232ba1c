"""Relative periods and instants without offset, both read in an organization's time zone."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from domain.filters import Period
from domain.vocabulary import PeriodUnit

_MONTHS_A_YEAR = 12


def in_utc(instant: datetime, zone: ZoneInfo) -> datetime:
    """The instant in UTC; one without offset is a wall clock of the zone."""
    return (instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(UTC)


def period_start(period: Period, now: datetime, zone: ZoneInfo) -> datetime:
    """When a period that rolls back from `now` began, in UTC.

    Hours are exact; days, weeks, months and years keep the zone's wall clock, and a day that a month does not have
    becomes its last. A start before the year 1 is the first instant there is.
    """
    local = now.astimezone(zone)
    try:
        return _rolled_back(period, local).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.min.replace(tzinfo=UTC)


def _rolled_back(period: Period, local: datetime) -> datetime:
    match period.unit:
        case PeriodUnit.HOUR:
            return local.astimezone(UTC) - timedelta(hours=period.last)
        case PeriodUnit.DAY:
            return local - timedelta(days=period.last)
        case PeriodUnit.WEEK:
            return local - timedelta(weeks=period.last)
        case PeriodUnit.MONTH:
            return _months_before(local, period.last)
        case PeriodUnit.YEAR:
            return _months_before(local, period.last * _MONTHS_A_YEAR)
        case _:
            assert_never(period.unit)


def _months_before(local: datetime, months: int) -> datetime:
    year, month = divmod(local.year * _MONTHS_A_YEAR + local.month - 1 - months, _MONTHS_A_YEAR)
    day = min(local.day, monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day)
