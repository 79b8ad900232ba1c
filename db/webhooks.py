"""Webhook endpoints, what was sent to them, and the messages that the end of a job makes."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from db.connections import Connection, Row
from db.pool import Database
from domain.errors import BadInput
from domain.ids import IdKind, format_id, new_id
from domain.json import JsonObject
from domain.paging import Page, PageRequest
from domain.partners import WebhookDelivery, WebhookRecord
from domain.vocabulary import DeliveryChannel, DeliveryState, WebhookEvent

__all__ = [
    "delete_endpoint",
    "insert_endpoint",
    "list_deliveries",
    "list_endpoints",
    "load_delivery",
    "load_endpoint",
    "plan_events",
    "redeliver",
    "update_endpoint",
]

_ENDPOINT: Final = "id, url, events, enabled"
_DELIVERY: Final = "id, event, state, attempts, response_status, created_at, delivered_at, payload"
_PAGE: Final = f"""
select {_DELIVERY} from deliveries where webhook_endpoint_id = $2
and ($3::timestamptz is null or (created_at, id) < ($3, $4::uuid)) order by created_at desc, id desc limit $5
"""
_AGAIN: Final = f"""
insert into deliveries (id, channel, target, job_id, file_id, webhook_endpoint_id, event, payload, link_expires_at,
                        next_attempt_at)
select $2, d.channel, e.url, d.job_id, d.file_id, d.webhook_endpoint_id, d.event, d.payload, d.link_expires_at, now()
from deliveries d join webhook_endpoints e on e.id = d.webhook_endpoint_id where d.id = $1
returning {_DELIVERY}
"""
_JOB: Final = """
select kind, state, row_count, result -> 'counts' as counts, failure ->> 'code' as code,
  (select f.id from job_files f where f.job_id = j.id and f.role = 'DATA' order by f.id limit 1) as file_id
from jobs j where id = $1
"""
_TOLD: Final = f"""
select e.id, e.url, array(
  select wanted.event from unnest(e.events) wanted(event) where wanted.event = any($1::text[]) and not exists (
    select from deliveries d where d.job_id = $2 and d.webhook_endpoint_id = e.id and d.event = wanted.event
    and d.event = '{WebhookEvent.EXPORT_READY}')) as events
from webhook_endpoints e where e.enabled and e.events && $1::text[] order by e.id
"""
"""An export may have been asked to tell an endpoint of its file: it is not told twice."""
_PLAN: Final = """
insert into deliveries (id, channel, target, job_id, webhook_endpoint_id, event, payload, next_attempt_at)
values ($1, $2, $3, $4, $5, $6, $7, now())
"""


async def list_endpoints(database: Database, organization_id: UUID) -> Sequence[WebhookRecord]:
    """Every endpoint, the oldest first."""
    rows = await database.read(organization_id, f"select {_ENDPOINT} from webhook_endpoints order by created_at, id")
    return [_endpoint_of(row) for row in rows]


async def load_endpoint(connection: Connection, endpoint_id: UUID) -> WebhookRecord | None:
    """The endpoint, None where the organization has none of this id."""
    row = await connection.fetchrow(f"select {_ENDPOINT} from webhook_endpoints where id = $1", endpoint_id)
    return _endpoint_of(row) if row else None


async def insert_endpoint(connection: Connection, endpoint: WebhookRecord, secret_cipher: str) -> None:
    """A new endpoint with its sealed signing secret."""
    sql = "insert into webhook_endpoints (id, url, events, enabled, secret_cipher) values ($1, $2, $3, $4, $5)"
    await connection.execute(sql, endpoint.id, endpoint.url, list(endpoint.events), endpoint.enabled, secret_cipher)


async def update_endpoint(connection: Connection, endpoint: WebhookRecord) -> None:
    """Change an endpoint; its secret stays. What is still to be sent goes to its new address."""
    sql = "update webhook_endpoints set url = $2, events = $3, enabled = $4 where id = $1"
    await connection.execute(sql, endpoint.id, endpoint.url, list(endpoint.events), endpoint.enabled)
    sql = "update deliveries set target = $2 where webhook_endpoint_id = $1 and state = 'PENDING' and target <> $2"
    await connection.execute(sql, endpoint.id, endpoint.url)


async def delete_endpoint(connection: Connection, endpoint_id: UUID) -> bool:
    """Delete an endpoint with what was sent to it; False where there is none."""
    await connection.execute("delete from deliveries where webhook_endpoint_id = $1", endpoint_id)
    return await connection.execute("delete from webhook_endpoints where id = $1", endpoint_id) == "DELETE 1"


async def list_deliveries(
    database: Database, organization_id: UUID, endpoint_id: UUID, page: PageRequest
) -> Page[WebhookDelivery]:
    """A forward page of an endpoint's deliveries, newest first. Raises BadInput for a cursor of another list."""
    at, last = _position(page.cursor) if page.cursor else (None, None)
    rows = await database.read(organization_id, _PAGE, endpoint_id, at, last, page.size + 1)
    shown = [_delivery_of(row) for row in rows[: page.size]]
    return Page(
        items=shown,
        cursors=[_cursor(delivery) for delivery in shown],
        has_next=len(rows) > page.size,
        has_previous=page.cursor is not None,
    )


