"""Exports, their templates and their schedules."""

from typing import Annotated, Final

import strawberry

from domain.actors import Actor
from domain.exports import ExportSpec
from domain.jobs import JobRecord
from domain.vocabulary import Permission
from jobs.export_preview import preview_export
from jobs.export_requests import submit_export
from jobs.export_schedules import drop_schedule, run_schedule, save_schedule, schedules
from jobs.export_templates import drop_template, save_template, templates
from jobs.progress import wait
from resolvers.access import authorize, home
from resolvers.context import Info, RequestContext
from resolvers.errors import answers
from schema.arguments import given
from schema.export_inputs import ExportLeadsInput, ExportScheduleInput, ExportSpecInput, SaveExportTemplateInput
from schema.exports import ExportJob, ExportPreview, ExportSchedule, ExportTemplate
from schema.files import LINK_SECONDS, SignedUrl
from schema.payloads import DeletePayload, ExportLeadsPayload, ExportSchedulePayload, ExportTemplatePayload

__all__ = ["ExportMutations", "ExportQueries", "finished", "preview"]

_PREVIEWED: Final = 20
ScheduleId = Annotated[strawberry.ID, strawberry.argument(description="`schedule_…`.")]


@strawberry.type
class ExportQueries:
    """The root fields of exports."""

    @strawberry.field(description="What an export would give, in the time of a page of leads.")
    async def export_preview(
        self,
        info: Info,
        spec: Annotated[ExportSpecInput, strawberry.argument(description="What to export.")],
        first: Annotated[int | None, strawberry.argument(description="So many rows, at most 100.")] = _PREVIEWED,
    ) -> ExportPreview:
        actor = authorize(info.context, Permission.LEADS_EXPORT)
        return await preview(info.context, actor, spec.to_domain(("spec",)), given(first, "first"))

    @strawberry.field(description="The builtin templates, then the saved ones by name.")
    async def export_templates(self, info: Info) -> list[ExportTemplate]:
        actor = authorize(info.context, Permission.LEADS_READ)
        return [ExportTemplate.of(record) for record in await templates(info.context.runtime, actor)]

    @strawberry.field(description="The exports that run by themselves, by name.")
    async def export_schedules(self, info: Info) -> list[ExportSchedule]:
        actor = authorize(info.context, Permission.SCHEDULES_MANAGE)
        return [ExportSchedule.of(record) for record in await schedules(info.context.runtime, actor)]


@strawberry.type
class ExportMutations:
    """What callers do with exports."""

    @strawberry.mutation(
        description="Exports a filtered set of leads to a file. A small one comes back finished where `waitSeconds` "
        "allows, its link signed."
    )
    @answers(ExportLeadsPayload)
    async def export_leads(
        self, info: Info, input: Annotated[ExportLeadsInput, strawberry.argument(description="What and how.")]
    ) -> ExportLeadsPayload:
        actor = authorize(info.context, Permission.LEADS_EXPORT)
        request = input.to_domain()
        job = await submit_export(info.context.runtime, actor, request)
        return await finished(info.context, actor, job, request.wait_seconds)

    @strawberry.mutation(description="Creates a template, or replaces one.")
    @answers(ExportTemplatePayload)
    async def save_export_template(
        self,
        info: Info,
        input: Annotated[SaveExportTemplateInput, strawberry.argument(description="The template.")],
    ) -> ExportTemplatePayload:
        actor = authorize(info.context, Permission.TEMPLATES_MANAGE)
        record = await save_template(info.context.runtime, actor, input.to_domain())
        return ExportTemplatePayload(template=ExportTemplate.of(record))

    @strawberry.mutation(description="Deletes a saved template.")
    @answers(DeletePayload)
    async def delete_export_template(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="`template_…`.")]
    ) -> DeletePayload:
        actor = authorize(info.context, Permission.TEMPLATES_MANAGE)
        await drop_template(info.context.runtime, actor, id)
        return DeletePayload(deleted_id=id)

    @strawberry.mutation(description="Creates a schedule, or replaces one; it acts for who saved it last.")
    @answers(ExportSchedulePayload)
    async def save_export_schedule(
        self, info: Info, input: Annotated[ExportScheduleInput, strawberry.argument(description="The schedule.")]
    ) -> ExportSchedulePayload:
        actor = authorize(info.context, Permission.SCHEDULES_MANAGE)
        record, runs = await save_schedule(info.context.runtime, actor, input.to_domain())
        return ExportSchedulePayload(schedule=ExportSchedule.of(record), next_runs=list(runs))

    @strawberry.mutation(description="Deletes a schedule; its exports stay.")
    @answers(DeletePayload)
    async def delete_export_schedule(self, info: Info, id: ScheduleId) -> DeletePayload:
        actor = authorize(info.context, Permission.SCHEDULES_MANAGE)
        await drop_schedule(info.context.runtime, actor, id)
        return DeletePayload(deleted_id=id)

    @strawberry.mutation(description="Runs a schedule now, beside its slots.")
    @answers(ExportLeadsPayload)
    async def run_export_schedule(self, info: Info, id: ScheduleId) -> ExportLeadsPayload:
        actor = authorize(info.context, Permission.SCHEDULES_MANAGE)
        return ExportLeadsPayload(job=ExportJob.of(await run_schedule(info.context.runtime, actor, id)))


async def preview(context: RequestContext, actor: Actor, spec: ExportSpec, first: int | None) -> ExportPreview:
    """What an export of the caller would give. Raises as `preview_export`."""
    rows = _PREVIEWED if first is None else first
    return ExportPreview.of(await preview_export(context.runtime, actor, home(context), spec, rows))


async def finished(context: RequestContext, actor: Actor, job: JobRecord, seconds: float) -> ExportLeadsPayload:
    """The job as it is after waiting, with a link to its file where that is there."""
    if seconds:
        job = await wait(context.runtime, actor, job.id, seconds)
    file_id = context.exports.details(job).file_id
    files = await context.jobs.files(job) if file_id else ()
    file = next((one for one in files if one.id == file_id), None)
    link = await context.jobs.download(file, LINK_SECONDS) if file else None
    return ExportLeadsPayload(job=ExportJob.of(job), download=SignedUrl.of(link) if link else None)
