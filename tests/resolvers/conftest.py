"""An office for all tests of resolvers that write or wait for jobs: each makes an organization of its own in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.resolvers.office import Desk, Office, open_office


@pytest.fixture(scope="session")
async def office(shared_database_url: str, shared_files: Path) -> AsyncIterator[Office]:
    async with open_office(shared_database_url, shared_files) as office:
        yield office


@pytest.fixture
async def desk(office: Office) -> Desk:
    """The owner of a new organization."""
    return await office.desk()
