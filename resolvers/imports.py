"""Uploads, imports, their answers and their undo."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Final, cast

import strawberry

from domain.errors import InputProblem, Rejected
from domain.import_masks import ImportMasks
from domain.masking import masks_for
from domain.vocabulary import ImportFormat, LeadFieldKey, Permission, UserErrorCode
from jobs.import_answers import commit_import, mappings, remove_mapping, revert_import, update_import
from jobs.import_requests import import_leads
from jobs.import_templates import template_link
from jobs.lead_pushes import count_pushed, upsert_leads
from jobs.uploads import create_upload, get_upload, receive
from resolvers.access import authorize, home
from resolvers.context import Info, RequestContext
from resolvers.errors import answers
from schema.arguments import given
from schema.files import SignedUrl
from schema.import_inputs import (
    CommitImportInput,
    CreateUploadInput,
    ImportLeadsInput,
    ImportSourceInput,
    RevertImportInput,
    UpdateImportInput,
)
from schema.imports import ImportJob, RevertJob
from schema.lead_inputs import UpsertLeadsInput
from schema.payloads import (
    DeletePayload,
    ImportJobPayload,
    RevertImportPayload,
    UploadPayload,
    UpsertLeadsPayload,
    UpsertResult,
)
from schema.reports import ImportCounts, ImportIssue, ImportMapping, UploadSession
from schema.scalars import UploadedFile

__all__ = ["ImportMutations", "ImportQueries"]

_CHUNK: Final = 1 << 20


@strawberry.type
class ImportQueries:
    """The root fields of imports."""

    @strawberry.field(description="Saved answers to how columns become fields, by name.")
    async def import_mappings(self, info: Info) -> list[ImportMapping]:
        actor = authorize(info.context, Permission.LEADS_IMPORT)
        return [ImportMapping.of(record) for record in await mappings(info.context.runtime, actor)]

    @strawberry.field(
        description="A ready file with headers and example rows; as XLSX with a sheet that explains each field."
    )
    async def import_template(
        self,
        info: Info,
        format: Annotated[ImportFormat, strawberry.argument(description="What the file is for.")] = ImportFormat.CSV,
        fields: Annotated[
            list[LeadFieldKey] | None, strawberry.argument(description="Its columns; omitted: all that people fill in.")
        ] = strawberry.UNSET,
    ) -> SignedUrl:
        actor = authorize(info.context, Permission.LEADS_IMPORT)
        columns = given(fields, "fields")
        chosen = None if columns is None else tuple(columns)
        return SignedUrl.of(template_link(info.context.runtime, actor, format, chosen))

    @strawberry.field(description="A file on its way in.")
    async def upload(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="`upload_…`.")]
    ) -> UploadSession | None:
        actor = authorize(info.context, Permission.LEADS_IMPORT)
        record = await get_upload(info.context.runtime, actor, id)
        return UploadSession.of(record) if record else None


@strawberry.type
class ImportMutations:
    """What callers do with imports."""

    @strawberry.mutation(description="Announces a file; send it to `put`, then name the upload in importLeads.")
    @answers(UploadPayload)
    async def create_upload(
        self, info: Info, input: Annotated[CreateUploadInput, strawberry.argument(description="The file.")]
    ) -> UploadPayload:
        actor = authorize(info.context, Permission.LEADS_IMPORT)
        limits = home(info.context).limits
        record = await create_upload(info.context.runtime, actor, limits, input.to_domain())
        return UploadPayload(upload=UploadSession.of(record))

    @strawberry.mutation(
        description="Imports a file of any dialect. What cannot work is answered at once and makes no job."
    )
    @answers(ImportJobPayload)
    async def import_leads(
        self, info: Info, input: Annotated[ImportLeadsInput, strawberry.argument(description="What and how.")]
    ) -> ImportJobPayload:
        actor = authorize(info.context, Permission.LEADS_IMPORT)
        request = input.to_domain()
        if request.upload_id is None:
            request = replace(request, upload_id=await _receive(info.context, input.source))
        job = await import_leads(info.context.runtime, actor, request)
        return ImportJobPayload(job=ImportJob.of(job))

    @strawberry.mutation(
        description="Answers AWAITING_MAPPING, or changes a plan under review; the file is validated again."
    )
    @answers(ImportJobPayload)
    async def update_import(
        self, info: Info, input: Annotated[UpdateImportInput, strawberry.argument(description="The answer.")]
    ) -> ImportJobPayload:
        actor = authorize(info.context, Permission.LEADS_IMPORT)
        job = await update_import(info.context.runtime, actor, input.to_domain())
        return ImportJobPayload(job=ImportJob.of(job))

    @strawberry.mutation(description="Carries out the plan that was reviewed.")
    @answers(ImportJobPayload)
    async def commit_import(
        self, info: Info, input: Annotated[CommitImportInput, strawberry.argument(description="Which plan.")]
    ) -> ImportJobPayload:
        actor = authorize(info.context, Permission.LEADS_IMPORT)
        job = await commit_import(info.context.runtime, actor, input.to_domain())
        return ImportJobPayload(job=ImportJob.of(job))

    @strawberry.mutation(
        description="Undoes an import: created leads are removed, updated ones get their earlier values back, later "
        "edits by people stay."
    )
    @answers(RevertImportPayload)
    async def revert_import(
        self, info: Info, input: Annotated[RevertImportInput, strawberry.argument(description="Which import.")]
    ) -> RevertImportPayload:
        actor = authorize(info.context, Permission.LEADS_IMPORT)
        job = await revert_import(info.context.runtime, actor, input.to_domain())
        return RevertImportPayload(job=RevertJob.of(job))

    @strawberry.mutation(description="Deletes a saved mapping.")
    @answers(DeletePayload)
    async def delete_import_mapping(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="`mapping_…`.")]
    ) -> DeletePayload:
        actor = authorize(info.context, Permission.LEADS_IMPORT)
        return DeletePayload(deleted_id=strawberry.ID(await remove_mapping(info.context.runtime, actor, id)))

    @strawberry.mutation(description="Small synchronous push for partners, under the rules of an import.")
    @answers(UpsertLeadsPayload)
    async def upsert_leads(
        self, info: Info, input: Annotated[UpsertLeadsInput, strawberry.argument(description="The leads.")]
    ) -> UpsertLeadsPayload:
        actor = authorize(info.context, Permission.LEADS_IMPORT)
        request = await asyncio.to_thread(input.to_domain)  # of ten thousand leads: others go on meanwhile
        pushed = await upsert_leads(info.context.runtime, actor, request)
        masks = ImportMasks(masks_for(actor, home(info.context).settings))
        results = [
            UpsertResult(
                index=index,
                outcome=lead.outcome,
                lead=await info.context.leads.lead(lead.lead_id) if lead.lead_id and not input.dry_run else None,
                issues=[ImportIssue.of(masks.issue(issue)) for issue in lead.issues],
            )
            for index, lead in enumerate(pushed)
        ]
        return UpsertLeadsPayload(results=results, counts=ImportCounts.of(count_pushed(pushed)))


async def _receive(context: RequestContext, source: ImportSourceInput) -> str:
    """Takes a file that came with the request; the upload's shown id."""
    file = cast("object", source.file)
    if not isinstance(file, UploadedFile):
        message = "Give `uploadId`, or a file as a part of a multipart request."
        raise Rejected(InputProblem(UserErrorCode.REQUIRED, message, ("input", "source")))
    actor = authorize(context, Permission.LEADS_IMPORT)
    record = await receive(context.runtime, actor, home(context).limits, (file.filename or "", _chunks(file)))
    return UploadSession.of(record).id


async def _chunks(file: UploadedFile) -> AsyncIterator[bytes]:
    while data := await file.read(_CHUNK):
        yield data
