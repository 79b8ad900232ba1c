"""An export from the request to its job: everything is decided and checked before the job is made."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from db.activity import Act, doer_of, record
from db.connections import Connection
from db.export_facts import custom_labels, missing_leads, snapshot_mark, template_spec
from db.export_query import Selection, count_rows, masked_order
from db.filter_shapes import FilterContext, lower
from db.jobs import load_job_by_key
from db.organizations import load_organization
from db.references import check_references
from domain.actors import Actor
from domain.checks import idempotency_key_problems, require
from domain.delta_token import read_delta_token
from domain.errors import BadInput, InputProblem, LimitProblem, NotFoundProblem, Path, Rejected
from domain.export_plan import SPEC, ExportFacts, filter_of, names_custom, resolve
from domain.exports import ExportRequest, ExportSpec, ResolvedExport
from domain.filter_text import outline
from domain.filters import LeadFilter
from domain.ids import IdKind, format_id, parse_id
from domain.job_requests import SMALL_ROW_COUNT, NewJob
from domain.jobs import JobRecord
from domain.masking import masks_for, masks_for_some, masks_of_file
from domain.records import OrganizationRecord
from domain.stored import encode
from domain.vocabulary import ActivityAction, JobKind, JobTrigger, Permission, UserErrorCode
from jobs.export_recipients import check_recipients
from jobs.idempotency import input_hash
from jobs.lifecycle import submit
from jobs.runtime import Runtime

_LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class Prepared:
    """An export that can be carried out: with nothing left open, and the leads that it selects."""

    organization: OrganizationRecord
    resolved: ResolvedExport
    selection: Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Why an export is made now, where nobody has just asked for it."""

    schedule_id: UUID | None = None
    trigger: JobTrigger | None = None
    skip_when_empty: bool = False


async def submit_export(
    runtime: Runtime,
    actor: Actor,
    request: ExportRequest,
    connection: Connection | None = None,
    occasion: Occasion = Occasion(),
) -> JobRecord:
    """Queue an export; in the caller's transaction where one is given.

    Raises Rejected or BadInput for a wrong spec, Forbidden without LEADS_EXPORT, or LEADS_UNMASK for `unmask`.
    """
    if connection is not None:
        return await _submit(runtime, actor, request, connection, occasion)
    async with runtime.database.unit(actor.organization_id) as first:
        prepared = await prepare(first, actor, await load_organization(first, runtime.limits), request.spec)
    await check_names(runtime, actor, prepared)
    async with runtime.database.unit(actor.organization_id) as second:
        return await _submit(runtime, actor, request, second, occasion)


async def check_names(runtime: Runtime, actor: Actor, prepared: Prepared, path: Path = SPEC) -> None:
    """Raises Rejected where the filter names a status, custom field or id that is not there.

    It takes a connection of its own: hold none.
    """
    await check_filter_names(runtime, actor, prepared.selection.leads, path)


async def check_filter_names(runtime: Runtime, actor: Actor, leads: LeadFilter, path: Path) -> None:
    """As `check_names`, for a filter alone."""
    try:
        await check_references(runtime.database, actor.organization_id, leads)
    except BadInput as error:
        raise Rejected(error.under(*path).problem) from error


async def _submit(
    runtime: Runtime, actor: Actor, request: ExportRequest, connection: Connection, occasion: Occasion
) -> JobRecord:
    require(idempotency_key_problems(request.idempotency_key))
    await check_recipients(connection, request.deliver)
    organization = await load_organization(connection, runtime.limits)
    prepared = await prepare(connection, actor, organization, request.spec)
    counting = count_rows(prepared.selection, SMALL_ROW_COUNT + 1)
    rows: int = await connection.fetchval(counting.sql, *counting.arguments)
    known = request.idempotency_key and await load_job_by_key(connection, request.idempotency_key)
    job = await submit(runtime, actor, _new_job(request, prepared, rows, occasion), connection)
    if request.spec.unmask and not known:
        await _note_unmasking(connection, actor, job, prepared)
    return job


async def prepare(
    connection: Connection, actor: Actor, organization: OrganizationRecord, spec: ExportSpec, path: Path = SPEC
) -> Prepared:
    """The export that a spec asks for. Raises as `submit_export`, with paths under `path`."""
    _authorize(actor, spec)
    template_id = parse_id(IdKind.TEMPLATE, spec.template_id) if spec.template_id else None
    saved = await template_spec(connection, template_id) if template_id else None
    facts = ExportFacts(
        settings=organization.settings,
        slug=organization.slug,
        now=datetime.now(UTC),
        custom=await custom_labels(connection) if names_custom(spec, saved) else {},
        saved=saved,
        masked=frozenset(masks_of_file(actor, organization.settings, unmask=spec.unmask)),
    )
    resolved = resolve(spec, facts, path)
    selection = selection_of(resolved, organization, actor)
    await _check(connection, selection, resolved, organization, path)
    return Prepared(organization, resolved, selection)


