"""Signed tokens, as links carry them: `<key id>.<payload>.<signature>`.

Payload and signature are base64url without padding (RFC 4648, section 5) of a JSON document and of an HMAC-SHA256.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TypeVar

import msgspec

from domain.keyring import Keyring

__all__ = ["InvalidToken", "sign_token", "verified"]

Ticket = TypeVar("Ticket", bound=msgspec.Struct)


class InvalidToken(Exception):
    """A text that was not signed with a key of ours for this purpose."""


def sign_token(keyring: Keyring, purpose: str, ticket: msgspec.Struct) -> str:
    """The token of a ticket, signed with the current key."""
    signed = f"{keyring.current}.{_text(msgspec.json.encode(ticket))}"
    return f"{signed}.{_text(keyring.sign(purpose, signed.encode()))}"


def verified(keyring: Keyring, purpose: str, token: str, kind: type[Ticket]) -> Ticket:
    """The ticket of this kind that a token was made of. Raises InvalidToken."""
    signed, _, signature = token.rpartition(".")
    key_id, _, payload = signed.partition(".")
    try:
        if not keyring.verify(purpose, key_id, signed.encode(), _bytes(signature)):
            raise InvalidToken
        return msgspec.json.decode(_bytes(payload), type=kind)
    except (ValueError, msgspec.DecodeError) as error:
        raise InvalidToken from error


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    """The bytes; ValueError for any other spelling of them than ours."""
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _text(data) != text:
        raise ValueError(text)
    return data