async def load_delivery(database: Database, organization_id: UUID, delivery_id: UUID) -> WebhookDelivery | None:
    """A message to an endpoint, None where the organization has none of this id."""
    sql = f"select {_DELIVERY} from deliveries where id = $2 and webhook_endpoint_id is not null"
    rows = await database.read(organization_id, sql, delivery_id)
    return _delivery_of(rows[0]) if rows else None


async def redeliver(connection: Connection, delivery_id: UUID) -> WebhookDelivery | None:
    """Plan the same message once more, to where its endpoint is now; None where there is no such delivery."""
    row = await connection.fetchrow(_AGAIN, delivery_id, new_id())
    return _delivery_of(row) if row else None


async def plan_events(connection: Connection, job_id: UUID, events: Sequence[WebhookEvent], at: datetime) -> None:
    """Tell every endpoint that wants to know of these events of a job, in the transaction that makes them true."""
    endpoints = await connection.fetch(_TOLD, list(events), job_id)
    job = await connection.fetchrow(_JOB, job_id) if endpoints else None
    if job is None:
        return
    channel = DeliveryChannel.WEBHOOK
    plans = [
        (new_id(), channel, row["url"], job_id, row["id"], event, _payload(event, job_id, job, at))
        for row in endpoints
        for event in events
        if event in row["events"]
    ]
    await connection.executemany(_PLAN, plans)


def _payload(event: WebhookEvent, job_id: UUID, job: Row, at: datetime) -> JsonObject:
    """Ids, states and counts: never a lead's values, never a link."""
    file_id = job["file_id"] if event is WebhookEvent.EXPORT_READY else None
    data = {
        "jobId": format_id(IdKind.JOB, job_id),
        "kind": job["kind"],
        "state": job["state"],
        "rows": job["row_count"],
        "counts": job["counts"],
        "fileId": format_id(IdKind.FILE, file_id) if file_id is not None else None,
        "failure": job["code"],
    }
    return {
        "type": event.name,
        "timestamp": at.isoformat(timespec="seconds"),
        "data": {name: value for name, value in data.items() if value is not None},
    }


def _endpoint_of(row: Row) -> WebhookRecord:
    events = tuple(WebhookEvent(event) for event in row["events"])
    return WebhookRecord(id=row["id"], url=row["url"], events=events, enabled=row["enabled"])


def _delivery_of(row: Row) -> WebhookDelivery:
    return WebhookDelivery(
        id=row["id"],
        event=WebhookEvent(row["event"]),
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        payload=row["payload"],
        created_at=row["created_at"],
        response_status=row["response_status"],
        delivered_at=row["delivered_at"],
    )


def _cursor(delivery: WebhookDelivery) -> str:
    return urlsafe_b64encode(msgspec.json.encode((delivery.created_at, delivery.id))).decode().rstrip("=")


def _position(cursor: str) -> tuple[datetime, UUID]:
    try:
        document = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(document, type=tuple[datetime, UUID])
    except (ValueError, msgspec.MsgspecError):
        raise BadInput("This is no cursor of this list.", ("after",)) from None
