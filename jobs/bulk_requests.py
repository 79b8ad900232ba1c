"""A bulk operation from the request to its job: everything is checked, and its leads are written down with it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from db.bulk import missing_users
from db.bulk_statements import BulkChange, StatusChange
from db.bulk_targets import add_filter_target, add_id_target, is_new_job, save_result
from db.connections import Connection
from db.custom_fields import custom_fields_with
from db.filters import FilterContext
from db.jobs import load_job
from db.references import check_references
from db.statuses import find_status
from domain.actors import Actor
from domain.bulk import BulkRequest, BulkResult, BulkSpec, LeadTarget
from domain.errors import (
    BadInput,
    ConflictProblem,
    InputProblem,
    LimitProblem,
    NotFoundProblem,
    Path,
    Rejected,
)
from domain.fields import MAX_CUSTOM_FIELDS
from domain.filter_input import read_filter
from domain.filters import EVERYTHING, LeadFilter
from domain.ids import IdKind, parse_id
from domain.job_requests import SMALL_ROW_COUNT, NewJob
from domain.job_rules import RULES
from domain.jobs import JobRecord
from domain.masking import masks_for
from domain.patches import PATCH, LeadChange, change_of
from domain.records import OrganizationRecord
from domain.stored import encode
from domain.vocabulary import DuplicateScope, JobKind, LeadFieldKey, LeadStage, Permission, UserErrorCode
from jobs.lifecycle import submit
from jobs.runtime import Runtime

__all__ = ["BulkCaller", "resolve_change", "submit_bulk", "submit_whole_status"]

TARGET: Final[Path] = ("input", "target")
_NOUNS: Final = {JobKind.BULK_UPDATE: "Update", JobKind.BULK_ASSIGN: "Assign", JobKind.BULK_DELETE: "Delete"}


@dataclass(frozen=True, slots=True)
class BulkCaller:
    """Who asks, in which organization, and when: relative periods of a filter count back from there."""

    actor: Actor
    organization: OrganizationRecord
    now: datetime


async def submit_bulk(runtime: Runtime, caller: BulkCaller, kind: JobKind, request: BulkRequest) -> JobRecord:
    """Queue a bulk operation on exactly the leads that its target names now.

    Raises Rejected (COUNT_CHANGED where a filter finds another number than expected), BadInput, Forbidden.
    """
    _authorize(caller.actor, kind, request.spec)
    target = _Target.read(request.spec.target, caller)
    if target.tree is not None:
        await check_references(runtime.database, caller.organization.id, target.tree)
    async with runtime.database.unit(caller.organization.id) as connection:
        await resolve_change(connection, caller.organization, caller.actor, request.spec)
        job = await submit(runtime, caller.actor, _new_job(kind, request, target, caller), connection)
        if await is_new_job(connection, job.id):
            matched = await target.add(connection, job.id)
            _require_expected(request.spec.target, matched)
            await save_result(connection, job.id, BulkResult(matched=matched))
        stored = await load_job(connection, job.id)
    return stored.record if stored else job


async def submit_whole_status(
    runtime: Runtime, caller: BulkCaller, spec: BulkSpec, connection: Connection
) -> JobRecord:
    """Queue what follows from a change of a status itself, in the transaction of that change."""
    target = _Target.read(spec.target, caller)
    new = _new_job(JobKind.BULK_UPDATE, BulkRequest(spec=spec), target, caller)
    job = await submit(runtime, caller.actor, new, connection)
    await save_result(connection, job.id, BulkResult(matched=await target.add(connection, job.id)))
    return job


async def resolve_change(
    connection: Connection, organization: OrganizationRecord, actor: Actor, spec: BulkSpec
) -> BulkChange:
    """What is done to each lead, everything that it names looked up. Raises Rejected."""
    change = change_of(spec.patch)
    status = await _status(connection, change, organization, whole=spec.whole_status)
    await _check_custom(connection, change)
    return BulkChange(
        who=actor.name,
        lead=change,
        status=status,
        assignees=await _assignees(connection, spec.assignee_ids),
        dry_run=spec.dry_run,
    )


@dataclass(frozen=True, slots=True)
class _Target:
    """Which leads: ids, each once, or a filter; `expected` is how many there should be at most."""

    given: tuple[str, ...]
    ids: tuple[UUID | None, ...]
    tree: LeadFilter | None
    context: FilterContext
    expected: int

    @classmethod
    def read(cls, target: LeadTarget, caller: BulkCaller) -> "_Target":
        settings, limits = caller.organization.settings, caller.organization.limits
        context = FilterContext(
            now=caller.now,
            zone=ZoneInfo(settings.time_zone),
            country=settings.default_country,
            masks=masks_for(caller.actor, settings),
        )
        if target.ids is None:
            place = (*TARGET, "filter")
            tree = read_filter(target.filter, place) if target.filter else EVERYTHING
            return cls((), (), tree, context, target.expected_count or 0)
        if len(target.ids) > limits.max_bulk_ids:
            message = f"At most {limits.max_bulk_ids} ids can be given; use a filter for more."
            most, actual = limits.max_bulk_ids, len(target.ids)
            code = UserErrorCode.LIMIT_EXCEEDED
            raise Rejected(LimitProblem(code, message, (*TARGET, "ids"), limit=most, actual=actual))
        given = tuple(dict.fromkeys(target.ids))
        return cls(given, tuple(parse_id(IdKind.LEAD, text) for text in given), None, context, len(given))

    async def add(self, connection: Connection, job_id: UUID) -> int:
        """Write the leads down; how many there are. Raises BadInput with a path into the input."""
        if self.tree is None:
            return await add_id_target(connection, job_id, self.given, self.ids)
        try:
            return await add_filter_target(connection, job_id, self.tree, self.context)
        except BadInput as error:
            raise error.under(*TARGET) from error


def _authorize(actor: Actor, kind: JobKind, spec: BulkSpec) -> None:
    needed = [RULES[kind].permission]
    if LeadFieldKey.ASSIGNEE in spec.patch.clear:
        needed.append(Permission.LEADS_ASSIGN)
    actor.require(*needed)


def _new_job(kind: JobKind, request: BulkRequest, target: _Target, caller: BulkCaller) -> NewJob:
    count, spec = target.expected, request.spec
    leads = "1 lead" if count == 1 else f"{count:,} leads"
    name = f"{_NOUNS[kind]} {leads}{' (dry run)' if spec.dry_run else ''}"
    return NewJob(
        kind=kind,
        name=name,
        spec=encode(spec),
        large=count > SMALL_ROW_COUNT,
        summary=f"{name} started",
        details={"fields": sorted(encode(spec.patch)), "dryRun": spec.dry_run},
        idempotency_key=request.idempotency_key,
        expires_at=caller.now + timedelta(days=caller.organization.settings.import_retention_days),
    )


def _require_expected(target: LeadTarget, matched: int) -> None:
    expected = target.expected_count
    if expected is not None and matched != expected:
        message = f"The target has {matched:,} leads now, not {expected:,}: look at them again."
        path = (*TARGET, "expectedCount")
        raise Rejected(ConflictProblem(UserErrorCode.COUNT_CHANGED, message, path))


async def _status(
    connection: Connection, change: LeadChange, organization: OrganizationRecord, *, whole: bool
) -> StatusChange | None:
    if change.status is None:
        return None
    found, known = await find_status(connection, change.status, inactive=whole)
    if found is None:
        message = "There is no status with this key or label."
        raise Rejected(InputProblem(UserErrorCode.UNKNOWN_VALUE, message, (*PATCH, "status"), known))
    guarded = not whole and organization.settings.duplicate_scope is DuplicateScope.ACTIVE
    return StatusChange(found.id, LeadStage(found.stage), guarded)


async def _check_custom(connection: Connection, change: LeadChange) -> None:
    if not change.custom.values:
        return
    count = await custom_fields_with(connection, change.custom.values)
    if count > MAX_CUSTOM_FIELDS:
        message = f"An organization has at most {MAX_CUSTOM_FIELDS} custom fields."
        code = UserErrorCode.LIMIT_EXCEEDED
        raise Rejected(LimitProblem(code, message, (*PATCH, "customFields"), limit=MAX_CUSTOM_FIELDS, actual=count))


async def _assignees(connection: Connection, given: tuple[str, ...]) -> tuple[UUID, ...]:
    path = ("input", "assigneeIds")
    parsed = {text: parse_id(IdKind.USER, text) for text in given}
    known = [found for found in parsed.values() if found]
    missing = await missing_users(connection, known) if known else set[UUID]()
    unknown = tuple(text for text, found in parsed.items() if found is None or found in missing)
    if unknown:
        message = "There is no active user with this id."
        raise Rejected(NotFoundProblem(UserErrorCode.NOT_FOUND, message, path, unknown))
    return tuple(dict.fromkeys(known))
