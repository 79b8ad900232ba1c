"""Single leads: created under the rules of an import, changed, noted, called."""

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from db.activity import Act, doer_of, record
from db.connections import Connection
from db.idempotency import remember_answer
from db.import_facts import ImportFacts, load_facts
from db.lead_writes import (
    LeadKeys,
    NewCall,
    add_call,
    add_note,
    clear_national_id,
    forget_call_length,
    lock_lead,
    other_lead,
)
from db.locks import Lock, take
from domain.actors import Actor
from domain.checks import idempotency_key_problems, require
from domain.documents import LeadDocument
from domain.errors import ConflictProblem, Path, Problem, Rejected, known_id, not_found
from domain.ids import IdKind, format_id
from domain.imports import ImportOptions
from domain.instants import given_instant
from domain.lead_issues import problems_of
from domain.lead_requests import call_problems, change_problems, document_problems, identity_problems
from domain.records import NoteRecord, OrganizationRecord
from domain.requests import AddNote, CreateLead, RecordCall, UpdateLead
from domain.stored import encode, to_json
from domain.texts import text_problems
from domain.vocabulary import (
    ActivityAction,
    BlankCells,
    DuplicateScope,
    LeadFieldKey,
    MatchKey,
    MergeStrategy,
    Permission,
    RowOutcome,
    UserErrorCode,
)
from jobs.idempotency import earlier_answer, input_hash
from jobs.lead_pushes import Push, PushedLead, push
from jobs.runtime import Runtime

__all__ = ["DuplicateLead", "WrittenLead", "create_lead", "note_lead", "record_call", "update_lead"]

_K = LeadFieldKey
_CREATE: Final = "createLead"
_LEAD: Final[Path] = ("input", "lead")
_SET: Final[Path] = ("input", "set")
_REKEYING: Final = frozenset({_K.PHONE, _K.EMAIL, _K.EXTERNAL_ID, _K.STATUS})
"""Fields that may make a lead the double of another, or no longer one."""
_RULES: Final = ImportOptions(required=(), must_be_valid=(_K.ASSIGNEE,), blank_cells=BlankCells.CLEAR)
_LONGEST_NOTE: Final = 100_000


class DuplicateLead(Rejected):
    """There is such a lead already: nothing was done."""

    def __init__(self, lead_id: UUID, path: Path) -> None:
        super().__init__(Problem(UserErrorCode.DUPLICATE, "There is a lead with these keys already.", path))
        self.lead_id = lead_id


@dataclass(frozen=True, slots=True)
class WrittenLead:
    """The lead, and whether it was there already."""

    lead_id: UUID
    existed: bool = False


async def create_lead(runtime: Runtime, actor: Actor, request: CreateLead) -> WrittenLead:
    """Create a lead, or merge it into the one that it doubles; the same idempotency key again gives the same lead.

    Raises DuplicateLead (SKIP), Rejected, Forbidden.
    """
    _authorize(actor, request.lead, ())
    require(
        (
            *document_problems(request.lead, _LEAD),
            *identity_problems(request.lead, _LEAD),
            *idempotency_key_problems(request.idempotency_key),
        )
    )
    options = replace(_RULES, merge_strategy=request.on_duplicate)
    digest = _hash(request)
    async with runtime.database.unit(actor.organization_id) as connection:
        facts = await load_facts(connection, runtime.limits)
        await take(connection, Lock.LEADS, actor.organization_id)
        key = request.idempotency_key
        if (earlier := await earlier_answer(connection, _CREATE, key, digest, WrittenLead)) is not None:
            return earlier
        (pushed,) = await push(runtime, connection, actor, Push((request.lead,), options, facts))
        written = _created(pushed, facts)
        if key is not None:
            await remember_answer(connection, _CREATE, key, digest, encode(written))
        await _note(connection, actor, pushed, _fields(request.lead, ()))
    return written


