"""Statuses saved, put in order and deleted. Their leads follow at once, or by a job where there are many."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from db.connections import Connection
from db.locks import Lock, take
from db.organization_writes import Taken
from db.status_writes import (
    count_leads,
    delete_status,
    lock_statuses,
    makes_duplicates,
    move_leads,
    order_statuses,
    save_status,
)
from domain.bulk import BulkSpec, LeadPatch, LeadTarget
from domain.checks import require
from domain.errors import InputProblem, Rejected, invalid, not_found
from domain.ids import IdKind, format_id, new_id, parse_id
from domain.job_requests import SMALL_ROW_COUNT
from domain.records import StatusRecord
from domain.requests import SaveStatus
from domain.status_rules import status_problems
from domain.vocabulary import CLOSED_STAGES, DuplicateScope, LeadStage, UserErrorCode
from jobs.bulk_requests import BulkCaller, submit_whole_status
from jobs.organization_changes import note_settings, taken
from jobs.runtime import Runtime

__all__ = ["change_status", "remove_status"]


async def change_status(runtime: Runtime, caller: BulkCaller, request: SaveStatus) -> UUID:
    """Save a status; returns its id. Raises Rejected (DUPLICATE for a key in use, NOT_FOUND, INVALID)."""
    require(status_problems(request))
    async with runtime.database.unit(caller.organization.id) as connection:
        await take(connection, Lock.LEADS, caller.organization.id)
        statuses = await lock_statuses(connection)
        before = _named(statuses, request)
        status = _status(request, before, statuses)
        if not status.active and not any(other.active for other in statuses if other.id != status.id):
            raise invalid("This is the last status in use.", "input", "active")
        try:
            await save_status(connection, status, new=before is None)
        except Taken as error:
            raise taken("status", "key") from error
        await order_statuses(connection, _ordered(statuses, status))
        moved = None
        if before is not None and before.stage is not status.stage:
            await _refuse_doubles(caller, connection, before, status.stage, "input", "stage")
            moved = await _follow(runtime, caller, connection, (status, status))
        details = {"id": format_id(IdKind.STATUS, status.id), "key": status.key, "stage": status.stage.name}
        await note_settings(connection, caller.actor, f"Status {status.key} saved", details, leads=moved)
    return status.id


async def remove_status(runtime: Runtime, caller: BulkCaller, given: str, target: str) -> None:
    """Delete a status once its leads have the other one. Raises Rejected (NOT_FOUND, INVALID)."""
    async with runtime.database.unit(caller.organization.id) as connection:
        await take(connection, Lock.LEADS, caller.organization.id)
        statuses = await lock_statuses(connection)
        old, new = _found(statuses, given, "id"), _found(statuses, target, "moveLeadsTo")
        if old.id == new.id or not new.active:
            raise invalid("Name another status that is in use.", "moveLeadsTo")
        await _refuse_doubles(caller, connection, old, new.stage, "moveLeadsTo")
        moved = await _follow(runtime, caller, connection, (old, new))
        details = {"id": given, "key": old.key, "moveLeadsTo": new.key}
        await note_settings(connection, caller.actor, f"Status {old.key} deleted", details, leads=moved)


async def _refuse_doubles(
    caller: BulkCaller, connection: Connection, status: StatusRecord, stage: LeadStage, *path: str
) -> None:
    """Raises Rejected where the leads of a closed status would be doubles once they are active again."""
    scoped = caller.organization.settings.duplicate_scope is DuplicateScope.ACTIVE
    reopens = scoped and status.stage in CLOSED_STAGES and stage not in CLOSED_STAGES
    if reopens and await makes_duplicates(connection, status.id):
        raise invalid("Some of its leads have the phone of another active lead: close them first.", *path)


async def _follow(
    runtime: Runtime, caller: BulkCaller, connection: Connection, statuses: tuple[StatusRecord, StatusRecord]
) -> int | None:
    """Have the leads of the first status follow to the second; the first is deleted where it is another one.

    How many leads have followed; None where a job moves them.
    """
    old, new = statuses
    count, drop = await count_leads(connection, old.id), old.id != new.id
    if count <= SMALL_ROW_COUNT:
        await move_leads(connection, old.id, new, caller.actor.name)
        if drop:
            await delete_status(connection, old.id)
        return count
    if drop:
        await save_status(connection, replace(old, active=False), new=False)
    spec = BulkSpec(
        target=LeadTarget(filter={"status": {"eq": old.key}}, expected_count=count),
        patch=LeadPatch(status=new.key),
        whole_status=True,
        drop_status=format_id(IdKind.STATUS, old.id) if drop else None,
    )
    await submit_whole_status(runtime, caller, spec, connection)
    return None


def _named(statuses: Sequence[StatusRecord], request: SaveStatus) -> StatusRecord | None:
    return None if request.id is None else _found(statuses, request.id, "input", "id")


def _found(statuses: Sequence[StatusRecord], given: str, *path: str) -> StatusRecord:
    wanted = parse_id(IdKind.STATUS, given)
    found = next((status for status in statuses if status.id == wanted), None)
    if found is None:
        raise not_found("status", given, *path)
    return found


def _status(request: SaveStatus, before: StatusRecord | None, statuses: Sequence[StatusRecord]) -> StatusRecord:
    if any(other.key.casefold() == request.key.casefold() for other in statuses if before is None or other != before):
        message = "There is another status with this key."
        raise Rejected(InputProblem(UserErrorCode.DUPLICATE, message, ("input", "key")))
    return StatusRecord(
        id=before.id if before else new_id(),
        key=request.key,
        label=request.label.strip(),
        stage=request.stage,
        position=request.position if request.position is not None else before.position if before else len(statuses),
        color=request.color or (before.color if before else None),
        active=request.active if request.active is not None else before is None or before.active,
    )


def _ordered(statuses: Sequence[StatusRecord], saved: StatusRecord) -> list[UUID]:
    """Every status, the saved one at its place among the others."""
    others = [status.id for status in statuses if status.id != saved.id]
    place = min(saved.position, len(others))
    return [*others[:place], saved.id, *others[place:]]
