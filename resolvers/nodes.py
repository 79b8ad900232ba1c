"""The objects that ids name, whatever they are."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Final, cast
from uuid import UUID

import strawberry

from db.activity_reads import load_activity
from db.catalog import list_chatbots, load_companies
from db.job_files import load_file
from db.webhooks import list_endpoints, load_delivery
from domain.ids import IdKind, format_id, kind_of, parse_id
from domain.templates import builtin_of
from domain.vocabulary import BuiltinTemplate, Permission
from jobs.export_templates import templates
from jobs.import_answers import mappings
from jobs.uploads import get_upload
from resolvers.access import authorize, caller, home
from resolvers.context import Info, RequestContext
from resolvers.leads import lead_node, sight_of
from resolvers.status_queries import StatusById
from schema.activity import Activity
from schema.exports import ExportSchedule, ExportTemplate
from schema.files import JobFile
from schema.job_types import job_of
from schema.nodes import Node
from schema.organizations import Chatbot, Company, Organization
from schema.partners import WebhookDelivery, WebhookEndpoint
from schema.people import ApiKey, User
from schema.reports import ImportMapping, UploadSession

__all__ = ["NodeQueries"]

Find = Callable[[RequestContext, UUID], Awaitable[Node | None]]


async def _lead(context: RequestContext, found: UUID) -> Node | None:
    return lead_node(context, f"{IdKind.LEAD}_{found}")


async def _status(context: RequestContext, found: UUID) -> Node | None:
    return cast("Node", StatusById(sight_of(context), found))


async def _job(context: RequestContext, found: UUID) -> Node | None:
    job = await context.jobs.job(found)
    return job_of(job) if job else None


async def _organization(context: RequestContext, found: UUID) -> Node | None:
    own = home(context)
    return Organization.of(own) if found == own.id else None


async def _user(context: RequestContext, found: UUID) -> Node | None:
    user = await context.people.user(found)
    return User.of(user) if user else None


async def _api_key(context: RequestContext, found: UUID) -> Node | None:
    authorize(context, Permission.API_KEYS_MANAGE)
    key = await context.people.api_key(found)
    return ApiKey.of(key) if key else None


async def _company(context: RequestContext, found: UUID) -> Node | None:
    record = (await load_companies(context.runtime.database, home(context).id, [found])).get(found)
    return Company.of(record) if record else None


async def _chatbot(context: RequestContext, found: UUID) -> Node | None:
    every = await list_chatbots(context.runtime.database, home(context).id)
    return next((Chatbot.of(record) for record in every if record.id == found), None)


async def _webhook(context: RequestContext, found: UUID) -> Node | None:
    authorize(context, Permission.WEBHOOKS_MANAGE)
    endpoints = await list_endpoints(context.runtime.database, home(context).id)
    return next((WebhookEndpoint.of(endpoint) for endpoint in endpoints if endpoint.id == found), None)


async def _delivery(context: RequestContext, found: UUID) -> Node | None:
    authorize(context, Permission.WEBHOOKS_MANAGE)
    delivery = await load_delivery(context.runtime.database, home(context).id, found)
    return WebhookDelivery.of(delivery) if delivery else None


async def _activity(context: RequestContext, found: UUID) -> Node | None:
    actor = authorize(context, Permission.ACTIVITY_READ)
    entry = (await load_activity(context.runtime.database, actor.organization_id, [found])).get(found)
    return Activity.of(entry) if entry else None


async def _file(context: RequestContext, found: UUID) -> Node | None:
    async with context.runtime.database.unit(home(context).id) as connection:
        file = await load_file(connection, found)
    return JobFile.of(file) if file and await context.jobs.job(file.job_id) else None


async def _template(context: RequestContext, found: UUID) -> Node | None:
    actor = authorize(context, Permission.LEADS_READ)
    every = await templates(context.runtime, actor)
    return next((ExportTemplate.of(record) for record in every if record.id == found), None)


async def _builtin_template(context: RequestContext, builtin: BuiltinTemplate) -> Node | None:
    actor = authorize(context, Permission.LEADS_READ)
    every = await templates(context.runtime, actor)
    return next((ExportTemplate.of(record) for record in every if record.builtin is builtin), None)


async def _schedule(context: RequestContext, found: UUID) -> Node | None:
    authorize(context, Permission.SCHEDULES_MANAGE)
    schedule = await context.exports.schedule(found)
    return ExportSchedule.of(schedule) if schedule else None


async def _mapping(context: RequestContext, found: UUID) -> Node | None:
    actor = authorize(context, Permission.LEADS_IMPORT)
    every = await mappings(context.runtime, actor)
    return next((ImportMapping.of(record) for record in every if record.id == found), None)


async def _upload(context: RequestContext, found: UUID) -> Node | None:
    actor = authorize(context, Permission.LEADS_IMPORT)
    upload = await get_upload(context.runtime, actor, format_id(IdKind.UPLOAD, found))
    return UploadSession.of(upload) if upload else None


FINDERS: Final[Mapping[IdKind, Find]] = {
    IdKind.LEAD: _lead,
    IdKind.STATUS: _status,
    IdKind.JOB: _job,
    IdKind.ORGANIZATION: _organization,
    IdKind.USER: _user,
    IdKind.API_KEY: _api_key,
    IdKind.COMPANY: _company,
    IdKind.CHATBOT: _chatbot,
    IdKind.FILE: _file,
    IdKind.TEMPLATE: _template,
    IdKind.SCHEDULE: _schedule,
    IdKind.MAPPING: _mapping,
    IdKind.UPLOAD: _upload,
    IdKind.ACTIVITY: _activity,
    IdKind.WEBHOOK: _webhook,
    IdKind.DELIVERY: _delivery,
}


@strawberry.type
class NodeQueries:
    """The root field of all that has an id."""

    @strawberry.field(description="Whatever has this id; null where there is nothing that the caller may see.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="As any object shows it.")]
    ) -> Node | None:
        caller(info.context)
        if (builtin := builtin_of(id)) is not None:
            return await _builtin_template(info.context, builtin)
        kind = kind_of(id)
        finder = FINDERS.get(kind) if kind else None
        found = parse_id(kind, id) if kind else None
        return await finder(info.context, found) if finder and found else None