async def update_lead(
    runtime: Runtime, organization: OrganizationRecord, actor: Actor, request: UpdateLead
) -> WrittenLead:
    """Change a lead. Raises DuplicateLead, Rejected (VERSION_CONFLICT, NOT_FOUND), Forbidden."""
    _authorize(actor, request.set, request.clear)
    require((*document_problems(request.set, _SET), *change_problems(request, _SET)))
    lead_id = known_id(IdKind.LEAD, "lead", request.id, "input", "id")
    async with runtime.database.unit(actor.organization_id) as connection:
        facts = await load_facts(connection, runtime.limits)
        if not _REKEYING.isdisjoint((*request.set.values, *request.clear)):
            await take(connection, Lock.LEADS, actor.organization_id)
        before = await _locked(connection, request, lead_id)
        pushed = await _merge(runtime, connection, actor, _Change(_moving(request, before), lead_id, facts))
        await _require_single(connection, organization, lead_id, before)
        await _note(connection, actor, pushed, _fields(request.set, request.clear))
    return WrittenLead(lead_id, existed=True)


async def note_lead(runtime: Runtime, actor: Actor, request: AddNote) -> NoteRecord:
    """Add a note to a lead. Raises Rejected."""
    require(text_problems(request.text, _LONGEST_NOTE, ("input", "text")))
    lead_id = known_id(IdKind.LEAD, "lead", request.lead_id, "input", "leadId")
    async with runtime.database.unit(actor.organization_id) as connection:
        note = await add_note(connection, lead_id, request.text.strip(), actor.name)
        if note is None:
            raise not_found("lead", request.lead_id, "input", "leadId")
        await _record(connection, actor, lead_id, ("notes",))
    return note


async def record_call(runtime: Runtime, organization: OrganizationRecord, actor: Actor, request: RecordCall) -> UUID:
    """Record a call with a lead; returns the lead. Raises Rejected, BadInput."""
    require(call_problems(request))
    lead_id = known_id(IdKind.LEAD, "lead", request.lead_id, "input", "leadId")
    call = NewCall(
        lead_id=lead_id,
        at=given_instant(request.at, ZoneInfo(organization.settings.time_zone), ("input", "at")),
        status=request.status.strip(),
        duration_seconds=request.duration_seconds,
    )
    async with runtime.database.unit(actor.organization_id) as connection:
        if not await add_call(connection, call, actor.name):
            raise not_found("lead", request.lead_id, "input", "leadId")
        await _record(connection, actor, lead_id, ("last_call_at",))
    return lead_id


@dataclass(frozen=True, slots=True)
class _Change:
    request: UpdateLead
    lead_id: UUID
    facts: ImportFacts


async def _merge(runtime: Runtime, connection: Connection, actor: Actor, change: _Change) -> PushedLead:
    request = change.request
    options = replace(_RULES, merge_strategy=MergeStrategy.OVERWRITE, match_on=(MatchKey.LEAD_ID,))
    values = {**request.set.values, _K.LEAD_ID: format_id(IdKind.LEAD, change.lead_id)}
    document = replace(request.set, values=values)
    (pushed,) = await push(runtime, connection, actor, Push((document,), options, change.facts, request.clear))
    if pushed.outcome is RowOutcome.FAILED:
        raise Rejected(*problems_of(pushed.issues, _SET, _keys(change.facts)))
    if _K.LAST_CALL_AT in request.clear:
        await forget_call_length(connection, change.lead_id)
    if _K.NATIONAL_ID in request.clear:
        counted = pushed.outcome is RowOutcome.UPDATED
        if await clear_national_id(connection, change.lead_id, actor.name, counted=counted):
            return replace(pushed, outcome=RowOutcome.UPDATED)
    return pushed


