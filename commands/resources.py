"""Opens what the server works with, and closes it again, whatever happens in between."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from commands.organizations import CommandError
from commands.traces import traces
from db.pool import Database
from db.system import SystemDatabase
from domain.keyring import Keyring
from domain.settings import Limits
from jobs.feed import JobFeed
from jobs.runtime import Runtime, RuntimeSettings
from storage.store import Store, open_store

__all__ = ["Addresses", "Pools", "Resources", "open_databases", "open_runtime"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The database as each role; `admin` None where this process may not migrate."""

    admin: str | None
    app: str
    system: str
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """Connections as leadport_app, prepared statements of each, seconds of a read."""

    connections: int
    statement_cache_size: int
    statement_timeout: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Everything that `open_runtime` opens, by name. `secrets` by key id, the first one signs."""

    addresses: Addresses
    pools: Pools
    secrets: dict[str, bytes]
    storage_url: str
    storage_options: dict[str, str] = field(default_factory=dict[str, str])
    limits: Limits
    settings: RuntimeSettings
    otel_endpoint: str | None = None

    def reached_at(self, public_url: str) -> "Resources":
        """The same, for a server that callers reach at this address."""
        return replace(self, settings=replace(self.settings, public_url=public_url))

    @property
    def keyring(self) -> Keyring:
        """The secrets as the server uses them."""
        return Keyring(self.secrets, next(iter(self.secrets)))


@asynccontextmanager
async def open_databases(addresses: Addresses, pools: Pools) -> AsyncGenerator[tuple[Database, SystemDatabase]]:
    """Both roles' connections.

    Raises RoleError, ValueError or DatabaseUnreachable, as `Database.open` says.
    """
    async with AsyncExitStack() as stack:
        database = await Database.open(
            addresses.app,
            max_size=pools.connections,
            statement_cache_size=pools.statement_cache_size,
            statement_timeout=pools.statement_timeout,
        )
        stack.push_async_callback(database.close)
        system = await SystemDatabase.open(addresses.system, statement_cache_size=pools.statement_cache_size)
        stack.push_async_callback(system.close)
        yield database, system


@asynccontextmanager
async def open_runtime(resources: Resources) -> AsyncGenerator[Runtime]:
    """The runtime of the use cases.

    Raises as `open_databases`; CommandError for a storage address that cannot be used, and where traces are asked for
    and cannot be sent; OSError for the scratch folder.
    """
    _make_private(resources.settings.scratch)
    store = _store(resources)
    pools = open_databases(resources.addresses, resources.pools)
    with traces(resources.otel_endpoint) as observe:
        async with pools as (database, system):
            feed = JobFeed(system)
            try:
                yield Runtime(
                    database=database,
                    system=system,
                    store=store,
                    keyring=resources.keyring,
                    feed=feed,
                    limits=resources.limits,
                    settings=resources.settings,
                    observe=observe,
                )
            finally:
                await feed.close()


def _store(resources: Resources) -> Store:
    try:
        return open_store(resources.storage_url, resources.storage_options)
    except (OSError, ValueError) as error:
        raise CommandError(f"LEADPORT_STORAGE_URL, LEADPORT_STORAGE_OPTIONS: {error}") from error


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
