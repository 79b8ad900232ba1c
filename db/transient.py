"""Which errors are the database's fault and not the statement's."""

from typing import Final

import asyncpg

__all__ = ["TRANSIENT"]

TRANSIENT: Final[tuple[type[Exception], ...]] = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    ConnectionError,
    TimeoutError,
)
"""The same work may go well another time: a lost connection, a deadlock, a full disk, a restart."""
