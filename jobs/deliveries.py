"""Tells people and programs of files: each planned delivery is tried until it arrives or there is no hope."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from db.deliveries import DueDelivery, Share, endpoint_secret, note_failed, note_sent, take_due_deliveries
from db.downloads import Linked, linked_file
from delivery.email import Mail, send_mail
from delivery.webhooks import WebhookMessage, post_webhook
from domain.ids import IdKind, format_id
from domain.keyring import Unsealable
from domain.outgoing import DeliveryFailed, pause_after
from domain.vocabulary import DeliveryChannel
from domain.webhooks import WebhookSecrets
from jobs.links import Ticket, signed_url
from jobs.runtime import Runtime

AT_ONCE: Final = 20
AT_ONCE_TO_AN_ENDPOINT: Final = 4
"""One that is slow to answer does not take the places of the others."""
LEASE: Final = timedelta(minutes=2)
"""Longer than any attempt takes: a process that dies in between leaves it to another one."""
_LOOK_SECONDS: Final = 2.0
"""How long what comes to be due waits while others are under way."""


async def deliver_due(runtime: Runtime) -> int:
    """Make the next attempt of every delivery that is due, some at once; how many attempts."""
    count, under_way = 0, dict[asyncio.Task[None], UUID | None]()
    try:
        while True:
            due = await take_due_deliveries(runtime.system, _share(under_way), LEASE)
            under_way |= {asyncio.create_task(_attempt(runtime, one)): one.endpoint_id for one in due}
            count += len(due)
            if not under_way:
                return count
            await asyncio.wait(under_way, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for task in [task for task in under_way if task.done()]:
                del under_way[task]
                task.result()
    except asyncio.CancelledError:
        for task in under_way:
            task.cancel()
        raise
    finally:
        await asyncio.gather(*under_way, return_exceptions=True)


def _share(under_way: Mapping[asyncio.Task[None], UUID | None]) -> Share:
    """What may be taken beside what is under way."""
    times = Counter(endpoint for endpoint in under_way.values() if endpoint is not None)
    busy = [endpoint for endpoint, count in times.items() if count >= AT_ONCE_TO_AN_ENDPOINT]
    return Share(at_most=AT_ONCE - len(under_way), an_endpoint=AT_ONCE_TO_AN_ENDPOINT, without=busy)


async def _attempt(runtime: Runtime, due: DueDelivery) -> None:
    try:
        status = await _deliver(runtime, due)
    except DeliveryFailed as failed:
        pause = None if failed.final else pause_after(due.attempts)
        await note_failed(runtime.system, due, failed, pause)
    else:
        await note_sent(runtime.system, due, status)


async def _deliver(runtime: Runtime, due: DueDelivery) -> int | None:
    if pause_after(due.attempts - 1) is None:
        raise DeliveryFailed("It was tried as often as it may be, and one of the attempts had no end.", final=True)
    match due.channel:
        case DeliveryChannel.EMAIL:
            return await _mail(runtime, due)
        case DeliveryChannel.WEBHOOK:
            return await _post(runtime, due)


async def _mail(runtime: Runtime, due: DueDelivery) -> None:
    server = runtime.settings.mail_server
    if server is None:
        raise DeliveryFailed("This server has no mail server.", final=True)
    mail = await _file_mail(runtime, due) if due.file_id else _notice_mail(due)
    await send_mail(server, mail)


async def _file_mail(runtime: Runtime, due: DueDelivery) -> Mail:
    async with runtime.database.unit(due.organization_id) as connection:
        linked = await linked_file(connection, due.file_id) if due.file_id else None
    if linked is None or not linked.available or due.link_expires_at is None:
        raise DeliveryFailed("The file has been deleted.", final=True)
    until = min(due.link_expires_at, linked.file.expires_at)
    if until <= datetime.now(UTC):
        raise DeliveryFailed("The link had ended before it could be sent.", final=True)
    return _message(runtime, due, linked, until)


def _notice_mail(due: DueDelivery) -> Mail:
    subject, text = (str(due.payload.get(part, "")) for part in ("subject", "text"))
    return Mail(id=due.id.hex, to=due.target, subject=subject, text=text)


def _message(runtime: Runtime, due: DueDelivery, linked: Linked, until: datetime) -> Mail:
    ticket = Ticket(due.organization_id, linked.file.id, int(until.timestamp()), delivery=due.id)
    link = signed_url(runtime, ticket)
    rows = "" if linked.file.rows is None else f"{linked.file.rows:,} rows, "
    text = (
        f"{linked.file.name} is ready ({rows}{linked.file.bytes:,} bytes):\n\n{link.url}\n\n"
        f"The link works without signing in until {link.expires_at:%Y-%m-%d %H:%M} UTC. Whoever has it can open the "
        "file: do not pass it on.\n"
    )
    return Mail(id=due.id.hex, to=due.target, subject=f"{linked.file.name} is ready", text=text)


async def _post(runtime: Runtime, due: DueDelivery) -> int:
    async with runtime.database.unit(due.organization_id) as connection:
        sealed = await endpoint_secret(connection, due.endpoint_id) if due.endpoint_id else None
    if sealed is None or due.endpoint_id is None:
        raise DeliveryFailed("The endpoint has been deleted or disabled.", final=True)
    try:
        secret = WebhookSecrets(runtime.keyring).open(sealed, due.endpoint_id)
    except Unsealable:
        raise DeliveryFailed("The endpoint's signing secret cannot be read any more.", final=True) from None
    message = WebhookMessage(
        id=format_id(IdKind.DELIVERY, due.id),
        url=due.target,
        secret=secret,
        body=msgspec.json.encode(due.payload).decode(),
        at=datetime.now(UTC),
    )
    return await post_webhook(message, allow_private=runtime.settings.allow_private_webhooks)
