"""Named secrets: sign links, seal what must not be readable in a dump. Each purpose gets a key of its own (HKDF)."""

import hashlib
import hmac
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SHORTEST_SECRET: Final = 32
"""Characters: enough for HMAC-SHA256 (RFC 7518, section 3.2)."""
_ITEM: Final = re.compile(r"([A-Za-z0-9_-]{1,32}):(\S+)")
_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32


class Unsealable(Exception):
    """What was sealed is damaged, belongs elsewhere, or its key is no longer known."""


def parse_secrets(text: str) -> dict[str, bytes]:
    """Secrets by key id out of `id:secret,id2:secret2`, in this order.

    Raises ValueError with a message that repeats no secret.
    """
    secrets: dict[str, bytes] = {}
    for number, item in enumerate(text.split(","), 1):
        match = _ITEM.fullmatch(item.strip())
        if match is None:
            raise ValueError(f"must be id:secret,id2:secret2 (see the one at place {number})")
        key_id, secret = match.groups()
        if len(secret) < SHORTEST_SECRET:
            raise ValueError(f"the secret {key_id} must have at least {SHORTEST_SECRET} characters")
        if key_id in secrets:
            raise ValueError(f"the key id {key_id} is given twice")
        secrets[key_id] = secret.encode()
    return secrets


class Keyring:
    """Secrets by id; the current one signs and seals, all of them verify and open, so that keys can be rotated."""

    def __init__(self, secrets: Mapping[str, bytes], current: str) -> None:
        if current not in secrets:
            raise ValueError("the current key is not among the secrets")
        self._secrets = dict(secrets)
        self.current = current

    def sign(self, purpose: str, message: bytes) -> bytes:
        """HMAC-SHA256 (32 bytes) with the current key."""
        return hmac.digest(self._key(self.current, purpose), message, hashlib.sha256)

    def verify(self, purpose: str, key_id: str, message: bytes, signature: bytes) -> bool:
        """Whether the signature was made with that key; False for a key that is not known. Constant time."""
        if key_id not in self._secrets:
            return False
        return hmac.compare_digest(hmac.digest(self._key(key_id, purpose), message, hashlib.sha256), signature)

    def seal(self, purpose: str, plain: bytes, place: bytes = b"") -> str:
        """AES-256-GCM as `<key id>.<base64url>`; `place` (a row's id) must be given again to open it."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self._key(self.current, purpose)).encrypt(nonce, plain, place)
        return f"{self.current}.{urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, purpose: str, sealed: str, place: bytes = b"") -> bytes:
        """What `seal` was given. Raises Unsealable."""
        key_id, _, text = sealed.partition(".")
        try:
            data = urlsafe_b64decode(text)
            return AESGCM(self._key(key_id, purpose)).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], place)
        except (InvalidTag, KeyError, ValueError) as error:
            raise Unsealable(purpose) from error

    def _key(self, key_id: str, purpose: str) -> bytes:
        derivation = HKDF(SHA256(), _KEY_BYTES, salt=None, info=f"leadport {purpose}".encode())
        return derivation.derive(self._secrets[key_id])
