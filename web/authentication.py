"""Who is calling: a bearer token or an API key becomes a caller in an organization."""

import asyncio
import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from db.activity import Act, doer_of, record
from db.api_keys import StoredApiKey, find_api_keys, mark_used
from db.organizations import Organizations
from db.people import SignIn, sign_in
from db.transient import TRANSIENT
from domain.actors import Actor, ActorKind
from domain.api_keys import KEY_START, key_prefix, secret_matches
from domain.errors import BadInput, Forbidden, Unauthenticated
from domain.ids import IdKind, parse_id
from domain.permissions import permissions_of
from domain.records import OrganizationRecord
from domain.vocabulary import ActivityAction, Permission, Role
from jobs.runtime import Runtime
from resolvers.ports import Caller
from web.denials import record_denial
from web.rates import Rates
from web.tokens import Claims, Tokens

__all__ = ["Authenticator", "Credential", "credential_of"]

_REMEMBERED_SECONDS: Final = 2.0
_REMEMBERED: Final = 10_000
_NOT_ACTIVE: Final = "This user has been deactivated."
_SLUG: Final = re.compile(r"[a-z0-9-]{1,63}")


@dataclass(frozen=True, slots=True)
class Credential:
    """What a caller sends: a token or key, and the organization that a SYSTEM_ADMIN wants to act in."""

    secret: str
    organization: str | None = None


@dataclass(frozen=True, slots=True)
class _Identity:
    """Whose credential it is; `permissions` None: those of the role. `expires_at` in seconds since the epoch."""

    home: UUID
    kind: ActorKind
    id: UUID
    name: str
    role: Role | None
    permissions: frozenset[Permission] | None
    expires_at: float | None


def credential_of(headers: Mapping[str, str]) -> Credential | None:
    """The credential in headers (or in a connection_init payload) with names in lower case, None where there is none.

    Raises Unauthenticated for any other scheme than Bearer.
    """
    organization = headers.get("x-organization-id")
    authorization = headers.get("authorization")
    if authorization is not None:
        scheme, _, secret = authorization.strip().partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise Unauthenticated
        return Credential(secret.strip(), organization)
    key = headers.get("x-api-key")
    return Credential(key.strip(), organization) if key is not None else None


