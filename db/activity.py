"""The activity log: append-only, written in the transaction of the act itself."""

from dataclasses import dataclass, field
from uuid import UUID

from db.connections import Connection
from domain.actors import Actor, ActorKind, ActorRef
from domain.ids import new_id
from domain.json import JsonObject, JsonValue
from domain.vocabulary import ActivityAction


@dataclass(frozen=True, slots=True)
class Doer:
    """Who acted, and from which network address (None for the system)."""

    actor: ActorRef
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act. `summary` is a line for people, `details` are for programs; neither carries unmasked lead values."""

    action: ActivityAction
    summary: str
    job_id: UUID | None = None
    lead_id: UUID | None = None
    lead_count: int | None = None
    details: JsonObject = field(default_factory=dict[str, JsonValue])


_INSERT = """
insert into activity (id, action, actor_kind, actor_id, actor_name, summary, job_id, lead_id, lead_count, ip_address,
                      details)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""


def doer_of(actor: Actor) -> Doer:
    """The caller as the log remembers it."""
    return Doer(ActorRef(actor.kind, actor.id, actor.name), actor.address)


def system_doer(name: str = "Leadport") -> Doer:
    """The product acting by itself."""
    return Doer(ActorRef(ActorKind.SYSTEM, None, name))


async def record(connection: Connection, doer: Doer, act: Act) -> UUID:
    """Append one entry in the connection's transaction, which must be the act's own; returns its id."""
    entry_id = new_id()
    await connection.execute(
        _INSERT,
        entry_id,
        act.action,
        doer.actor.kind,
        doer.actor.id,
        doer.actor.name,
        act.summary,
        act.job_id,
        act.lead_id,
        act.lead_count,
        doer.address,
        act.details,
    )
    return entry_id
