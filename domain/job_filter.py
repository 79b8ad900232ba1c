"""Which jobs a caller asked for, told of a job in hand: what a subscription passes on."""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from domain.filters import Operator
from domain.ids import IdKind, parse_id
from domain.instants import Bounds, bounds_of
from domain.job_details import JobFilter
from domain.job_rules import EXPORT_KINDS
from domain.jobs import JobRecord

__all__ = ["instant_bounds", "matches", "parties", "searched_texts"]


def instant_bounds(wanted: JobFilter, now: datetime, zone: ZoneInfo) -> Bounds:
    """What `created_at` asks, with relative periods reckoned from now. Raises BadInput as `read_instant` does."""
    return bounds_of(wanted.created_at, ("filter", "createdAt"), now, zone)


def matches(job: JobRecord, wanted: JobFilter, bounds: Bounds) -> bool:
    """Whether the job is one of those that the filter names; as `db.job_lists` finds them."""
    return all(
        (
            wanted.kind is None or job.kind in wanted.kind,
            wanted.state is None or job.state in wanted.state,
            wanted.trigger is None or job.trigger in wanted.trigger,
            wanted.format is None or (job.kind in EXPORT_KINDS and job.spec.get("format") in wanted.format),
            wanted.created_by_id is None or job.actor.id in parties(wanted.created_by_id),
            wanted.schedule_id is None or job.schedule_id == (parse_id(IdKind.SCHEDULE, wanted.schedule_id) or ""),
            wanted.search is None or any(wanted.search.lower() in text.lower() for text in searched_texts(job)),
            all(_COMPARE[operator](job.created_at, operand) for operator, operand in bounds),
        )
    )


def parties(shown: str) -> tuple[object, ...]:
    """The user or API key that a shown id names; empty where it names neither."""
    named = (parse_id(kind, shown) for kind in (IdKind.USER, IdKind.API_KEY))
    return tuple(one for one in named if one is not None)


def searched_texts(job: JobRecord) -> tuple[str, ...]:
    """What a search looks through: the job's name and its file's."""
    return job.name, str(job.spec.get("fileName") or "")


_Compare = Callable[[datetime, object], bool]
_COMPARE: Final[dict[Operator, _Compare]] = {
    Operator.GT: lambda at, value: isinstance(value, datetime) and at > value,
    Operator.GTE: lambda at, value: isinstance(value, datetime) and at >= value,
    Operator.LT: lambda at, value: isinstance(value, datetime) and at < value,
    Operator.LTE: lambda at, value: isinstance(value, datetime) and at <= value,
    Operator.IS_NULL: lambda _, value: not value,
}
