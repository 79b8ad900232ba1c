"""Where webhooks may go, and their signing secrets (Standard Webhooks specification)."""

import ipaddress
from base64 import b64encode
from collections.abc import Iterator
from secrets import token_bytes
from typing import Final
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from domain.errors import InputProblem, Path, Problem
from domain.keyring import Keyring
from domain.requests import SaveWebhook
from domain.vocabulary import UserErrorCode

__all__ = [
    "WebhookSecrets",
    "host_of",
    "is_public_address",
    "new_signing_secret",
    "private_address",
    "webhook_problems",
]

_LONGEST_URL: Final = 2_000
_SECRET_BYTES: Final = 32
_MARK: Final = "whsec_"
"""What every signing secret begins with."""
_PURPOSE: Final = "webhook secret"
_LOCAL_ZONES: Final = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
_TRANSLATED: Final = ipaddress.ip_network("64:ff9b::/96")


class WebhookSecrets:
    """Seals and opens signing secrets, each bound to its endpoint."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def seal(self, secret: str, endpoint_id: UUID) -> str:
        """What `webhook_endpoints.secret_cipher` holds."""
        return self._keyring.seal(_PURPOSE, secret.encode(), endpoint_id.bytes)

    def open(self, sealed: str, endpoint_id: UUID) -> str:
        """What was sealed, `whsec_…`. Raises Unsealable."""
        return self._keyring.open(_PURPOSE, sealed, endpoint_id.bytes).decode()


def new_signing_secret() -> str:
    """A fresh secret: `whsec_` and 256 bits in base64."""
    return _MARK + b64encode(token_bytes(_SECRET_BYTES)).decode()


def webhook_problems(request: SaveWebhook, path: Path, *, allow_private: bool) -> Iterator[Problem]:
    """What is wrong with an endpoint by itself; where its name leads is seen when it is resolved."""
    if not request.events:
        yield InputProblem(UserErrorCode.INVALID, "Name at least one event.", (*path, "events"))
    if len(set(request.events)) < len(request.events):
        yield InputProblem(UserErrorCode.DUPLICATE, "An event is named twice.", (*path, "events"))
    parts = _split(request.url)
    if parts is None or parts.scheme not in ({"https", "http"} if allow_private else {"https"}):
        message = "This must be an https address without user, password and fragment."
        yield InputProblem(UserErrorCode.INVALID, message, (*path, "url"))
    elif not allow_private and _is_local_name(parts.hostname or ""):
        yield private_address((*path, "url"))


def private_address(path: Path) -> Problem:
    """The problem of an address that is not on the public internet."""
    return InputProblem(UserErrorCode.INVALID, "Webhooks go to public addresses only.", path)


def host_of(url: str) -> str:
    """The host that an accepted address names, in lower case and without brackets."""
    return urlsplit(url).hostname or ""


def is_public_address(text: str) -> bool:
    """Whether an IP address is on the public internet: not private, loopback, link-local, multicast or reserved."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _TRANSLATED:
            inner = ipaddress.IPv4Address(address.packed[-4:])
        if inner is not None:
            return is_public_address(str(inner))
    return address.is_global and not address.is_multicast


def _split(url: str) -> SplitResult | None:
    if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    plain = parts.username is None and parts.password is None and not parts.fragment and "\\" not in url
    return parts if named and plain else None


def _is_local_name(host: str) -> bool:
    name = host.rstrip(".").lower()
    if name.count(".") == 0 and ":" not in name:
        return True
    if name.endswith(_LOCAL_ZONES):
        return True
    return _is_address(name) and not is_public_address(name)


def _is_address(name: str) -> bool:
    """Whether a name is an IP address in any form that a resolver takes: `127.1` and `0x7f.1` are two."""
    return ":" in name or name.rpartition(".")[2].isdigit() or name.rpartition(".")[2].startswith("0x")
