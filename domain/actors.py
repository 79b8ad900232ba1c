"""Who is asking. Made from the credential alone; every use case takes an Actor first."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.errors import Forbidden
from domain.vocabulary import Permission, Role


class ActorKind(StrEnum):
    """What acts: a person, a program with a key, or the product itself (schedules, retention)."""

    USER = "USER"
    API_KEY = "API_KEY"
    SYSTEM = "SYSTEM"


@dataclass(frozen=True, slots=True)
class Actor:
    """A caller within one organization.

    `id` is the user's or key's id, None for the system. `role` is None for API keys. `address` is the caller's
    network address, None where there is no request. `expires_at` is the token's end in seconds since the epoch.
    """

    kind: ActorKind
    organization_id: UUID
    id: UUID | None
    name: str
    role: Role | None
    permissions: frozenset[Permission]
    address: str | None = None
    expires_at: float | None = None

    def may(self, permission: Permission) -> bool:
        """Whether the credential carries this permission."""
        return permission in self.permissions

    def require(self, *needed: Permission) -> None:
        """Raises Forbidden for the first of these permissions that the credential does not carry."""
        for permission in needed:
            if permission not in self.permissions:
                raise Forbidden(permission)


@dataclass(frozen=True, slots=True)
class ActorRef:
    """The actor as a job or an activity entry remembers it."""

    kind: ActorKind
    id: UUID | None
    name: str


def system_actor(organization_id: UUID, name: str = "Leadport") -> Actor:
    """The product acting by itself in an organization, with every permission."""
    return Actor(ActorKind.SYSTEM, organization_id, None, name, None, frozenset(Permission))
