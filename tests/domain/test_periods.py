from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from domain.filters import Period
from domain.periods import in_utc, period_start
from domain.vocabulary import PeriodUnit

PARIS = ZoneInfo("Europe/Paris")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("last", "unit", "now", "start"),
    [
        (3, PeriodUnit.HOUR, "2024-03-31T03:00:00+00:00", "2024-03-31T00:00:00+00:00"),
        (1, PeriodUnit.DAY, "2024-03-31T10:00:00+00:00", "2024-03-30T11:00:00+00:00"),
        (2, PeriodUnit.WEEK, "2024-02-15T10:00:00+00:00", "2024-02-01T10:00:00+00:00"),
        (1, PeriodUnit.MONTH, "2024-03-31T12:00:00+00:00", "2024-02-29T13:00:00+00:00"),
        (1, PeriodUnit.YEAR, "2024-02-29T12:00:00+00:00", "2023-02-28T12:00:00+00:00"),
        (10_000, PeriodUnit.YEAR, "2024-02-29T12:00:00+00:00", "0001-01-01T00:00:00+00:00"),
    ],
)
def test_a_period_rolls_back_from_now_on_the_zone_s_wall_clock(last: object, unit: object, now: object, start: object):
    assert period_start(Period(last, unit), at(now), PARIS) == at(start)


def test_an_instant_without_offset_is_a_wall_clock_of_the_zone():
    assert in_utc(at("2024-07-01T12:00:00"), PARIS) == datetime(2024, 7, 1, 10, tzinfo=UTC)


def test_an_instant_with_offset_stays_what_it_is():
    assert in_utc(at("2024-07-01T12:00:00+05:30"), PARIS) == at("2024-07-01T06:30:00+00:00")
