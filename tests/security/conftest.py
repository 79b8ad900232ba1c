"""An office on a database of its own, and an organization whose every object is somebody else's."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conftest import cloned
from tests.resolvers.office import Office, open_office
from tests.security.world import World


@pytest.fixture(scope="session")
async def office(template_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    folder: Path = tmp_path_factory.mktemp("security")
    with cloned(template_database) as url:
        async with open_office(url, folder, allow_private_webhooks=True) as office:
            yield office


@pytest.fixture(scope="session")
async def owner(office: Office) -> World:
    """Who owns what the other one asks for."""
    return World(await office.desk(slug="zanzibar"))


@pytest.fixture(scope="session")
async def stranger(office: Office) -> World:
    """Somebody of another organization, with every permission there."""
    return World(await office.desk(slug="elsewhere"))
