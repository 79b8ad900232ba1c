"""Tries whether what the settings name works, and says so line by line."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack

from commands.resources import Resources, open_databases
from db.administration import examine
from db.connections import DatabaseUnreachable
from db.migrate import MigrationError
from db.role_check import RoleError
from storage.store import StorageUnavailable, open_store

__all__ = ["Finding", "findings"]

Finding = tuple[bool, str]
"""Whether it is well, and a line that says what."""


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
