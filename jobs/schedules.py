"""Exports that run by themselves: each slot once, however many processes look, however late they are.

The slot is in the job's idempotency key: a process that dies between the job and the schedule's next slot leaves a
second one nothing to submit. Slots missed while nothing ran are made up for by one run.
"""

import logging
from collections.abc import Awaitable, Callable
from uuid import UUID
from zoneinfo import ZoneInfo

from db.activity import Act, record, system_doer
from db.schedules import DueSchedule, move_on, take_due
from domain.errors import BadInput, Forbidden, Rejected
from domain.schedules import next_run
from domain.vocabulary import ActivityAction
from jobs.runtime import Runtime

__all__ = ["SubmitScheduled", "slot_key", "tick"]

SubmitScheduled = Callable[[Runtime, DueSchedule], Awaitable[UUID]]
"""Submits the schedule's export with `slot_key` as its idempotency key; returns the job. Raises Rejected, BadInput or
Forbidden where it cannot run (any more)."""

_log = logging.getLogger(__name__)


def slot_key(due: DueSchedule) -> str:
    """The idempotency key of a slot's job."""
    return f"schedule {due.schedule.id} {due.slot.isoformat()}"


async def tick(runtime: Runtime, submit: SubmitScheduled) -> int:
    """Run every schedule whose slot has come; how many."""
    count = 0
    while await _run_one(runtime, submit):
        count += 1
    return count


async def _run_one(runtime: Runtime, submit: SubmitScheduled) -> bool:
    async with runtime.system.unit() as connection:
        due = await take_due(connection)
        if due is None:
            return False
        job_id = await _submit(runtime, submit, due)
        zone = ZoneInfo(due.schedule.time_zone)
        await move_on(connection, due, next_run(due.schedule.cron, zone, due.now), job_id)
        return True


async def _submit(runtime: Runtime, submit: SubmitScheduled, due: DueSchedule) -> UUID | None:
    try:
        return await submit(runtime, due)
    except (Rejected, BadInput, Forbidden) as error:
        _log.warning("schedule %s cannot run: %s", due.schedule.id, error)
        summary = f"{due.schedule.name}: the scheduled export could not run: {error}"
        async with runtime.database.unit(due.organization_id) as connection:
            await record(connection, system_doer(), Act(action=ActivityAction.EXPORT_FAILED, summary=summary))
        return None
