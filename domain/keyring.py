"""Named secrets: sign links, seal what must not be readable in a dump. Each purpose gets a key of its own (HKDF)."""

import hashlib
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32


class Unsealable(Exception):
    """What was sealed is damaged, belongs elsewhere, or its key is no longer known."""


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
