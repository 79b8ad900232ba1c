"""Advisory locks of a transaction, one class each, so that no two purposes ever wait for each other."""

from enum import IntEnum
from uuid import UUID

from db.connections import Connection

__all__ = ["Lock", "take"]


class Lock(IntEnum):
    """What is kept to one transaction at a time, within an organization unless said otherwise."""

    LEADS = 6_040
    """Every writer that creates or reactivates a lead, or changes a key that duplicates are found by."""
    ADMISSION = 6_041
    """Whoever lets waiting jobs start."""
    SWEEP = 6_042
    """The sweep of dead workers' jobs, which one process does for all organizations."""
    EXPORT_TEMPLATES = 6_043
    """Whoever saves a template, so that two of one name are told apart before the database refuses one."""


async def take(connection: Connection, lock: Lock, organization_id: UUID) -> None:
    """Wait for the lock and hold it until the transaction ends.

    A statement of its own: the next one then sees everything that the lock's last holder committed. Two organizations
    of one hash only wait for each other.
    """
    await connection.execute("select pg_advisory_xact_lock($1, hashtext($2))", int(lock), str(organization_id))
