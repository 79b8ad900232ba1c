"""What an organization decides of itself: settings, companies, chatbots, people, statuses."""

from typing import Annotated, cast

import strawberry

from domain.vocabulary import Permission
from jobs.bulk_requests import BulkCaller
from jobs.organization_changes import change_chatbot, change_company, change_settings, change_user
from jobs.status_changes import change_status, remove_status
from resolvers.access import authorize, home
from resolvers.context import Info
from resolvers.errors import answers
from resolvers.lead_queries import LeadPort
from resolvers.status_queries import StatusById
from schema.leads import LeadStatus
from schema.organization_inputs import (
    SaveChatbotInput,
    SaveCompanyInput,
    SaveLeadStatusInput,
    SaveUserInput,
    UpdateSettingsInput,
)
from schema.organizations import Chatbot, Company, Settings
from schema.payloads import (
    ChatbotPayload,
    CompanyPayload,
    DeletePayload,
    LeadStatusPayload,
    SettingsPayload,
    UserPayload,
)
from schema.people import User

__all__ = ["SettingsMutations"]

StatusId = Annotated[strawberry.ID, strawberry.argument(description="`status_…`.")]
Target = Annotated[strawberry.ID, strawberry.argument(description="The status that its leads get.")]


@strawberry.type
class SettingsMutations:
    """What an organization changes of itself."""

    @strawberry.mutation(description="Changes the organization's settings.")
    @answers(SettingsPayload)
    async def update_settings(self, info: Info, input: UpdateSettingsInput) -> SettingsPayload:
        actor, organization = authorize(info.context, Permission.SETTINGS_MANAGE), home(info.context)
        settings = await change_settings(info.context.runtime, actor, input.to_domain())
        info.context.directory.forget(organization)
        return SettingsPayload(settings=Settings.of(settings))

    @strawberry.mutation(description="Creates a company, or changes one.")
    @answers(CompanyPayload)
    async def save_company(self, info: Info, input: SaveCompanyInput) -> CompanyPayload:
        actor = authorize(info.context, Permission.SETTINGS_MANAGE)
        return CompanyPayload(company=Company.of(await change_company(info.context.runtime, actor, input.to_domain())))

    @strawberry.mutation(description="Creates a chatbot, or changes one.")
    @answers(ChatbotPayload)
    async def save_chatbot(self, info: Info, input: SaveChatbotInput) -> ChatbotPayload:
        actor = authorize(info.context, Permission.SETTINGS_MANAGE)
        return ChatbotPayload(chatbot=Chatbot.of(await change_chatbot(info.context.runtime, actor, input.to_domain())))

    @strawberry.mutation(description="Creates a user, or changes one; only an OWNER gives roles.")
    @answers(UserPayload)
    async def save_user(self, info: Info, input: SaveUserInput) -> UserPayload:
        actor = authorize(info.context, Permission.SETTINGS_MANAGE)
        return UserPayload(user=User.of(await change_user(info.context.runtime, actor, input.to_domain())))

    @strawberry.mutation(
        description="Creates a status, or changes one. Another stage moves its leads along; many of them by a job."
    )
    @answers(LeadStatusPayload)
    async def save_lead_status(self, info: Info, input: SaveLeadStatusInput) -> LeadStatusPayload:
        status_id = await change_status(info.context.runtime, _caller(info), input.to_domain())
        sight = cast("LeadPort", info.context.leads).sight
        return LeadStatusPayload(status=cast("LeadStatus", StatusById(sight, status_id)))

    @strawberry.mutation(
        description="Deletes a status once its leads have another one; many of them are moved by a job, and the status "
        "is not used any more from now on."
    )
    @answers(DeletePayload)
    async def delete_lead_status(self, info: Info, id: StatusId, move_leads_to: Target) -> DeletePayload:
        await remove_status(info.context.runtime, _caller(info), id, move_leads_to)
        return DeletePayload(deleted_id=id)


def _caller(info: Info) -> BulkCaller:
    actor = authorize(info.context, Permission.SETTINGS_MANAGE)
    return BulkCaller(actor, home(info.context), info.context.now)
