"""Single leads: created, changed, noted, called."""

from collections.abc import Awaitable
from uuid import UUID

import strawberry

from domain.vocabulary import Permission
from jobs.lead_writes import DuplicateLead, WrittenLead, create_lead, note_lead, record_call, update_lead
from resolvers.access import authorize, home
from resolvers.context import Info
from resolvers.errors import answers
from schema.errors import user_errors
from schema.lead_inputs import AddNoteInput, CreateLeadInput, RecordCallInput, UpdateLeadInput
from schema.leads import Lead, Note
from schema.payloads import LeadPayload, NotePayload

__all__ = ["LeadMutations"]


@strawberry.type
class LeadMutations:
    """What is done to single leads."""

    @strawberry.mutation(description="Creates a lead; where there is such a lead already, `onDuplicate` decides.")
    @answers(LeadPayload)
    async def create_lead(self, info: Info, input: CreateLeadInput) -> LeadPayload:
        actor = authorize(info.context, Permission.LEADS_WRITE)
        return await _written(info, create_lead(info.context.runtime, actor, input.to_domain()), merges=True)

    @strawberry.mutation(description="Changes a lead; VERSION_CONFLICT where somebody else changed it first.")
    @answers(LeadPayload)
    async def update_lead(self, info: Info, input: UpdateLeadInput) -> LeadPayload:
        actor, organization = authorize(info.context, Permission.LEADS_WRITE), home(info.context)
        return await _written(info, update_lead(info.context.runtime, organization, actor, input.to_domain()))

    @strawberry.mutation(description="Adds a note to a lead.")
    @answers(NotePayload)
    async def add_note(self, info: Info, input: AddNoteInput) -> NotePayload:
        actor = authorize(info.context, Permission.LEADS_WRITE)
        return NotePayload(note=Note.of(await note_lead(info.context.runtime, actor, input.to_domain())))

    @strawberry.mutation(description="Records a call with a lead, which shows the latest.")
    @answers(LeadPayload)
    async def record_call(self, info: Info, input: RecordCallInput) -> LeadPayload:
        actor, organization = authorize(info.context, Permission.LEADS_WRITE), home(info.context)
        lead_id = await record_call(info.context.runtime, organization, actor, input.to_domain())
        return LeadPayload(lead=await _lead(info, lead_id))


async def _written(info: Info, writing: Awaitable[WrittenLead], *, merges: bool = False) -> LeadPayload:
    try:
        written = await writing
    except DuplicateLead as failure:
        return LeadPayload(duplicate_of=await _lead(info, failure.lead_id), user_errors=user_errors(failure))
    lead = await _lead(info, written.lead_id)
    return LeadPayload(lead=lead, duplicate_of=lead if merges and written.existed else None)


async def _lead(info: Info, lead_id: UUID) -> Lead | None:
    return await info.context.leads.lead(lead_id)
