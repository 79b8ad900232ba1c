"""Scheduled exports: saved, listed, run by hand or when their slot comes, for whoever saved them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from db.activity import Act, doer_of, record
from db.connections import Connection
from db.export_facts import snapshot_mark
from db.export_schedules import (
    NewSchedule,
    Owner,
    delete_schedule,
    delta_token_of,
    list_schedules,
    load_schedule,
    owner_of,
    remember_job,
    write_schedule,
)
from db.jobs import load_job_by_key
from db.organizations import load_organization
from db.people import find_user
from db.schedules import DueSchedule
from domain.actors import Actor, ActorKind, ActorRef
from domain.delta_token import delta_token
from domain.errors import Forbidden, invalid, not_found
from domain.exports import Delivery, ExportRequest, ExportSpec
from domain.ids import IdKind, new_id, parse_id
from domain.jobs import JobRecord
from domain.json import JsonValue
from domain.masking import masks_for
from domain.permissions import permissions_of
from domain.records import OrganizationRecord, ScheduleRecord
from domain.requests import SaveSchedule
from domain.schedules import is_cron, next_run
from domain.stored import decode, encode
from domain.vocabulary import ActivityAction, JobTrigger, Permission, Role
from jobs.export_details import shown_schedule
from jobs.export_recipients import check_recipients, without_missing_endpoints
from jobs.export_requests import Occasion, check_names, prepare, submit_export
from jobs.runtime import Runtime
from jobs.schedules import slot_key

SHOWN_RUNS: Final = 5


async def schedules(runtime: Runtime, actor: Actor) -> list[ScheduleRecord]:
    """Every schedule, by name, as the caller may see it. Raises Forbidden without SCHEDULES_MANAGE."""
    actor.require(Permission.SCHEDULES_MANAGE)
    async with runtime.database.unit(actor.organization_id) as connection:
        masks = masks_for(actor, (await load_organization(connection)).settings)
        return [shown_schedule(schedule, masks) for schedule in await list_schedules(connection)]


async def save_schedule(
    runtime: Runtime, actor: Actor, request: SaveSchedule
) -> tuple[ScheduleRecord, Sequence[datetime]]:
    """Create a schedule, or replace one; with its next runs. Raises Rejected, Forbidden without SCHEDULES_MANAGE."""
    actor.require(Permission.SCHEDULES_MANAGE)
    if not is_cron(request.cron):
        raise invalid("Five fields that are ever due are needed, such as 0 7 * * 1.", "input", "cron")
    if request.spec.since is not None:
        raise invalid("A schedule is incremental instead.", "input", "spec", "since")
    async with runtime.database.unit(actor.organization_id) as connection:
        await check_recipients(connection, request.deliver)
        organization = await load_organization(connection, runtime.limits)
        prepared = await prepare(connection, actor, organization, request.spec)
        await _check_delta(connection, actor, organization, request)
    await check_names(runtime, actor, prepared)
    runs = _next_runs(request.cron, request.time_zone)
    async with runtime.database.unit(actor.organization_id) as connection:
        before = await _before(connection, request.id)
        saved = await write_schedule(connection, actor, _new(request, before, runs))
        await _note(connection, actor, f"Schedule {saved.name} saved")
    return saved, runs if saved.enabled else ()


async def _check_delta(
    connection: Connection, actor: Actor, organization: OrganizationRecord, request: SaveSchedule
) -> None:
    """Raises Rejected where an incremental schedule could run once and never again."""
    if not request.incremental or request.spec.sample_rows is not None:
        return
    mark = await snapshot_mark(connection)
    spec = replace(request.spec, since=delta_token(mark.identity, mark.xmin))
    await prepare(connection, actor, organization, spec)


async def drop_schedule(runtime: Runtime, actor: Actor, given: str) -> None:
    """Delete a schedule; its jobs stay. Raises Rejected (NOT_FOUND), Forbidden without SCHEDULES_MANAGE."""
    actor.require(Permission.SCHEDULES_MANAGE)
    schedule_id = parse_id(IdKind.SCHEDULE, given)
    async with runtime.database.unit(actor.organization_id) as connection:
        name = await delete_schedule(connection, schedule_id) if schedule_id else None
        if name is None:
            raise not_found("schedule", given, "id")
        await _note(connection, actor, f"Schedule {name} deleted")


async def run_schedule(runtime: Runtime, actor: Actor, given: str) -> JobRecord:
    """Run a schedule now, beside its slots, for the caller. Raises Rejected, Forbidden."""
    actor.require(Permission.SCHEDULES_MANAGE)
    schedule_id = parse_id(IdKind.SCHEDULE, given)
    async with runtime.database.unit(actor.organization_id) as connection:
        schedule = await load_schedule(connection, schedule_id) if schedule_id else None
    if schedule is None:
        raise not_found("schedule", given, "id")
    job = await _submit(runtime, actor, schedule, None)
    async with runtime.database.unit(actor.organization_id) as connection:
        await remember_job(connection, schedule.id, job.id)
    return job


async def submit_scheduled(runtime: Runtime, due: DueSchedule) -> UUID:
    """Submit the export of a slot, for whoever saved the schedule, with what they may do now.

    Raises Rejected, BadInput, Forbidden where it cannot run.
    """
    async with runtime.database.unit(due.organization_id) as connection:
        if earlier := await load_job_by_key(connection, slot_key(due)):  # since then it may have got another `since`
            return earlier.record.id
        actor = await _actor(runtime, connection, due.organization_id, due.schedule.actor)
    job = await _submit(runtime, actor, due.schedule, slot_key(due))
    return job.id


async def _submit(runtime: Runtime, actor: Actor, schedule: ScheduleRecord, key: str | None) -> JobRecord:
    spec = decode(ExportSpec, schedule.spec)
    async with runtime.database.unit(actor.organization_id) as connection:
        if schedule.incremental:
            spec = replace(spec, since=await delta_token_of(connection, schedule.id))
        deliver = await without_missing_endpoints(connection, tuple(_deliveries(schedule.deliver)))
    request = ExportRequest(spec=spec, name=schedule.name, deliver=deliver, idempotency_key=key)
    occasion = Occasion(schedule_id=schedule.id, trigger=JobTrigger.SCHEDULE, skip_when_empty=schedule.skip_when_empty)
    return await submit_export(runtime, actor, request, occasion=occasion)


async def _actor(runtime: Runtime, connection: Connection, organization_id: UUID, owner: ActorRef) -> Actor:
    found = await owner_of(connection, owner) or await _visitor(runtime, owner)
    if found is None:
        raise Forbidden(Permission.LEADS_EXPORT)
    permissions = found.permissions
    if found.role is not None:
        settings = (await load_organization(connection)).settings
        permissions = permissions_of(found.role, frozenset(settings.export_roles))
    return Actor(owner.kind, organization_id, owner.id, found.name, found.role, permissions)


async def _visitor(runtime: Runtime, owner: ActorRef) -> Owner | None:
    """A SYSTEM_ADMIN who saved the schedule of an organization that is not their own."""
    found = await find_user(runtime.system, owner.id) if owner.kind is ActorKind.USER and owner.id else None
    if found is None or found.role is not Role.SYSTEM_ADMIN:
        return None
    return Owner(found.name, found.role, frozenset())


async def _before(connection: Connection, given: str | None) -> ScheduleRecord | None:
    if given is None:
        return None
    schedule_id = parse_id(IdKind.SCHEDULE, given)
    before = await load_schedule(connection, schedule_id) if schedule_id else None
    if before is None:
        raise not_found("schedule", given, "input", "id")
    return before


def _new(request: SaveSchedule, before: ScheduleRecord | None, runs: Sequence[datetime]) -> NewSchedule:
    enabled = request.enabled if request.enabled is not None else before is None or before.enabled
    return NewSchedule(
        id=before.id if before else new_id(),
        name=request.name,
        cron=request.cron,
        time_zone=request.time_zone,
        enabled=enabled,
        spec=encode(request.spec),
        incremental=bool(request.incremental),
        skip_when_empty=bool(request.skip_when_empty),
        deliver=[encode(delivery) for delivery in request.deliver],
        next_run_at=runs[0] if enabled else None,
    )


def _next_runs(cron: str, zone: str) -> Sequence[datetime]:
    runs: list[datetime] = []
    moment = datetime.now(UTC)
    for _ in range(SHOWN_RUNS):
        moment = next_run(cron, ZoneInfo(zone), moment)
        runs.append(moment)
    return runs


def _deliveries(document: JsonValue) -> Iterator[Delivery]:
    entries = document if isinstance(document, list) else []
    for entry in entries:
        if isinstance(entry, Mapping):
            yield decode(Delivery, entry)


async def _note(connection: Connection, actor: Actor, summary: str) -> None:
    await record(connection, doer_of(actor), Act(action=ActivityAction.SCHEDULE_CHANGED, summary=summary))