async def _locked(connection: Connection, request: UpdateLead, lead_id: UUID) -> LeadKeys:
    before = await lock_lead(connection, lead_id)
    if before is None:
        raise not_found("lead", request.id, "input", "id")
    if request.expected_version is not None and request.expected_version != before.version:
        message = f"The lead has version {before.version} now, not {request.expected_version}."
        path, code = ("input", "expectedVersion"), UserErrorCode.VERSION_CONFLICT
        raise Rejected(ConflictProblem(code, message, path, current_version=before.version))
    return before


def _moving(request: UpdateLead, before: LeadKeys) -> UpdateLead:
    """The request without a status that the lead has: it may be one that is no longer in use."""
    given = request.set.values
    if str(given.get(_K.STATUS, "")).strip().casefold() != before.status:
        return request
    return replace(request, set=replace(request.set, values={key: given[key] for key in given if key is not _K.STATUS}))


async def _require_single(
    connection: Connection, organization: OrganizationRecord, lead_id: UUID, before: LeadKeys
) -> None:
    """Refuse what would make this lead the double of another: a new key, or being active again."""
    after = await lock_lead(connection, lead_id)
    if after is None:
        return
    scoped = organization.settings.duplicate_scope is DuplicateScope.ACTIVE
    external_id = after.external_id if after.external_id != before.external_id else None
    renewed = after.phone_key != before.phone_key or (scoped and not before.active)
    phone = after.phone_key if renewed and (after.active or not scoped) else None
    other = await other_lead(connection, lead_id, external_id, phone, active_only=scoped)
    if other is not None:
        raise DuplicateLead(other, _SET)


def _keys(facts: ImportFacts) -> tuple[str, ...]:
    return tuple(status.key for status in facts.statuses)


def _created(pushed: PushedLead, facts: ImportFacts) -> WrittenLead:
    if pushed.outcome is RowOutcome.FAILED or pushed.lead_id is None:
        raise Rejected(*problems_of(pushed.issues, _LEAD, _keys(facts)))
    if pushed.outcome is RowOutcome.SKIPPED:
        raise DuplicateLead(pushed.lead_id, _LEAD)
    return WrittenLead(pushed.lead_id, existed=pushed.outcome is not RowOutcome.CREATED)


async def _note(connection: Connection, actor: Actor, pushed: PushedLead, fields: tuple[str, ...]) -> None:
    if pushed.lead_id is None or pushed.outcome not in (RowOutcome.CREATED, RowOutcome.UPDATED):
        return
    created = pushed.outcome is RowOutcome.CREATED
    action = ActivityAction.LEAD_CREATED if created else ActivityAction.LEAD_UPDATED
    await _record(connection, actor, pushed.lead_id, fields, action)


async def _record(
    connection: Connection,
    actor: Actor,
    lead_id: UUID,
    fields: tuple[str, ...],
    action: ActivityAction = ActivityAction.LEAD_UPDATED,
) -> None:
    """Names of fields alone: what they hold is the lead's."""
    word = "created" if action is ActivityAction.LEAD_CREATED else f"changed: {', '.join(fields)}"
    act = Act(action=action, summary=f"Lead {word}", lead_id=lead_id, lead_count=1, details={"fields": list(fields)})
    await record(connection, doer_of(actor), act)


def _authorize(actor: Actor, document: LeadDocument, clear: tuple[LeadFieldKey, ...]) -> None:
    needed = [Permission.LEADS_WRITE]
    if _K.ASSIGNEE in document.values or _K.ASSIGNEE in clear:
        needed.append(Permission.LEADS_ASSIGN)
    actor.require(*needed)


def _fields(document: LeadDocument, clear: tuple[LeadFieldKey, ...]) -> tuple[str, ...]:
    custom = (f"custom.{key}" for key in document.custom)
    return (*sorted({key.value for key in (*document.values, *clear)}), *custom)


def _hash(request: CreateLead) -> str:
    asked = [to_json(request.lead.values), to_json(request.lead.custom), request.on_duplicate]
    return input_hash(asked)
