"""The server's own database role, which serves one organization at a time."""

from contextlib import AbstractAsyncContextManager
from functools import lru_cache
from typing import Final
from uuid import UUID

import asyncpg

from db.connections import Connection, Pool, PoolOptions, Row, open_pool, transaction
from db.role_check import require_role
from db.roles import APP

__all__ = ["Database"]

# The organization is set by an InitPlan of the same statement, before the view reads it: tests/db/test_gate.py holds
# that on every supported major version. Were the order another, the views would show nothing.
GATE: Final = "select q.* from (", ") q where (select set_config('app.organization_id', $1, true)) is not null"
_CLIENT_GRACE: Final = 5.0
"""Seconds beyond the server's own statement time-out, after which the connection counts as frozen."""


class Database:
    """Connections as leadport_app: every statement runs within one organization, or sees nothing."""

    def __init__(self, pool: Pool, options: PoolOptions) -> None:
        self._pool = pool
        self._patience = options.statement_timeout + _CLIENT_GRACE

    @classmethod
    async def open(
        cls,
        dsn: str,
        *,
        min_size: int = 1,
        max_size: int = 10,
        statement_cache_size: int = 1024,
        statement_timeout: float = 30.0,
    ) -> "Database":
        """`statement_timeout` in seconds, of reads; `statement_cache_size=0` behind PgBouncer.

        Raises:
            RoleError: the role could see or do more than the server's role may, or lacks something.
            ValueError: `dsn` is not an address.
            DatabaseUnreachable: the database cannot be reached or refuses the role.
        """
        options = PoolOptions(
            min_size=min_size,
            max_size=max_size,
            statement_cache_size=statement_cache_size,
            statement_timeout=statement_timeout,
        )
        pool = await open_pool(dsn, options)
        try:
            await require_role(pool, APP)
        except BaseException:
            await pool.close()
            raise
        return cls(pool, options)

    @property
    def connections(self) -> int:
        """Open connections, idle ones included."""
        return self._pool.get_size()

    @property
    def idle_connections(self) -> int:
        """Open connections that nobody uses."""
        return self._pool.get_idle_size()

    async def close(self) -> None:
        """Close every connection once it is given back."""
        await self._pool.close()

    async def read(self, organization_id: UUID, sql: str, *args: object) -> list[Row]:
        """The rows of one SELECT, in one round trip; its own binds start at $2 and its columns have distinct names.

        Raises:
            asyncpg.QueryCanceledError: it took longer than the statement time-out.
            asyncpg.PostgresError, OSError, TimeoutError: the statement or the connection failed.
        """
        statement = _behind_the_gate(sql)
        async with self._pool.acquire() as connection:
            try:
                return await connection.fetch(statement, str(organization_id), *args, timeout=self._patience)
            except asyncpg.InternalClientError:
                connection.terminate()
                raise

    def unit(self, organization_id: UUID, *, timeout: float = 0) -> AbstractAsyncContextManager[Connection]:
        """A transaction within the organization, binds starting at $1; `timeout` in seconds a statement, 0: none.

        Raises:
            asyncpg.InFailedSQLTransactionError: a statement failed within, and the block went on as if it had not.
        """
        return transaction(self._pool, f"begin; {_settings(organization_id, timeout)}")

    def snapshot(self, organization_id: UUID) -> AbstractAsyncContextManager[Connection]:
        """One state of the organization, however long it is read: repeatable read, read only, no time-outs."""
        begin = f"begin isolation level repeatable read read only; {_settings(organization_id, 0)}"
        return transaction(self._pool, f"{begin}; set local idle_in_transaction_session_timeout = 0")


@lru_cache(maxsize=1024)
def _behind_the_gate(sql: str) -> str:
    """The same text object each time: the driver looks its prepared statement up by it."""
    return sql.join(GATE)


def _settings(organization_id: UUID, timeout: float) -> str:
    """For the transaction alone; a UUID prints no quotes, which simple queries cannot bind."""
    identity = UUID(str(organization_id))
    return f"set local app.organization_id = '{identity}'; set local statement_timeout = {timeout * 1000:.0f}"
