"""Deliveries: who is to be told of a file, and how that went."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from db.connections import Connection, Row
from domain.exports import Delivery
from domain.ids import IdKind, new_id, parse_id
from domain.job_details import FileDelivery
from domain.job_requests import NewFile
from domain.vocabulary import DeliveryChannel, DeliveryState, WebhookEvent

__all__ = ["deliveries_of", "missing_endpoints", "plan_deliveries"]

_INSERT: Final = """
insert into deliveries (id, channel, target, job_id, file_id, webhook_endpoint_id, event, link_expires_at,
                        next_attempt_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, now())
"""
_ENDPOINT: Final = "select url from webhook_endpoints where id = $1 and enabled"


async def plan_deliveries(connection: Connection, job_id: UUID, file: NewFile, asked: tuple[Delivery, ...]) -> None:
    """Plan every delivery of a file in the transaction that publishes it; an endpoint that is gone gets none."""
    for delivery in asked:
        until = file.expires_at
        if delivery.link_ttl_hours is not None:
            until = min(until, datetime.now(UTC) + timedelta(hours=delivery.link_ttl_hours))
        for address in delivery.email:
            channel = DeliveryChannel.EMAIL
            await connection.execute(_INSERT, new_id(), channel, address, job_id, file.id, None, None, until)
        endpoint = parse_id(IdKind.WEBHOOK, delivery.webhook_endpoint_id) if delivery.webhook_endpoint_id else None
        url = None if endpoint is None else await connection.fetchval(_ENDPOINT, endpoint)
        if url is not None:
            channel, event = DeliveryChannel.WEBHOOK, WebhookEvent.EXPORT_READY
            await connection.execute(_INSERT, new_id(), channel, url, job_id, file.id, endpoint, event, until)


async def deliveries_of(connection: Connection, job_id: UUID) -> list[FileDelivery]:
    """The deliveries of a job's file, in the order of their making."""
    sql = """
    select channel, target, state, attempts, last_error, delivered_at from deliveries
    where job_id = $1 and file_id is not null order by id
    """
    return [_delivery(row) for row in await connection.fetch(sql, job_id)]


async def missing_endpoints(connection: Connection, ids: list[UUID]) -> list[UUID]:
    """Those of the ids that name no webhook endpoint."""
    rows = await connection.fetch("select id from webhook_endpoints where id = any($1)", ids)
    known = {row["id"] for row in rows}
    return [endpoint for endpoint in ids if endpoint not in known]


def _delivery(row: Row) -> FileDelivery:
    return FileDelivery(
        channel=DeliveryChannel(row["channel"]),
        target=row["target"],
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        last_error=row["last_error"],
        delivered_at=row["delivered_at"],
    )
