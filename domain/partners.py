"""Webhooks: endpoints and the deliveries to them, after the Standard Webhooks specification."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.json import JsonObject
from domain.vocabulary import DeliveryState, WebhookEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRecord:
    """An endpoint, without its signing secret."""

    id: UUID
    url: str
    events: tuple[WebhookEvent, ...]
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """One message to one endpoint; `response_status` is the last answer's HTTP status."""

    id: UUID
    event: WebhookEvent
    state: DeliveryState
    attempts: int
    payload: JsonObject
    created_at: datetime
    response_status: int | None = None
    delivered_at: datetime | None = None
