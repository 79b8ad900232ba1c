"""Webhooks after the Standard Webhooks specification: signed, to public addresses alone, never redirected."""

import asyncio
import socket
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

import httpx
from standardwebhooks.webhooks import Webhook

from domain.outgoing import DeliveryFailed
from domain.webhooks import is_public_address

_SECONDS: Final = 15.0
_GONE: Final = "The endpoint says that it is gone."


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookMessage:
    """A message to an endpoint; `id` is the same for each attempt. `secret` is `whsec_…`, `body` JSON."""

    id: str
    url: str
    secret: str
    body: str
    at: datetime


async def post_webhook(message: WebhookMessage, *, allow_private: bool) -> int:
    """The HTTP status of an answer that accepts (2xx).

    Raises DeliveryFailed; final for an address that is not public and for 410.
    """
    try:
        url = httpx.URL(message.url)
    except httpx.InvalidURL as error:
        raise DeliveryFailed("This is no address of an endpoint.", final=True) from error
    port = url.port or (443 if url.scheme == "https" else 80)
    address = await _address(_host(url), port, allow_private=allow_private)
    try:
        status = await _post(message, url.copy_with(host=address), url)
    except (httpx.HTTPError, OSError) as error:
        raise DeliveryFailed("The endpoint did not answer.") from error
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        final = status == HTTPStatus.GONE
        raise DeliveryFailed(_GONE if final else f"The endpoint answered {status}.", final=final, status=status)
    return status


async def _post(message: WebhookMessage, target: httpx.URL, named: httpx.URL) -> int:
    """Post to the address that was looked at, under the name that it was asked for: a second look-up could differ."""
    headers = {
        "host": named.netloc.decode(),
        "content-type": "application/json",
        "user-agent": "Leadport",
        "webhook-id": message.id,
        "webhook-timestamp": str(int(message.at.timestamp())),
        "webhook-signature": Webhook(message.secret).sign(message.id, message.at, message.body),
    }
    async with httpx.AsyncClient(timeout=_SECONDS, follow_redirects=False, trust_env=False) as client:
        request = client.build_request(
            "POST", target, content=message.body, headers=headers, extensions={"sni_hostname": _host(named)}
        )
        async with asyncio.timeout(_SECONDS):
            response = await client.send(request, stream=True)
            await response.aclose()
    return response.status_code


def _host(url: httpx.URL) -> str:
    """The host as it was written: an internationalised name that cannot be decoded is a name all the same."""
    return url.raw_host.decode("ascii")


async def _address(host: str, port: int, *, allow_private: bool) -> str:
    """An address of the host. One that is not public refuses them all: a name that leads to both is an attack."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DeliveryFailed("The endpoint's name cannot be resolved.") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not allow_private and not all(is_public_address(address) for address in addresses):
        raise DeliveryFailed("Webhooks go to public addresses only.", final=True)
    return addresses[0]
