"""Who acts: people, programs and the product itself."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain.actors import ActorKind, ActorRef
from domain.ids import IdKind, format_id
from domain.records import ApiKeyRecord, UserRecord
from domain.vocabulary import Permission, Role
from schema.context import People
from schema.nodes import Connection, FromRow, Node


@strawberry.type(description="A person. Appears when its token is first seen, or by saveUser.")
class User(FromRow, Node):
    external_id: str | None = strawberry.field(description="The `sub` of the user's token.")
    name: str = strawberry.field(description="As shown to others.")
    email: str | None = strawberry.field(description="Where deliveries and notices can go.")
    role: Role = strawberry.field(description="What the person is in the organization.")
    active: bool = strawberry.field(description="False: the person is denied.")

    @classmethod
    def of(cls, record: UserRecord) -> "User":
        """The user as the API shows them."""
        return cls(
            id=strawberry.ID(format_id(IdKind.USER, record.id)),
            external_id=record.external_id,
            name=record.name,
            email=record.email,
            role=record.role,
            active=record.active,
        )


@strawberry.type(description="Schedules and retention act as the system.")
class SystemActor:
    name: str = strawberry.field(description="What acted.")


@strawberry.type(description="A program's credential; it has permissions but no role.")
class ApiKey(Node):
    name: str = strawberry.field(description="What it is for.")
    prefix: str = strawberry.field(description="The beginning of the secret, to tell keys apart.")
    permissions: list[Permission] = strawberry.field(description="What it may do.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime | None = strawberry.field(description="When it ends by itself.")
    last_used_at: datetime | None = strawberry.field(description="When it was last seen, to the minute.")
    revoked_at: datetime | None = strawberry.field(description="When it was revoked.")

    @classmethod
    def of(cls, record: ApiKeyRecord) -> "ApiKey":
        """The key as the API shows it, without its secret."""
        return cls(
            id=strawberry.ID(format_id(IdKind.API_KEY, record.id)),
            name=record.name,
            prefix=record.prefix,
            permissions=list(record.permissions),
            created_at=record.created_at,
            expires_at=record.expires_at,
            last_used_at=record.last_used_at,
            revoked_at=record.revoked_at,
        )


Actor = Annotated[User | ApiKey | SystemActor, strawberry.union("Actor", description="Who did something.")]
UserConnection = Connection[User]


async def actor_of(ref: ActorRef, people: People) -> User | ApiKey | SystemActor:
    """Who a job or an activity entry remembers; the name alone where the person or key is gone."""
    if ref.id is not None and ref.kind is ActorKind.USER and (user := await people.user(ref.id)):
        return User.of(user)
    if ref.id is not None and ref.kind is ActorKind.API_KEY and (key := await people.api_key(ref.id)):
        return ApiKey.of(key)
    return SystemActor(name=ref.name)
