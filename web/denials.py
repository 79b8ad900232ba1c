"""Denials are activity: who was refused what, for lack of which permission."""

from collections.abc import Sequence

from graphql import GraphQLError

from db.activity import Act, doer_of, record
from db.pool import Database
from domain.actors import Actor
from domain.errors import Forbidden
from domain.vocabulary import ActivityAction, Permission

__all__ = ["record_denial", "record_denials"]


async def record_denials(database: Database, actor: Actor | None, errors: Sequence[GraphQLError]) -> None:
    """Keep in one entry what an operation's errors say was forbidden; nothing where nothing was."""
    denied = [(error, error.original_error) for error in errors]
    lacking = {cause.permission for _, cause in denied if isinstance(cause, Forbidden)}
    if actor is None or not lacking:
        return
    fields = {str(error.path[0]) for error, cause in denied if isinstance(cause, Forbidden) and error.path}
    await record_denial(database, actor, sorted(lacking), sorted(fields))


async def record_denial(
    database: Database, actor: Actor, lacking: Sequence[Permission], fields: Sequence[str] = ()
) -> None:
    """Keep that the actor was refused `fields` for lack of permissions."""
    what = ", ".join(fields) or "access"
    act = Act(
        action=ActivityAction.ACCESS_DENIED,
        summary=f"{actor.name} was denied {what}: needs {', '.join(lacking)}",
        details={"permissions": [permission.name for permission in lacking], "fields": list(fields)},
    )
    async with database.unit(actor.organization_id) as connection:
        await record(connection, doer_of(actor), act)
