"""When schedules are due, across the changes of the clocks."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from domain.schedules import is_cron, next_run

NEW_YORK = ZoneInfo("America/New_York")


def slots(cron: str, zone: ZoneInfo, after: datetime, count: int) -> list[str]:
    found = []
    for _ in range(count):
        after = next_run(cron, zone, after)
        found.append(after.isoformat())
    return found


def test_a_slot_is_a_wall_clock_of_its_zone():
    assert slots("30 8 * * 1", ZoneInfo("Asia/Jerusalem"), datetime(2024, 1, 10, tzinfo=UTC), 1) == [
        "2024-01-15T06:30:00+00:00"
    ]


def test_an_hour_that_the_clocks_repeat_is_due_once():
    after = datetime(2026, 10, 31, 12, tzinfo=UTC)
    assert slots("30 1 * * *", NEW_YORK, after, 2) == ["2026-11-01T05:30:00+00:00", "2026-11-02T06:30:00+00:00"]


def test_what_runs_every_second_hour_is_due_once_in_a_repeated_one():
    after = datetime(2026, 10, 24, 23, tzinfo=UTC)
    assert slots("0 */2 * * *", ZoneInfo("Europe/Paris"), after, 2) == [
        "2026-10-25T00:00:00+00:00",
        "2026-10-25T03:00:00+00:00",
    ]


@pytest.mark.parametrize("hour", ["*", "0-23", "*/1"])
def test_what_runs_every_hour_runs_in_the_repeated_one_too(hour: str):
    times = slots(f"0 {hour} * * *", NEW_YORK, datetime(2026, 11, 1, 4, tzinfo=UTC), 4)
    gaps = {datetime.fromisoformat(b) - datetime.fromisoformat(a) for a, b in pairwise(times)}
    assert [gap.total_seconds() for gap in gaps] == [3600]


def test_an_hour_that_the_clocks_skip_is_due_when_they_have_jumped():
    after = datetime(2026, 3, 7, 12, tzinfo=UTC)
    assert slots("30 2 * * *", NEW_YORK, after, 2) == ["2026-03-08T07:00:00+00:00", "2026-03-09T06:30:00+00:00"]


@pytest.mark.parametrize("cron", ["0 8 * * *", "*/15 9-17 * * 1-5", "0 0 1 1 *", "0 8 * MAR THU"])
def test_expressions_of_five_fields_are_taken(cron: str):
    assert is_cron(cron)


@pytest.mark.parametrize(
    "cron",
    [
        "",
        "@daily",
        "* * * *",
        "* * * * * *",
        "61 * * * *",
        "0 0 30 2 *",
        "a b c d e",
        "R R * * *",
        "H(0-9) 8 * * *",
        "r/5 * * * *",
    ],
)
def test_anything_else_is_refused(cron: str):
    assert not is_cron(cron)
