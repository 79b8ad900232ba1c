"""What integrators work with: API keys, webhook endpoints, and for a SYSTEM_ADMIN the organizations."""

from typing import Annotated

import strawberry

from db.api_keys import list_api_keys
from db.organization_lists import list_organizations
from db.webhooks import list_endpoints
from domain.vocabulary import Permission
from jobs.partner_changes import deliver_again, make_key, remove_webhook, revoke_key, save_webhook
from resolvers.access import authorize, caller, home
from resolvers.context import Info
from resolvers.errors import answers
from schema.arguments import After, First, first_page
from schema.nodes import connection
from schema.organizations import Organization, OrganizationConnection
from schema.partners import CreateApiKeyInput, WebhookDelivery, WebhookEndpoint, WebhookEndpointInput
from schema.payloads import ApiKeyPayload, DeletePayload, WebhookDeliveryPayload, WebhookEndpointPayload
from schema.people import ApiKey

__all__ = ["PartnerMutations", "PartnerQueries"]

KeyId = Annotated[strawberry.ID, strawberry.argument(description="`key_…`.")]
EndpointId = Annotated[strawberry.ID, strawberry.argument(description="`webhook_…`.")]
DeliveryId = Annotated[strawberry.ID, strawberry.argument(description="`delivery_…`.")]


@strawberry.type
class PartnerQueries:
    """The root fields of keys, webhooks and organizations."""

    @strawberry.field(description="For a SYSTEM_ADMIN; others see their own.")
    async def organizations(
        self, info: Info, first: First = 50, after: After = strawberry.UNSET
    ) -> OrganizationConnection:
        actor, own = caller(info.context), home(info.context)
        page = first_page(info.context, first, after)
        only = None if actor.may(Permission.CROSS_ORGANIZATION) else own.id
        runtime = info.context.runtime
        found = await list_organizations(runtime.system, page, runtime.limits, only)
        return connection(found, Organization.of)

    @strawberry.field(description="The organization's keys, newest first, revoked ones too.")
    async def api_keys(self, info: Info) -> list[ApiKey]:
        actor = authorize(info.context, Permission.API_KEYS_MANAGE)
        keys = await list_api_keys(info.context.runtime.database, actor.organization_id)
        return [ApiKey.of(key) for key in keys]

    @strawberry.field(description="The organization's webhook endpoints, the oldest first.")
    async def webhook_endpoints(self, info: Info) -> list[WebhookEndpoint]:
        actor = authorize(info.context, Permission.WEBHOOKS_MANAGE)
        endpoints = await list_endpoints(info.context.runtime.database, actor.organization_id)
        return [WebhookEndpoint.of(endpoint) for endpoint in endpoints]


@strawberry.type
class PartnerMutations:
    """What is done to keys and webhooks."""

    @strawberry.mutation(description="Makes a credential for a program; nobody can see its secret again.")
    @answers(ApiKeyPayload)
    async def create_api_key(self, info: Info, input: CreateApiKeyInput) -> ApiKeyPayload:
        actor, organization = authorize(info.context, Permission.API_KEYS_MANAGE), home(info.context)
        key, secret = await make_key(info.context.runtime, organization, actor, input.to_domain())
        return ApiKeyPayload(api_key=ApiKey.of(key), secret=secret)

    @strawberry.mutation(description="Ends a key; it is denied within two seconds.")
    @answers(ApiKeyPayload)
    async def revoke_api_key(self, info: Info, id: KeyId) -> ApiKeyPayload:
        actor = authorize(info.context, Permission.API_KEYS_MANAGE)
        return ApiKeyPayload(api_key=ApiKey.of(await revoke_key(info.context.runtime, actor, id)))

    @strawberry.mutation(description="Creates a webhook endpoint, or changes one; a new one's secret is shown once.")
    @answers(WebhookEndpointPayload)
    async def save_webhook_endpoint(self, info: Info, input: WebhookEndpointInput) -> WebhookEndpointPayload:
        actor = authorize(info.context, Permission.WEBHOOKS_MANAGE)
        endpoint, secret = await save_webhook(info.context.runtime, actor, input.to_domain())
        return WebhookEndpointPayload(endpoint=WebhookEndpoint.of(endpoint), signing_secret=secret)

    @strawberry.mutation(description="Deletes a webhook endpoint with what was sent to it.")
    @answers(DeletePayload)
    async def delete_webhook_endpoint(self, info: Info, id: EndpointId) -> DeletePayload:
        actor = authorize(info.context, Permission.WEBHOOKS_MANAGE)
        await remove_webhook(info.context.runtime, actor, id)
        return DeletePayload(deleted_id=id)

    @strawberry.mutation(description="Sends a message once more, as a delivery of its own.")
    @answers(WebhookDeliveryPayload)
    async def redeliver_webhook(self, info: Info, delivery_id: DeliveryId) -> WebhookDeliveryPayload:
        actor = authorize(info.context, Permission.WEBHOOKS_MANAGE)
        delivery = await deliver_again(info.context.runtime, actor, delivery_id)
        return WebhookDeliveryPayload(delivery=WebhookDelivery.of(delivery))
