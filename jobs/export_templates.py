"""Export templates: the builtin ones, and those that an organization saves."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from db.activity import Act, doer_of, record
from db.connections import Connection
from db.export_facts import custom_labels, template_spec
from db.export_templates import SavedTemplate, delete_template, list_templates, name_is_taken, write_template
from db.locks import Lock, take
from db.organizations import load_organization
from domain.actors import Actor
from domain.errors import InputProblem, Rejected, invalid, not_found
from domain.export_columns import template_columns
from domain.export_plan import SPEC, ExportFacts, filter_of, resolve
from domain.exports import ExportSpec, ResolvedColumn
from domain.ids import IdKind, new_id, parse_id
from domain.masking import Masks, masks_for
from domain.records import TemplateRecord
from domain.requests import SaveTemplate
from domain.stored import encode
from domain.templates import TEMPLATES, builtin_of
from domain.vocabulary import ActivityAction, Permission, UserErrorCode
from jobs.export_details import shown_spec
from jobs.export_requests import check_filter_names
from jobs.runtime import Runtime

_NEVER_SAVED: Final = {"since": "since", "unmask": "unmask", "template_id": "templateId"}
"""What belongs to one export alone."""


async def templates(runtime: Runtime, actor: Actor) -> list[TemplateRecord]:
    """The builtin templates, then the saved ones by name. Raises Forbidden without LEADS_READ."""
    actor.require(Permission.LEADS_READ)
    async with runtime.database.unit(actor.organization_id) as connection:
        saved = await list_templates(connection)
        facts = await _facts(connection)
    masks = masks_for(actor, facts.settings)
    return [*_builtin(), *(_shown(template, facts, masks) for template in saved)]


async def save_template(runtime: Runtime, actor: Actor, request: SaveTemplate) -> TemplateRecord:
    """Create a template, or replace one. Raises Rejected, Forbidden without TEMPLATES_MANAGE."""
    actor.require(Permission.TEMPLATES_MANAGE)
    _refuse_passing(request.spec)
    if request.id:
        _refuse_builtin(request.id, "input", "id")
    async with runtime.database.unit(actor.organization_id) as connection:
        facts = await _facts(connection)
        leads = filter_of(resolve(request.spec, facts).spec)
    await check_filter_names(runtime, actor, leads, SPEC)
    async with runtime.database.unit(actor.organization_id) as connection:
        template_id = await _template_id(connection, request.id)
        await take(connection, Lock.EXPORT_TEMPLATES, actor.organization_id)
        if await name_is_taken(connection, request.name, template_id):
            message = "Another template has this name."
            raise Rejected(InputProblem(UserErrorCode.DUPLICATE, message, ("input", "name")))
        saved = await write_template(connection, template_id, request.name, request.spec)
        await _note(connection, actor, f"Template {request.name} saved")
    return _shown(saved, facts, masks_for(actor, facts.settings))


async def drop_template(runtime: Runtime, actor: Actor, given: str) -> None:
    """Delete a saved template. Raises Rejected (NOT_FOUND), Forbidden without TEMPLATES_MANAGE."""
    actor.require(Permission.TEMPLATES_MANAGE)
    _refuse_builtin(given, "id")
    template_id = parse_id(IdKind.TEMPLATE, given)
    async with runtime.database.unit(actor.organization_id) as connection:
        name = await delete_template(connection, template_id) if template_id else None
        if name is None:
            raise not_found("template", given, "id")
        await _note(connection, actor, f"Template {name} deleted")


async def _template_id(connection: Connection, given: str | None) -> UUID:
    """The id of the template to replace, or a fresh one. Raises Rejected (NOT_FOUND)."""
    if not given:
        return new_id()
    found = parse_id(IdKind.TEMPLATE, given)
    if found is None or await template_spec(connection, found) is None:
        raise not_found("template", given, "input", "id")
    return found


def _builtin() -> list[TemplateRecord]:
    return [
        TemplateRecord(
            id=None,
            name=template.name,
            builtin=builtin,
            columns=template_columns(template),
            spec=None,
            updated_at=None,
        )
        for builtin, template in TEMPLATES.items()
    ]


def _shown(saved: SavedTemplate, facts: ExportFacts, masks: Masks) -> TemplateRecord:
    return TemplateRecord(
        id=saved.id,
        name=saved.name,
        builtin=None,
        columns=_columns(saved.spec, facts),
        spec=shown_spec(encode(saved.spec), masks),
        updated_at=saved.updated_at,
    )


def _columns(spec: ExportSpec, facts: ExportFacts) -> tuple[ResolvedColumn, ...]:
    """The columns as an export would have them now; none where a custom field is gone."""
    try:
        return resolve(spec, facts).columns
    except Rejected:
        return ()


async def _facts(connection: Connection) -> ExportFacts:
    organization, custom = await load_organization(connection), await custom_labels(connection)
    return ExportFacts(settings=organization.settings, slug=organization.slug, now=datetime.now(UTC), custom=custom)


def _refuse_passing(spec: ExportSpec) -> None:
    for attribute, name in _NEVER_SAVED.items():
        if getattr(spec, attribute):
            raise invalid(f"A template has no {name}.", *SPEC, name)


def _refuse_builtin(given: str, *path: str) -> None:
    if builtin_of(given) is not None:
        raise invalid("A builtin template stays as it is; save one of your own.", *path)


async def _note(connection: Connection, actor: Actor, summary: str) -> None:
    await record(connection, doer_of(actor), Act(action=ActivityAction.TEMPLATE_CHANGED, summary=summary))
