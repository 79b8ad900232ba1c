"""What webhook endpoints have, inside other objects."""

from dataclasses import dataclass
from uuid import UUID

from db.pool import Database
from db.webhooks import list_deliveries
from domain.paging import Page, PageRequest
from domain.partners import WebhookDelivery

__all__ = ["WebhookPort"]


@dataclass(frozen=True, slots=True)
class WebhookPort:
    """Implements the WebhookReads of schema/context.py within one organization."""

    database: Database
    organization_id: UUID

    async def deliveries(self, endpoint_id: UUID, page: PageRequest) -> Page[WebhookDelivery]:
        """The endpoint's deliveries, newest first; forward pages alone."""
        return await list_deliveries(self.database, self.organization_id, endpoint_id, page)
