"""The credentials of programs: `lp_<8 hexadecimal digits>_<43 characters>`; the part before the last `_` is no secret.

The secret has 256 random bits, so that one SHA-256 protects it at rest as well as a slow hash would.
"""

import hashlib
import hmac
import re
import secrets
from typing import Final

__all__ = ["KEY_START", "key_prefix", "new_api_key", "secret_hash", "secret_matches"]

KEY_START: Final = "lp_"
_KEY: Final = re.compile(r"(lp_[0-9a-f]{8})_[A-Za-z0-9_-]{43}")


def new_api_key() -> str:
    """A fresh key, to be shown once."""
    return f"{KEY_START}{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}"


def key_prefix(key: str) -> str | None:
    """The public part that tells keys apart, None where the text is no key."""
    match = _KEY.fullmatch(key)
    return match[1] if match else None


def secret_hash(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def secret_matches(key: str, kept: str) -> bool:
    """Whether this is the key of which `kept` was kept. Constant time."""
    return hmac.compare_digest(secret_hash(key), kept)
