"""One change to many leads: updated, assigned, deleted by a job."""

import strawberry

from domain.bulk import BulkRequest
from domain.job_rules import RULES
from domain.vocabulary import JobKind
from jobs.bulk_requests import BulkCaller, submit_bulk
from jobs.progress import wait
from resolvers.access import authorize, home
from resolvers.context import Info
from resolvers.errors import answers
from schema.bulk import BulkJob
from schema.bulk_inputs import BulkAssignLeadsInput, BulkDeleteLeadsInput, BulkUpdateLeadsInput
from schema.payloads import BulkJobPayload

__all__ = ["BulkMutations"]


@strawberry.type
class BulkMutations:
    """What is done to many leads at once."""

    @strawberry.mutation(description="Changes leads by ids or by filter; a job says what became of each.")
    @answers(BulkJobPayload)
    async def bulk_update_leads(self, info: Info, input: BulkUpdateLeadsInput) -> BulkJobPayload:
        return await _submit(info, JobKind.BULK_UPDATE, input)

    @strawberry.mutation(description="Gives leads to users, shared out evenly where there are several.")
    @answers(BulkJobPayload)
    async def bulk_assign_leads(self, info: Info, input: BulkAssignLeadsInput) -> BulkJobPayload:
        return await _submit(info, JobKind.BULK_ASSIGN, input)

    @strawberry.mutation(description="Deletes leads with their notes and calls.")
    @answers(BulkJobPayload)
    async def bulk_delete_leads(self, info: Info, input: BulkDeleteLeadsInput) -> BulkJobPayload:
        return await _submit(info, JobKind.BULK_DELETE, input)


async def _submit(
    info: Info, kind: JobKind, given: BulkUpdateLeadsInput | BulkAssignLeadsInput | BulkDeleteLeadsInput
) -> BulkJobPayload:
    context = info.context
    actor = authorize(context, RULES[kind].permission)
    request: BulkRequest = given.to_domain()
    caller = BulkCaller(actor, home(context), context.now)
    job = await submit_bulk(context.runtime, caller, kind, request)
    if request.wait_seconds:
        job = await wait(context.runtime, actor, job.id, request.wait_seconds)
    return BulkJobPayload(job=BulkJob.of(job))
