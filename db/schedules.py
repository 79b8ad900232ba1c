"""Due schedules: taken by one process at a time, moved on to their next slot in the same transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from db.connections import Connection
from db.export_schedules import SCHEDULE_COLUMNS, schedule_of
from domain.records import ScheduleRecord

__all__ = ["DueSchedule", "move_on", "note_outcome", "take_due"]

_DUE: Final = f"""
select {SCHEDULE_COLUMNS}, organization_id, now() as now
from store.export_schedules where enabled and next_run_at <= now()
order by next_run_at limit 1 for update skip locked
"""

_MOVE_ON: Final = """
update store.export_schedules set next_run_at = $3, last_job_id = coalesce($4, last_job_id),
  consecutive_failures = consecutive_failures + $5
where organization_id = $1 and id = $2
"""

_OUTCOME: Final = """
update export_schedules set consecutive_failures = case when $2 then consecutive_failures + 1 else 0 end where id = $1
"""


@dataclass(frozen=True, slots=True)
class DueSchedule:
    """A schedule whose slot has come; `now` is the database's clock."""

    organization_id: UUID
    schedule: ScheduleRecord
    slot: datetime
    now: datetime


async def take_due(connection: Connection) -> DueSchedule | None:
    """The schedule that is due the longest and that no other process is busy with; locked until the commit."""
    row = await connection.fetchrow(_DUE)
    if row is None:
        return None
    return DueSchedule(row["organization_id"], schedule_of(row), row["next_run_at"], row["now"])


async def move_on(connection: Connection, due: DueSchedule, next_run_at: datetime | None, job_id: UUID | None) -> None:
    """Set the next slot (None: never again); without a job the slot counts as a failure."""
    failures = 1 if job_id is None else 0
    await connection.execute(_MOVE_ON, due.organization_id, due.schedule.id, next_run_at, job_id, failures)


async def note_outcome(connection: Connection, schedule_id: UUID, *, failed: bool) -> None:
    """Count failures in a row, in the transaction that ends the schedule's job."""
    await connection.execute(_OUTCOME, schedule_id, failed)
