"""Deliveries: who is to be told of a file, and how that went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from db.connections import Connection, Row
from db.system import SystemDatabase
from domain.exports import Delivery
from domain.ids import IdKind, format_id, new_id, parse_id
from domain.job_details import FileDelivery
from domain.job_requests import NewFile
from domain.json import JsonObject
from domain.outgoing import DeliveryFailed, Notice
from domain.vocabulary import DeliveryChannel, DeliveryState, JobKind, JobState, WebhookEvent

__all__ = [
    "DueDelivery",
    "Share",
    "deliveries_of",
    "endpoint_secret",
    "missing_endpoints",
    "note_failed",
    "note_sent",
    "plan_deliveries",
    "plan_notices",
    "take_due_deliveries",
]

_INSERT: Final = """
insert into deliveries (id, channel, target, job_id, file_id, webhook_endpoint_id, event, link_expires_at, payload,
                        next_attempt_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now())
"""
_TAKE: Final = """
with waiting as (
  select organization_id, id, row_number() over (
    partition by webhook_endpoint_id, case when webhook_endpoint_id is null then id end order by next_attempt_at
  ) as place
  from store.deliveries
  where state = 'PENDING' and next_attempt_at <= now()
    and (webhook_endpoint_id is null or webhook_endpoint_id <> all($3::uuid[]))
), due as (
  select d.organization_id, d.id from waiting w
  join store.deliveries d on d.organization_id = w.organization_id and d.id = w.id
  where w.place <= $4 and d.state = 'PENDING' and d.next_attempt_at <= now()
  order by w.place, d.next_attempt_at limit $1 for update of d skip locked
)
update store.deliveries d set attempts = attempts + 1, next_attempt_at = now() + $2::interval from due
where d.organization_id = due.organization_id and d.id = due.id
returning d.organization_id, d.id, d.channel, d.target, d.job_id, d.file_id, d.webhook_endpoint_id, d.payload,
  d.attempts, d.link_expires_at
"""
_SENT: Final = """
update store.deliveries set state = 'SENT', delivered_at = now(), response_status = $3, last_error = null
where organization_id = $1 and id = $2
"""
_FAILED: Final = """
update store.deliveries set state = case when $5::interval is null then 'FAILED' else 'PENDING' end,
  last_error = $3, response_status = $4, next_attempt_at = now() + $5::interval
where organization_id = $1 and id = $2
"""
_ENDPOINT: Final = "select url from webhook_endpoints where id = $1"
"""A disabled one too: the delivery then says that it failed, and why."""


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery that one process has taken to make its next attempt, the one that `attempts` counts."""

    organization_id: UUID
    id: UUID
    channel: DeliveryChannel
    target: str
    job_id: UUID | None
    file_id: UUID | None
    endpoint_id: UUID | None
    payload: JsonObject
    attempts: int
    link_expires_at: datetime | None


async def plan_deliveries(connection: Connection, job_id: UUID, file: NewFile, asked: tuple[Delivery, ...]) -> None:
    """Plan every delivery of a file in the transaction that publishes it; an endpoint that is gone gets none."""
    for delivery in asked:
        until = file.expires_at
        if delivery.link_ttl_hours is not None:
            until = min(until, datetime.now(UTC) + timedelta(hours=delivery.link_ttl_hours))
        for address in dict.fromkeys(delivery.email):
            channel = DeliveryChannel.EMAIL
            await connection.execute(_INSERT, new_id(), channel, address, job_id, file.id, None, None, until, {})
        endpoint = parse_id(IdKind.WEBHOOK, delivery.webhook_endpoint_id) if delivery.webhook_endpoint_id else None
        url = None if endpoint is None else await connection.fetchval(_ENDPOINT, endpoint)
        if url is not None:
            channel, event = DeliveryChannel.WEBHOOK, WebhookEvent.EXPORT_READY
            payload = _payload(event, job_id, file)
            await connection.execute(_INSERT, new_id(), channel, url, job_id, file.id, endpoint, event, until, payload)


async def plan_notices(connection: Connection, job_id: UUID, addresses: Sequence[str], notice: Notice) -> None:
    """Plan mails without a file, in the transaction of what they tell."""
    payload = {"subject": notice.subject, "text": notice.text}
    for address in addresses:
        await connection.execute(
            _INSERT, new_id(), DeliveryChannel.EMAIL, address, job_id, None, None, None, None, payload
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many deliveries to take, how many of them for one endpoint, and the endpoints that are to get none now."""

    at_most: int
    an_endpoint: int
    without: Sequence[UUID] = ()


async def take_due_deliveries(system: SystemDatabase, share: Share, lease: timedelta) -> list[DueDelivery]:
    """Deliveries that are due, kept from other processes for the length of the lease."""
    return [
        DueDelivery(
            row["organization_id"],
            row["id"],
            DeliveryChannel(row["channel"]),
            row["target"],
            row["job_id"],
            row["file_id"],
            row["webhook_endpoint_id"],
            row["payload"],
            row["attempts"],
            row["link_expires_at"],
        )
        for row in await system.fetch(_TAKE, share.at_most, lease, share.without, share.an_endpoint)
    ]


async def note_sent(system: SystemDatabase, due: DueDelivery, status: int | None) -> None:
    """It has arrived."""
    await system.execute(_SENT, due.organization_id, due.id, status)


async def note_failed(
    system: SystemDatabase, due: DueDelivery, failed: DeliveryFailed, pause: timedelta | None
) -> None:
    """It has not arrived; tried again after the pause, None: never."""
    await system.execute(_FAILED, due.organization_id, due.id, failed.message, failed.status, pause)


async def endpoint_secret(connection: Connection, endpoint_id: UUID) -> str | None:
    """The sealed signing secret of an endpoint that is enabled."""
    sql = "select secret_cipher from webhook_endpoints where id = $1 and enabled"
    return await connection.fetchval(sql, endpoint_id)


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


def _payload(event: WebhookEvent, job_id: UUID, file: NewFile) -> JsonObject:
    """Ids, states and counts: never a lead's values, never a link."""
    return {
        "type": event.name,
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": {
            "jobId": format_id(IdKind.JOB, job_id),
            "kind": JobKind.EXPORT.name,
            "state": JobState.COMPLETED.name,
            "rows": file.rows,
            "fileId": format_id(IdKind.FILE, file.id),
        },
    }


def _delivery(row: Row) -> FileDelivery:
    return FileDelivery(
        channel=DeliveryChannel(row["channel"]),
        target=row["target"],
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        last_error=row["last_error"],
        delivered_at=row["delivered_at"],
    )
