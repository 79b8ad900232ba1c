"""Schedules as callers save and see them; db/schedules.py runs them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from db.api_keys import ACTIVE
from db.connections import Connection, Row
from domain.actors import Actor, ActorKind, ActorRef
from domain.json import JsonObject, JsonValue
from domain.records import ScheduleRecord
from domain.vocabulary import Permission, Role

__all__ = [
    "SCHEDULE_COLUMNS",
    "NewSchedule",
    "Owner",
    "delete_schedule",
    "delta_token_of",
    "list_schedules",
    "load_schedule",
    "owner_of",
    "remember_job",
    "remember_token",
    "schedule_of",
    "write_schedule",
]

SCHEDULE_COLUMNS: Final = """id, name, cron, time_zone, enabled, spec, incremental, skip_when_empty, deliver,
  actor_kind, actor_id, actor_name, next_run_at, last_job_id, consecutive_failures"""
_WRITE: Final = f"""
insert into export_schedules (id, name, cron, time_zone, enabled, spec, incremental, skip_when_empty, deliver,
  actor_kind, actor_id, actor_name, next_run_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (organization_id, id) do update set name = excluded.name, cron = excluded.cron,
  time_zone = excluded.time_zone, enabled = excluded.enabled, spec = excluded.spec,
  incremental = excluded.incremental, skip_when_empty = excluded.skip_when_empty, deliver = excluded.deliver,
  actor_kind = excluded.actor_kind, actor_id = excluded.actor_id, actor_name = excluded.actor_name,
  next_run_at = excluded.next_run_at, consecutive_failures = 0,
  delta_token = case when export_schedules.spec = excluded.spec then export_schedules.delta_token end
returning {SCHEDULE_COLUMNS}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSchedule:
    """A schedule to write; another spec forgets what the last run of an incremental one had seen."""

    id: UUID
    name: str
    cron: str
    time_zone: str
    enabled: bool
    spec: JsonObject
    incremental: bool
    skip_when_empty: bool
    deliver: Sequence[JsonValue]
    next_run_at: datetime | None


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a schedule acts for, as they are now."""

    name: str
    role: Role | None
    permissions: frozenset[Permission]


async def list_schedules(connection: Connection) -> list[ScheduleRecord]:
    """Every schedule, by name."""
    rows = await connection.fetch(f"select {SCHEDULE_COLUMNS} from export_schedules order by name, id")
    return [schedule_of(row) for row in rows]


async def load_schedule(connection: Connection, schedule_id: UUID) -> ScheduleRecord | None:
    """One schedule."""
    row = await connection.fetchrow(f"select {SCHEDULE_COLUMNS} from export_schedules where id = $1", schedule_id)
    return None if row is None else schedule_of(row)


async def write_schedule(connection: Connection, actor: Actor, new: NewSchedule) -> ScheduleRecord:
    """Create the schedule, or replace the one of this id; it acts for whoever saved it last."""
    row = await connection.fetchrow(
        _WRITE,
        new.id,
        new.name,
        new.cron,
        new.time_zone,
        new.enabled,
        new.spec,
        new.incremental,
        new.skip_when_empty,
        new.deliver,
        actor.kind,
        actor.id,
        actor.name,
        new.next_run_at,
    )
    if row is None:
        raise LookupError(new.id)
    return schedule_of(row)


async def delete_schedule(connection: Connection, schedule_id: UUID) -> str | None:
    """The name of the schedule that was deleted, None where there is none."""
    return await connection.fetchval("delete from export_schedules where id = $1 returning name", schedule_id)


async def delta_token_of(connection: Connection, schedule_id: UUID) -> str | None:
    """What the next incremental run begins with, None for the first."""
    return await connection.fetchval("select delta_token from export_schedules where id = $1", schedule_id)


async def remember_token(connection: Connection, schedule_id: UUID, token: str) -> None:
    """What the run that ends with this transaction has seen."""
    await connection.execute("update export_schedules set delta_token = $2 where id = $1", schedule_id, token)


async def remember_job(connection: Connection, schedule_id: UUID, job_id: UUID) -> None:
    """The job of a run beside the slots."""
    await connection.execute("update export_schedules set last_job_id = $2 where id = $1", schedule_id, job_id)


async def owner_of(connection: Connection, owner: ActorRef) -> Owner | None:
    """The user or key that a schedule acts for, None where they may not act any more.

    A user's permissions follow from the role: they are empty here.
    """
    match owner.kind:
        case ActorKind.USER:
            row = await connection.fetchrow("select name, role from users where id = $1 and active", owner.id)
            return None if row is None else Owner(row["name"], Role(row["role"]), frozenset())
        case ActorKind.API_KEY:
            sql = f"select name, permissions from api_keys where id = $1 and {ACTIVE}"
            row = await connection.fetchrow(sql, owner.id)
            return None if row is None else Owner(row["name"], None, frozenset(map(Permission, row["permissions"])))
        case ActorKind.SYSTEM:
            return Owner(owner.name, None, frozenset(Permission))


def schedule_of(row: Row) -> ScheduleRecord:
    """The schedule in a row of SCHEDULE_COLUMNS."""
    return ScheduleRecord(
        id=row["id"],
        name=row["name"],
        cron=row["cron"],
        time_zone=row["time_zone"],
        enabled=row["enabled"],
        spec=row["spec"],
        incremental=row["incremental"],
        skip_when_empty=row["skip_when_empty"],
        deliver=row["deliver"],
        actor=ActorRef(ActorKind(row["actor_kind"]), row["actor_id"], row["actor_name"]),
        next_run_at=row["next_run_at"],
        last_job_id=row["last_job_id"],
        consecutive_failures=row["consecutive_failures"],
    )
