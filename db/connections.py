"""How both roles' connections are opened, leased and given back."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

from db.dsn import for_asyncpg

__all__ = ["Connection", "DatabaseUnreachable", "Pool", "PoolOptions", "Row", "lease", "open_pool", "transaction"]

Row = asyncpg.Record
Connection = PoolConnectionProxy
Pool = asyncpg.Pool

IDLE_IN_TRANSACTION: Final = "60s"
"""A stopped process may hold an organization's lock: the server ends its transaction."""
_JSONB_VERSION: Final = b"\x01"


class DatabaseUnreachable(RuntimeError):
    """The database cannot be opened; the message is one line that says why, without the password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolOptions:
    """`statement_timeout` in seconds; `statement_cache_size` 0 behind a pooler that shares connections."""

    min_size: int = 1
    max_size: int = 10
    statement_cache_size: int = 1024
    statement_timeout: float = 30.0


async def open_pool(dsn: str, options: PoolOptions) -> Pool:
    """Connections that speak JSON as Python objects and skip RESET ALL when given back: settings end with transactions.

    Raises:
        ValueError: `dsn` is not an address.
        DatabaseUnreachable: nobody answers there, or the database refuses the role.
    """
    address = for_asyncpg(dsn)
    settings = dict(address.server_settings)
    if options.statement_cache_size:  # a pooler in between refuses connections that bring settings
        settings["statement_timeout"] = f"{options.statement_timeout * 1000:.0f}"
        settings["idle_in_transaction_session_timeout"] = IDLE_IN_TRANSACTION
        settings["application_name"] = "leadport"
    try:
        return await asyncpg.create_pool(
            address.dsn,
            min_size=options.min_size,
            max_size=options.max_size,
            statement_cache_size=options.statement_cache_size,
            max_cacheable_statement_size=0,
            server_settings=settings,
            timeout=address.timeout,
            init=_speak_json,
            reset=_keep_settings,
        )
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DatabaseUnreachable(f"the database cannot be opened: {reason}") from error


@asynccontextmanager
async def lease(pool: Pool) -> AsyncGenerator[Connection, None]:
    """A connection of the pool; thrown away where the driver lost track of the protocol."""
    async with pool.acquire() as connection:
        try:
            yield connection
        except asyncpg.InternalClientError:
            connection.terminate()
            raise


@asynccontextmanager
async def transaction(pool: Pool, begin: str) -> AsyncGenerator[Connection, None]:
    """A transaction opened by the statements in `begin`, sent as one; committed unless the block raises.

    Raises:
        asyncpg.InFailedSQLTransactionError: a statement failed within, and the block went on as if it had not.
    """
    async with lease(pool) as connection:
        await connection.execute(begin)
        try:
            yield connection
        except BaseException:
            await _roll_back(connection)
            raise
        if await connection.execute("commit") != "COMMIT":
            raise asyncpg.InFailedSQLTransactionError("a statement of this transaction failed: nothing is written")


async def _roll_back(connection: Connection) -> None:
    """Never hides why: a connection that cannot roll back is dropped, which does the same."""
    if connection.is_closed():
        return
    try:
        await connection.execute("rollback")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
        connection.terminate()


async def _keep_settings(_connection: asyncpg.Connection) -> None:
    """Instead of the driver's reset, a round trip; it still rolls back a transaction that was left open."""


async def _speak_json(connection: asyncpg.Connection) -> None:
    for name, encode, decode in (("json", msgspec.json.encode, msgspec.json.decode), ("jsonb", _encode, _decode)):
        await connection.set_type_codec(name, schema="pg_catalog", encoder=encode, decoder=decode, format="binary")


def _encode(value: object) -> bytes:
    return _JSONB_VERSION + msgspec.json.encode(value)


def _decode(value: bytes) -> object:
    return msgspec.json.decode(value[1:])
