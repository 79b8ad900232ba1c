"""What integrators work with: webhook endpoints and their deliveries, API keys."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from domain import partners, requests
from domain.ids import IdKind, format_id
from domain.vocabulary import DeliveryState, Permission, WebhookEvent
from schema.arguments import After, First, first_page, optional, read
from schema.context import Info
from schema.nodes import Connection, Node, connection


@strawberry.type(description="One message to one endpoint.")
class WebhookDelivery(Node):
    event: WebhookEvent = strawberry.field(description="What happened.")
    state: DeliveryState = strawberry.field(description="Where it stands.")
    attempts: int = strawberry.field(description="How often it was tried.")
    response_status: int | None = strawberry.field(description="HTTP status of the last answer.")
    created_at: datetime = strawberry.field(description="When it happened.")
    delivered_at: datetime | None = strawberry.field(description="When the endpoint took it.")
    payload: JSON = strawberry.field(description="The body that is sent.")

    @classmethod
    def of(cls, record: partners.WebhookDelivery) -> "WebhookDelivery":
        """The delivery as the API shows it."""
        return cls(
            id=strawberry.ID(format_id(IdKind.DELIVERY, record.id)),
            event=record.event,
            state=record.state,
            attempts=record.attempts,
            response_status=record.response_status,
            created_at=record.created_at,
            delivered_at=record.delivered_at,
            payload=JSON(record.payload),
        )


WebhookDeliveryConnection = Connection[WebhookDelivery]


@strawberry.type(
    description="Deliveries follow the Standard Webhooks specification (webhook-id, webhook-timestamp, "
    "webhook-signature)."
)
class WebhookEndpoint(Node):
    record: strawberry.Private[partners.WebhookRecord]
    url: str = strawberry.field(description="Where messages are posted.")
    events: list[WebhookEvent] = strawberry.field(description="What it is told of.")
    enabled: bool = strawberry.field(description="False: nothing is sent.")

    @classmethod
    def of(cls, record: partners.WebhookRecord) -> "WebhookEndpoint":
        """The endpoint as the API shows it, without its secret."""
        return cls(
            record=record,
            id=strawberry.ID(format_id(IdKind.WEBHOOK, record.id)),
            url=record.url,
            events=list(record.events),
            enabled=record.enabled,
        )

    @strawberry.field(description="What was sent, newest first.")
    async def deliveries(
        self, info: Info, first: First = 20, after: After = strawberry.UNSET
    ) -> WebhookDeliveryConnection:
        page = first_page(info.context, first, after)
        return connection(await info.context.webhooks.deliveries(self.record.id, page), WebhookDelivery.of)


@strawberry.input(description="An endpoint to create, or with `id` to change.")
class WebhookEndpointInput:
    id: strawberry.ID | None = optional("The endpoint to change.")
    url: str = strawberry.field(description="https; private addresses are refused unless the server allows them.")
    events: list[WebhookEvent] = strawberry.field(description="What it is told of.")
    enabled: bool | None = optional("Omitted: true for a new one, else as before.")

    def to_domain(self) -> requests.SaveWebhook:
        """The request. Raises BadInput for an explicit null."""
        return read(requests.SaveWebhook, self)


@strawberry.input(description="A credential for a program.")
class CreateApiKeyInput:
    name: str = strawberry.field(description="What it is for.")
    permissions: list[Permission] = strawberry.field(description="What it may do; nothing that its maker may not.")
    expires_at: datetime | None = optional("Omitted: it lives until it is revoked.")

    def to_domain(self) -> requests.CreateApiKey:
        """The request. Raises BadInput for an explicit null."""
        return read(requests.CreateApiKey, self)
