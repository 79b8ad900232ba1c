"""Bearer tokens: JSON Web Tokens (RFC 7519), signed with a shared secret (HS256) or by an identity provider (JWKS)."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import jwt
from jwt import PyJWKClient, PyJWKClientError

from domain.errors import Unauthenticated
from domain.vocabulary import Role

_SHARED: Final = "HS256"
_PROVIDER: Final = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
_REQUIRED: Final = ("exp", "iss", "aud", "sub", "org")
_LEEWAY_SECONDS: Final = 10
_MAX_LENGTH: Final = 8_192
_MAX_TEXT: Final = 300
_PROVIDER_SECONDS: Final = 5
_REFRESH_SECONDS: Final = 10.0
"""How often an unknown key id makes us ask the provider for its keys again: anybody can invent one."""


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """`secrets` by key id, the first signs; `jwks_url` names the provider's keys, None where there is no provider."""

    issuer: str
    audience: str
    secrets: Mapping[str, bytes]
    jwks_url: str | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says. `organization` is an id or a slug; `expires_at` in seconds since the epoch."""

    subject: str
    organization: str
    role: Role
    name: str | None
    email: str | None
    expires_at: float


class Tokens:
    """Issues and verifies bearer tokens."""

    def __init__(self, settings: TokenSettings) -> None:
        self._settings = settings
        self._provider = PyJWKClient(settings.jwks_url, timeout=_PROVIDER_SECONDS) if settings.jwks_url else None
        self._refreshed = -_REFRESH_SECONDS

    def issue(self, *, organization: str, role: Role, subject: str, name: str, seconds: int) -> str:
        """A token signed with the first secret."""
        key_id, secret = next(iter(self._settings.secrets.items()))
        claims = {
            "iss": self._settings.issuer,
            "aud": self._settings.audience,
            "exp": int(time.time()) + seconds,
            "sub": subject,
            "org": organization,
            "role": role.value,
            "name": name,
        }
        return jwt.encode(claims, secret, _SHARED, headers={"kid": key_id})

    def verify(self, token: str) -> Claims:
        """The claims of a token. Raises Unauthenticated, whatever is wrong with it.

        With a provider its keys may have to be fetched: call it outside the event loop then.
        """
        if len(token) > _MAX_LENGTH:
            raise Unauthenticated
        try:
            payload = self._payload(token)
            return _claims(payload)
        except (jwt.PyJWTError, PyJWKClientError, OverflowError, ValueError) as error:
            raise Unauthenticated from error

    @property
    def remote(self) -> bool:
        """Whether verifying may need the network."""
        return self._provider is not None

    def _payload(self, token: str) -> Mapping[str, object]:
        header = jwt.get_unverified_header(token)
        shared = header.get("alg") == _SHARED
        if shared:
            key: object = self._settings.secrets.get(str(header.get("kid", "")))
        else:
            key = self._provider_key(self._provider, header.get("kid")) if self._provider else None
        if key is None:
            raise Unauthenticated
        return jwt.decode(
            token,
            key,  # pyright: ignore[reportArgumentType] - bytes, or the provider's key
            algorithms=[_SHARED] if shared else list(_PROVIDER),
            issuer=self._settings.issuer,
            audience=self._settings.audience,
            leeway=_LEEWAY_SECONDS,
            options={"require": list(_REQUIRED)},
        )

    def _provider_key(self, provider: PyJWKClient, key_id: object) -> object:
        found = [key for key in provider.get_signing_keys() if key.key_id == key_id]
        now = time.monotonic()
        if not found and now - self._refreshed > _REFRESH_SECONDS:
            self._refreshed = now
            found = [key for key in provider.get_signing_keys(refresh=True) if key.key_id == key_id]
        return found[0].key if found else None


def _claims(payload: Mapping[str, object]) -> Claims:
    role = next((role for role in Role if role == payload.get("role")), None)
    subject, organization, expires = payload["sub"], payload["org"], payload["exp"]
    if role is None or not isinstance(organization, str) or not isinstance(expires, int | float):
        raise Unauthenticated
    if not isinstance(subject, str) or not subject.isprintable() or not 0 < len(subject) <= _MAX_TEXT:
        raise Unauthenticated
    return Claims(
        subject=subject,
        organization=organization,
        role=role,
        name=_text(payload.get("name")),
        email=_text(payload.get("email")),
        expires_at=float(expires),
    )


def _text(value: object) -> str | None:
    """What people may be called; control characters, which a database or a log would mind, are left out."""
    if not isinstance(value, str):
        return None
    return "".join(char for char in value if char.isprintable()).strip()[:_MAX_TEXT] or None
