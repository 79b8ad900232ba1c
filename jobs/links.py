"""Links to files: always the server's own route, signed when read, bound to file, organization, holder and end."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from db.activity import Act, Doer, record
from db.connections import Connection
from db.downloads import Linked, delivery_target, holder_name, linked_file
from db.job_files import count_download
from db.people import find_user
from domain.actors import Actor, ActorKind, ActorRef
from domain.downloads import may_open
from domain.errors import BadInput
from domain.jobs import JobFileRecord
from domain.keyring import Keyring
from domain.records import SignedUrl
from domain.settings import OrganizationSettings
from domain.signed_tokens import InvalidToken, sign_token, verified
from domain.vocabulary import ActivityAction
from jobs.runtime import Runtime

MAX_LINK_SECONDS: Final = 86_400
_PURPOSE: Final = "download"


class WhyRefused(StrEnum):
    """What the HTTP edge answers with 403, 403 and 410."""

    LINK = "LINK"
    EXPIRED = "EXPIRED"
    GONE = "GONE"


class LinkRefused(Exception):
    """A link opens nothing; the message is safe to show."""

    def __init__(self, why: WhyRefused, message: str) -> None:
        super().__init__(message)
        self.why = why
        self.message = message


class Ticket(msgspec.Struct, frozen=True):
    """What a token says: the holder is a user or a key, or the receiver of a delivery. `until` in epoch seconds."""

    organization: UUID
    file: UUID
    until: int
    holder: UUID | None = None
    kind: ActorKind | None = None
    delivery: UUID | None = None


async def link_to(
    runtime: Runtime, actor: Actor, settings: OrganizationSettings, file: JobFileRecord, seconds: int
) -> SignedUrl | None:
    """A fresh link for the caller, for so many seconds; None where they may not have the file, or it is gone.

    Raises BadInput (`("ttlSeconds",)`) outside 1 to MAX_LINK_SECONDS.
    """
    if not 1 <= seconds <= MAX_LINK_SECONDS:
        raise BadInput(f"`ttlSeconds` must be from 1 to {MAX_LINK_SECONDS}.", ("ttlSeconds",))
    async with runtime.database.unit(actor.organization_id) as connection:
        linked = await linked_file(connection, file.id)
    if linked is None or not linked.available or not may_open(actor, settings, linked.kind, linked.file):
        return None
    until = min(datetime.now(UTC) + timedelta(seconds=seconds), linked.file.expires_at)
    ticket = Ticket(actor.organization_id, file.id, int(until.timestamp()), actor.id, actor.kind)
    return signed_url(runtime, ticket)


def signed_url(runtime: Runtime, ticket: Ticket) -> SignedUrl:
    """The link of a ticket."""
    url = f"{runtime.settings.public_url}/files/{sign(runtime.keyring, ticket)}"
    return SignedUrl(url, datetime.fromtimestamp(ticket.until, UTC))


def sign(keyring: Keyring, ticket: Ticket) -> str:
    """The token of a ticket."""
    return sign_token(keyring, _PURPOSE, ticket)


def verify(keyring: Keyring, token: str, now: datetime) -> Ticket:
    """What a token says, if we signed it and it is not over. Raises LinkRefused."""
    try:
        ticket = verified(keyring, _PURPOSE, token, Ticket)
    except InvalidToken as error:
        raise LinkRefused(WhyRefused.LINK, "This link is not valid.") from error
    if ticket.until <= now.timestamp():
        raise LinkRefused(WhyRefused.EXPIRED, "This link has expired: ask for a fresh one.")
    return ticket


async def open_download(
    runtime: Runtime, token: str, address: str | None, *, begins: Callable[[JobFileRecord], bool] = lambda _: True
) -> JobFileRecord:
    """The file that a link opens. Raises LinkRefused.

    Where it `begins`, it is counted and written to the activity log, as the start of a download is; further ranges of
    it and HEAD requests are not.
    """
    ticket = verify(runtime.keyring, token, datetime.now(UTC))
    async with runtime.database.unit(ticket.organization) as connection:
        linked = await linked_file(connection, ticket.file)
        doer = await _holder(runtime, connection, ticket, address)
        if linked is None or doer is None:
            raise LinkRefused(WhyRefused.LINK, "This link is not valid any more.")
        if not linked.available:
            raise LinkRefused(WhyRefused.GONE, "The file has been deleted.")
        if begins(linked.file):
            await _note(connection, linked, doer)
    return linked.file


async def _holder(runtime: Runtime, connection: Connection, ticket: Ticket, address: str | None) -> Doer | None:
    """Who holds the link, None where they may not use it any more."""
    if ticket.delivery is not None:
        target = await delivery_target(connection, ticket.delivery, ticket.file)
        return None if target is None else Doer(ActorRef(ActorKind.SYSTEM, None, f"Link sent to {target}"), address)
    if ticket.kind is None or ticket.holder is None:
        return None
    name = await holder_name(connection, ticket.kind, ticket.holder)
    if name is None and ticket.kind is ActorKind.USER:
        visitor = await find_user(runtime.system, ticket.holder)
        name = visitor.name if visitor else None
    return None if name is None else Doer(ActorRef(ticket.kind, ticket.holder, name), address)


async def _note(connection: Connection, linked: Linked, doer: Doer) -> None:
    await count_download(connection, linked.file.id)
    act = Act(
        action=ActivityAction.EXPORT_DOWNLOADED,
        summary=f"{linked.file.name} downloaded",
        job_id=linked.file.job_id,
        lead_count=linked.file.rows,
        details={"file": linked.file.name, "role": linked.file.role.name, "sensitive": linked.file.sensitive},
    )
    await record(connection, doer, act)
