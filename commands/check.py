"""Tries whether what the settings name works, and says so line by line."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from typing import Final

from commands.resources import Resources, open_databases
from commands.secret_file import DEMO_KEY
from db.administration import examine
from db.connections import DatabaseUnreachable
from db.migrate import MigrationError
from db.role_check import RoleError
from storage.store import StorageUnavailable, open_store

__all__ = ["Finding", "findings", "secret_warnings"]

Finding = tuple[bool, str]
"""Whether it is well, and a line that says what."""


_DISTINCT: Final = 9
"""Different characters that 32 random hexadecimal digits have at least, but for one in ten thousand."""


def secret_warnings(secrets: Mapping[str, bytes]) -> Iterator[str]:
    """One line for each secret that is no random one of a server's own, without the secret."""
    for key_id, secret in secrets.items():
        if key_id == DEMO_KEY:
            yield f"LEADPORT_SECRET_KEYS: {key_id} is the name of a demo's key; make one for this server alone"
        elif len(set(secret)) < _DISTINCT:
            yield f"LEADPORT_SECRET_KEYS: the secret {key_id} is easily guessed; take one from a random source"


async def findings(resources: Resources) -> AsyncGenerator[Finding]:
    """Database as each role, then storage."""
    if resources.addresses.admin is not None:
        async for finding in _administration(resources.addresses.admin):
            yield finding
    yield await _roles(resources)
    yield await _storage(resources)


async def _administration(admin: str) -> AsyncIterator[Finding]:
    try:
        examined = examine(admin)
    except MigrationError as error:
        yield False, str(error)
        return
    yield True, f"PostgreSQL {examined.version}, revision {examined.revision or 'none'}"
    for line in examined.differences:
        yield False, line


async def _roles(resources: Resources) -> Finding:
    try:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(open_databases(resources.addresses, resources.pools))
    except (DatabaseUnreachable, RoleError, ValueError) as error:
        return False, str(error)
    return True, "the database roles have the rights that they need, and no more"


async def _storage(resources: Resources) -> Finding:
    try:
        await open_store(resources.storage_url, resources.storage_options).check()
    except (StorageUnavailable, ValueError, OSError) as error:
        return False, f"the storage does not work: {error or type(error).__name__}"
    return True, "the storage keeps what is written"
