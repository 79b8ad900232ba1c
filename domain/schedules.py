"""When a schedule is due: cron expressions of five fields, read in a time zone."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from croniter import croniter

__all__ = ["is_cron", "next_run"]

_FIELDS = 5
_HOUR = 1
_CHANCE = re.compile(r"\b[RH]\b", re.IGNORECASE)
"""Slots that the library would draw anew each time it is asked."""


def is_cron(text: str) -> bool:
    """Whether the text is a cron expression of minute, hour, day, month and weekday that is ever due."""
    if len(text.split()) != _FIELDS or _CHANCE.search(text) or not croniter.is_valid(text):
        return False
    try:
        next_run(text, ZoneInfo("UTC"), datetime.now(UTC))
    except ValueError:
        return False
    return True


def next_run(cron: str, zone: ZoneInfo, after: datetime) -> datetime:
    """The first slot after an instant, in UTC.

    An hour that the clocks skip is due when they have jumped; one that they repeat is due once, except for expressions
    that run every hour. Raises ValueError for an expression that is none or is never due.
    """
    slots = croniter(cron, after.astimezone(zone))
    hourly = croniter.expand(cron)[0][_HOUR] == ["*"]  # of `0-23` too, and not of `*/2`
    while True:
        slot: datetime = slots.get_next(datetime)
        if hourly or slot.fold == 0:
            return slot.astimezone(UTC)
