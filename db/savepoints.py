"""A savepoint in a transaction, for what is tried and may be taken back."""

from db.connections import Connection

__all__ = ["roll_back_to_savepoint", "set_savepoint"]


async def set_savepoint(connection: Connection) -> None:
    """Mark where `roll_back_to_savepoint` goes back to; one mark a transaction."""
    await connection.execute("savepoint tried")


async def roll_back_to_savepoint(connection: Connection) -> None:
    """Take back what was written since the mark; the transaction goes on."""
    await connection.execute("rollback to savepoint tried")
