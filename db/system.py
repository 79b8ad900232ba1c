"""The role for work across organizations: jobs, schedules, sign-in and deliveries; never a lead."""

from contextlib import AbstractAsyncContextManager

from db.connections import Connection, Pool, PoolOptions, Row, lease, open_pool, transaction
from db.role_check import require_role
from db.roles import SYSTEM

__all__ = ["SystemDatabase"]


class SystemDatabase:
    """Connections as leadport_system. Statements name the tables of schema store and their organization_id."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @classmethod
    async def open(
        cls,
        dsn: str,
        *,
        min_size: int = 1,
        max_size: int = 5,
        statement_cache_size: int = 1024,
        statement_timeout: float = 30.0,
    ) -> "SystemDatabase":
        """As `Database.open`, with the same errors."""
        options = PoolOptions(
            min_size=min_size,
            max_size=max_size,
            statement_cache_size=statement_cache_size,
            statement_timeout=statement_timeout,
        )
        pool = await open_pool(dsn, options)
        try:
            await require_role(pool, SYSTEM)
        except BaseException:
            await pool.close()
            raise
        return cls(pool)

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

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        """The rows of one statement in its own transaction; binds start at $1.

        Raises:
            asyncpg.PostgresError, OSError: the statement or the connection failed.
        """
        async with lease(self._pool) as connection:
            return await connection.fetch(sql, *args)

    async def execute(self, sql: str, *args: object) -> str:
        """The command tag (`UPDATE 3`) of one statement in its own transaction; errors as `fetch`."""
        async with lease(self._pool) as connection:
            return await connection.execute(sql, *args)

    async def ping(self) -> None:
        """Whether the database answers; errors as `fetch`."""
        await self.fetch("select 1")

    def unit(self) -> AbstractAsyncContextManager[Connection]:
        """A transaction; binds start at $1.

        Raises:
            asyncpg.InFailedSQLTransactionError: a statement failed within, and the block went on as if it had not.
        """
        return transaction(self._pool, "begin")