class Authenticator:
    """Verifies credentials and remembers whose they are for two seconds, which is how late a revocation may be seen."""

    def __init__(self, runtime: Runtime, directory: Organizations, tokens: Tokens, rates: Rates) -> None:
        self._runtime = runtime
        self._directory = directory
        self._tokens = tokens
        self._rates = rates
        self._known: OrderedDict[bytes, tuple[float, _Identity]] = OrderedDict()

    async def admit(self, credential: Credential, address: str | None) -> Caller:
        """The caller who comes; credentials that are refused are counted.

        Raises TooManyRequests, and what `authenticate` raises.
        """
        self._rates.check_failures(address or "")
        try:
            return await self.authenticate(credential, address)
        except Unauthenticated:
            self._rates.count_failure(address or "")
            raise

    async def authenticate(self, credential: Credential, address: str | None) -> Caller:
        """The caller. Raises Unauthenticated, Forbidden, BadInput (another organization)."""
        identity = await self._identity(credential.secret, address)
        if identity.expires_at is not None and identity.expires_at <= time.time():
            raise Unauthenticated
        organization = await self._directory.find(identity.home)
        if organization is None:
            raise Unauthenticated
        if credential.organization is not None:
            actor = _actor(identity, organization, address)
            organization = await self._chosen(credential.organization, actor, organization)
        return Caller(_actor(identity, organization, address), organization)

    async def renewed(self, caller: Caller | None, credential: Credential, address: str | None) -> Caller | None:
        """Somebody who stays as they are by now, None where they may not stay.

        Nobody is shut out because the database was away: the next check tells.
        """
        try:
            return await self.authenticate(credential, address)
        except (BadInput, Forbidden, Unauthenticated):
            return None
        except TRANSIENT:
            return caller

    async def _identity(self, secret: str, address: str | None) -> _Identity:
        digest, now = hashlib.sha256(secret.encode()).digest(), time.monotonic()
        known = self._known.get(digest)
        if known is not None and now < known[0]:
            return known[1]
        identity = await self._verified(secret, address)
        self._known[digest] = (now + _REMEMBERED_SECONDS, identity)
        self._known.move_to_end(digest)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return identity

    async def _verified(self, secret: str, address: str | None) -> _Identity:
        if secret.startswith(KEY_START):
            return await self._program(secret)
        verify = self._tokens.verify
        claims = await asyncio.to_thread(verify, secret) if self._tokens.remote else verify(secret)
        return await self._person(claims, address)

    async def _program(self, secret: str) -> _Identity:
        prefix = key_prefix(secret)
        found = await find_api_keys(self._runtime.system, prefix) if prefix else ()
        key = next((key for key in found if secret_matches(secret, key.secret_hash)), None)
        if key is None or _ended(key):
            raise Unauthenticated
        await mark_used(self._runtime.system, key)
        return _Identity(
            home=key.organization_id,
            kind=ActorKind.API_KEY,
            id=key.record.id,
            name=key.record.name,
            role=None,
            permissions=frozenset(key.record.permissions),
            expires_at=key.record.expires_at.timestamp() if key.record.expires_at else None,
        )

    async def _person(self, claims: Claims, address: str | None) -> _Identity:
        organization = await self._named(claims.organization)
        if organization is None:
            raise Unauthenticated
        person = SignIn(subject=claims.subject, name=claims.name, email=claims.email, role=claims.role)
        user = await sign_in(self._runtime.system, organization.id, person)
        identity = _Identity(
            home=organization.id,
            kind=ActorKind.USER,
            id=user.id,
            name=user.name,
            role=claims.role,
            permissions=None,
            expires_at=claims.expires_at,
        )
        if not user.active:
            await self._record_denial(_actor(identity, organization, address))
            raise Unauthenticated(_NOT_ACTIVE)
        return identity

    async def _chosen(self, wanted: str, actor: Actor, home: OrganizationRecord) -> OrganizationRecord:
        organization = await self._named(wanted)
        if organization is not None and organization.id == home.id:
            return home
        if actor.role is not Role.SYSTEM_ADMIN:
            await record_denial(self._runtime.database, actor, [Permission.CROSS_ORGANIZATION])
            raise Forbidden(Permission.CROSS_ORGANIZATION)
        if organization is None:
            raise BadInput("There is no organization of this id or slug.", ("X-Organization-Id",))
        return organization

    async def _named(self, text: str) -> OrganizationRecord | None:
        """The organization of an id, a bare UUID or a slug."""
        found = parse_id(IdKind.ORGANIZATION, text) or parse_id(IdKind.ORGANIZATION, f"{IdKind.ORGANIZATION}_{text}")
        if found is not None:
            return await self._directory.find(found)
        return await self._directory.find(text) if _SLUG.fullmatch(text) else None

    async def _record_denial(self, actor: Actor) -> None:
        act = Act(action=ActivityAction.ACCESS_DENIED, summary=f"{actor.name} is deactivated and was denied")
        async with self._runtime.database.unit(actor.organization_id) as connection:
            await record(connection, doer_of(actor), act)


def _ended(key: StoredApiKey) -> bool:
    expires = key.record.expires_at
    return key.record.revoked_at is not None or (expires is not None and expires <= datetime.now(UTC))


def _actor(identity: _Identity, organization: OrganizationRecord, address: str | None) -> Actor:
    permissions = identity.permissions
    if permissions is None and identity.role is not None:
        permissions = permissions_of(identity.role, frozenset(organization.settings.export_roles))
    return Actor(
        kind=identity.kind,
        organization_id=organization.id,
        id=identity.id,
        name=identity.name,
        role=identity.role,
        permissions=permissions or frozenset(),
        address=address,
        expires_at=identity.expires_at,
    )