def selection_of(resolved: ResolvedExport, organization: OrganizationRecord, actor: Actor) -> Selection:
    """The leads of a resolved export, as this caller may filter them now."""
    settings = organization.settings
    context = FilterContext(
        now=datetime.now(UTC),
        zone=ZoneInfo(settings.time_zone),
        country=settings.default_country,
        masks=masks_for(actor, settings),
    )
    since = read_delta_token(resolved.spec.since) if resolved.spec.since else None
    ids = resolved.spec.ids
    return Selection(
        context=context,
        leads=filter_of(resolved.spec),
        ids=None if ids is None else tuple(UUID(str(parse_id(IdKind.LEAD, given))) for given in ids),
        limit=resolved.spec.limit,
        order=resolved.order,
        since=since[1] if since else None,
    )


async def _check(
    connection: Connection, selection: Selection, resolved: ResolvedExport, organization: OrganizationRecord, path: Path
) -> None:
    """What only the database can tell of a spec."""
    if masked_order(resolved.spec.order_by, selection.context.masks):
        raise Rejected(InputProblem(UserErrorCode.INVALID, "This field is masked for you.", (*path, "orderBy")))
    try:
        lower(selection.leads, selection.context)
    except BadInput as error:
        raise Rejected(error.under(*path).problem) from error
    await _check_ids(connection, selection, organization.limits.max_bulk_ids, path)
    await _check_token(connection, resolved.spec.since, path)


async def _check_ids(connection: Connection, selection: Selection, most: int, path: Path) -> None:
    if selection.ids is None:
        return
    if len(selection.ids) > most:
        message = f"At most {most} ids can be given; use a filter for more."
        code = UserErrorCode.LIMIT_EXCEEDED
        raise Rejected(LimitProblem(code, message, (*path, "ids"), limit=most, actual=len(selection.ids)))
    missing = await missing_leads(connection, selection.ids)
    if missing:
        shown = tuple(format_id(IdKind.LEAD, lead_id) for lead_id in missing)
        message = "There is no lead with this id."
        raise Rejected(NotFoundProblem(UserErrorCode.NOT_FOUND, message, (*path, "ids"), shown))


async def _check_token(connection: Connection, since: str | None, path: Path) -> None:
    if since is None:
        return
    read = read_delta_token(since)
    if read is None or read[0] != (await snapshot_mark(connection)).identity:
        message = "This is no deltaToken of this server; make a full export first."
        raise Rejected(InputProblem(UserErrorCode.INVALID, message, (*path, "since")))


def _authorize(actor: Actor, spec: ExportSpec) -> None:
    actor.require(Permission.LEADS_EXPORT, *((Permission.LEADS_UNMASK,) if spec.unmask else ()))


def _new_job(request: ExportRequest, prepared: Prepared, rows: int, occasion: Occasion) -> NewJob:
    resolved = prepared.resolved
    about = _outline(prepared)
    name = request.name or f"Export: {about}"
    return NewJob(
        kind=JobKind.EXPORT,
        name=name[:_LONGEST_NAME],
        spec=encode(replace(resolved, deliver=request.deliver, skip_when_empty=occasion.skip_when_empty)),
        large=resolved.spec.sample_rows is None and rows > SMALL_ROW_COUNT,
        summary=f"Export of {about} as {resolved.format}",
        details=_details(resolved),
        trigger=occasion.trigger,
        schedule_id=occasion.schedule_id,
        idempotency_key=request.idempotency_key,
        input_hash=_hash(request),
    )


def _outline(prepared: Prepared) -> str:
    """Of the filter, for those too for whom fields are masked."""
    return outline(prepared.selection.leads, masks_for_some(prepared.organization.settings))[:_LONGEST_NAME]


def _details(resolved: ResolvedExport) -> Mapping[str, str | bool | list[str]]:
    return {
        "file": resolved.file_name,
        "format": resolved.format.name,
        "columns": [column.key for column in resolved.columns],
        "unmasked": resolved.spec.unmask,
    }


def _hash(request: ExportRequest) -> str:
    """Of what was asked for: what was decided holds the hour."""
    asked = [encode(request.spec), request.name, [encode(delivery) for delivery in request.deliver]]
    return input_hash(asked)


async def _note_unmasking(connection: Connection, actor: Actor, job: JobRecord, prepared: Prepared) -> None:
    act = Act(
        action=ActivityAction.UNMASKED_READ,
        summary=f"Unmasked export of {_outline(prepared)}",
        job_id=job.id,
        details={"columns": [column.key for column in prepared.resolved.columns]},
    )
    await record(connection, doer_of(actor), act)
