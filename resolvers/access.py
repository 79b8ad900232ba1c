"""Who is asking, and whether they may: the first line of every resolver."""

from domain.actors import Actor
from domain.errors import Unauthenticated
from domain.records import OrganizationRecord
from domain.vocabulary import Permission
from schema.context import Context


def caller(context: Context) -> Actor:
    """The caller. Raises Unauthenticated where there is no credential."""
    if context.actor is None:
        raise Unauthenticated
    return context.actor


def authorize(context: Context, permission: Permission) -> Actor:
    """The caller, who has this permission. Raises Unauthenticated or Forbidden."""
    actor = caller(context)
    actor.require(permission)
    return actor


def home(context: Context) -> OrganizationRecord:
    """The caller's organization. Raises Unauthenticated where there is no credential."""
    if context.organization is None:
        raise Unauthenticated
    return context.organization
