"""API keys and webhook endpoints: made, changed, revoked, each one transaction with its activity entry."""

import asyncio
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from db.activity import Act, doer_of, record
from db.api_keys import insert_api_key, revoke
from db.connections import Connection
from db.webhooks import delete_endpoint, insert_endpoint, load_endpoint, redeliver, update_endpoint
from domain.actors import Actor
from domain.api_keys import key_prefix, new_api_key, secret_hash
from domain.checks import name_problems, require
from domain.errors import InputProblem, Path, Problem, Rejected, known_id, not_found
from domain.ids import IdKind, format_id, new_id
from domain.instants import given_instant
from domain.partners import WebhookDelivery, WebhookRecord
from domain.records import ApiKeyRecord, OrganizationRecord
from domain.requests import CreateApiKey, SaveWebhook
from domain.vocabulary import ActivityAction, Permission, UserErrorCode
from domain.webhooks import (
    WebhookSecrets,
    host_of,
    is_public_address,
    new_signing_secret,
    private_address,
    webhook_problems,
)
from jobs.runtime import Runtime

__all__ = ["deliver_again", "make_key", "remove_webhook", "revoke_key", "save_webhook"]

_INPUT: Final[Path] = ("input",)
_RESOLVE_SECONDS: Final = 3.0


async def make_key(
    runtime: Runtime, organization: OrganizationRecord, actor: Actor, request: CreateApiKey
) -> tuple[ApiKeyRecord, str]:
    """The key and its secret, which nobody can see again. Raises Rejected, BadInput."""
    now = datetime.now(UTC)
    zone = ZoneInfo(organization.settings.time_zone)
    expires = given_instant(request.expires_at, zone, (*_INPUT, "expiresAt")) if request.expires_at else None
    require(_key_problems(actor, request, expires, now))
    secret = new_api_key()
    key = ApiKeyRecord(
        id=new_id(),
        name=request.name.strip(),
        prefix=key_prefix(secret) or "",
        permissions=tuple(permission for permission in Permission if permission in request.permissions),
        created_at=now,
        expires_at=expires,
    )
    async with runtime.database.unit(actor.organization_id) as connection:
        await insert_api_key(connection, key, secret_hash(secret))
        await _note_key(connection, actor, key, "made")
    return key, secret


async def revoke_key(runtime: Runtime, actor: Actor, given: str) -> ApiKeyRecord:
    """The key, which opens nothing any more. Raises Rejected (NOT_FOUND)."""
    key_id = known_id(IdKind.API_KEY, "API key", given, "id")
    async with runtime.database.unit(actor.organization_id) as connection:
        key = await revoke(connection, key_id)
        if key is None:
            raise not_found("API key", given, "id")
        await _note_key(connection, actor, key, "revoked")
    return key


async def save_webhook(runtime: Runtime, actor: Actor, request: SaveWebhook) -> tuple[WebhookRecord, str | None]:
    """The endpoint as it is then; the signing secret of a new one, which nobody can see again. Raises Rejected."""
    private = runtime.settings.allow_private_webhooks
    require(webhook_problems(request, _INPUT, allow_private=private))
    if not private and await _leads_inside(host_of(request.url)):
        raise Rejected(private_address((*_INPUT, "url")))
    endpoint_id = known_id(IdKind.WEBHOOK, "webhook endpoint", request.id, "input", "id") if request.id else None
    async with runtime.database.unit(actor.organization_id) as connection:
        before = await load_endpoint(connection, endpoint_id) if endpoint_id else None
        if request.id is not None and before is None:
            raise not_found("webhook endpoint", request.id, "input", "id")
        endpoint = _endpoint(request, before)
        secret = None if before else new_signing_secret()
        if secret is None:
            await update_endpoint(connection, endpoint)
        else:
            sealed = WebhookSecrets(runtime.keyring).seal(secret, endpoint.id)
            await insert_endpoint(connection, endpoint, sealed)
        await _note_webhook(connection, actor, endpoint.id, f"Webhook to {host_of(endpoint.url)} saved")
    return endpoint, secret


async def remove_webhook(runtime: Runtime, actor: Actor, given: str) -> None:
    """Delete an endpoint with what was sent to it. Raises Rejected (NOT_FOUND)."""
    endpoint_id = known_id(IdKind.WEBHOOK, "webhook endpoint", given, "id")
    async with runtime.database.unit(actor.organization_id) as connection:
        if not await delete_endpoint(connection, endpoint_id):
            raise not_found("webhook endpoint", given, "id")
        await _note_webhook(connection, actor, endpoint_id, "Webhook deleted")


async def deliver_again(runtime: Runtime, actor: Actor, given: str) -> WebhookDelivery:
    """Send a message once more, as a delivery of its own. Raises Rejected (NOT_FOUND)."""
    delivery_id = known_id(IdKind.DELIVERY, "delivery", given, "deliveryId")
    async with runtime.database.unit(actor.organization_id) as connection:
        delivery = await redeliver(connection, delivery_id)
        if delivery is None:
            raise not_found("delivery", given, "deliveryId")
        details = {"of": given, "delivery": format_id(IdKind.DELIVERY, delivery.id)}
        act = Act(action=ActivityAction.WEBHOOK_CHANGED, summary="Webhook sent once more", details=details)
        await record(connection, doer_of(actor), act)
    return delivery


def _key_problems(actor: Actor, request: CreateApiKey, expires: datetime | None, now: datetime) -> Iterator[Problem]:
    yield from name_problems(request.name, *_INPUT, "name", required=True)
    if not request.permissions:
        yield InputProblem(UserErrorCode.INVALID, "Name at least one permission.", (*_INPUT, "permissions"))
    for index, permission in enumerate(request.permissions):
        path = (*_INPUT, "permissions", str(index))
        if permission is Permission.CROSS_ORGANIZATION:
            yield InputProblem(UserErrorCode.INVALID, "A key works within its organization.", path)
        elif not actor.may(permission):
            yield Problem(UserErrorCode.FORBIDDEN, "You cannot give what you may not do yourself.", path)
    if expires is not None and expires <= now:
        yield InputProblem(UserErrorCode.OUT_OF_RANGE, "This is in the past.", (*_INPUT, "expiresAt"))


def _endpoint(request: SaveWebhook, before: WebhookRecord | None) -> WebhookRecord:
    enabled = before is None or before.enabled if request.enabled is None else request.enabled
    return WebhookRecord(id=before.id if before else new_id(), url=request.url, events=request.events, enabled=enabled)


async def _leads_inside(host: str) -> bool:
    """Whether the name leads to an address that is not public; what cannot be resolved now is seen when it is sent."""
    try:
        async with asyncio.timeout(_RESOLVE_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return not all(is_public_address(str(entry[4][0])) for entry in found)


async def _note_key(connection: Connection, actor: Actor, key: ApiKeyRecord, word: str) -> None:
    details = {
        "id": format_id(IdKind.API_KEY, key.id),
        "prefix": key.prefix,
        "permissions": [permission.name for permission in key.permissions],
    }
    act = Act(action=ActivityAction.API_KEY_CHANGED, summary=f"API key {key.name} {word}", details=details)
    await record(connection, doer_of(actor), act)


async def _note_webhook(connection: Connection, actor: Actor, endpoint_id: UUID, summary: str) -> None:
    details = {"id": format_id(IdKind.WEBHOOK, endpoint_id)}
    act = Act(action=ActivityAction.WEBHOOK_CHANGED, summary=summary, details=details)
    await record(connection, doer_of(actor), act)
