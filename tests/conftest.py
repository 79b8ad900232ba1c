"""A real PostgreSQL for every test that asks: one cluster a session, migrated once, cloned where rows matter."""

import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import hypothesis
import psycopg
import pytest

from db.dsn import with_database
from db.embedded import EmbeddedCluster
from db.migrate import migrate
from db.organizations import NewOrganization, create_organization
from db.pool import Database
from db.roles import app_dsn, system_dsn
from db.system import SystemDatabase
from domain.actors import Actor, ActorKind
from domain.ids import new_id
from domain.permissions import permissions_of
from domain.presets import Preset
from domain.records import OrganizationRecord
from domain.settings import Limits, OrganizationSettings
from domain.vocabulary import Role

SECRET = "a-secret-of-the-tests-that-is-long-enough"
TEMPLATE = "leadport_template"
hypothesis.settings.register_profile("tests", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("tests")

QUICK = {"fsync": "off", "full_page_writes": "off", "max_connections": "400", "shared_buffers": "128MB"}

Opened = TypeVar("Opened", Database, SystemDatabase)
MakeOrganization = Callable[..., Awaitable[OrganizationRecord]]


@pytest.fixture(scope="session")
def cluster() -> Iterator[EmbeddedCluster]:
    """The PostgreSQL of PGBINDIR where that is set, else the embedded version."""
    binaries = os.environ.get("PGBINDIR")
    with running(Path(binaries) if binaries else None) as acquired:
        yield acquired


@contextmanager
def running(binaries: Path | None) -> Iterator[EmbeddedCluster]:
    """A cluster of these programs, gone in the end."""
    folder = Path(tempfile.mkdtemp(prefix="leadport-test-"))
    folder.chmod(0o711)  # the user as whom root runs PostgreSQL passes it
    acquired = EmbeddedCluster(folder / "cluster", binaries=binaries, settings=QUICK)
    acquired.acquire()
    yield acquired
    remove(acquired)
    shutil.rmtree(folder, ignore_errors=True)


def remove(cluster: EmbeddedCluster, seconds: float = 60) -> None:
    """Stops the cluster and deletes its files, which are not in its folder where that is hidden from the server."""
    places = cluster.places
    assert places is not None
    cluster.release()
    deadline = time.monotonic() + seconds
    while (places.data / "postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    shutil.rmtree(places.root, ignore_errors=True)  # its supervisor may still look at its lock
    shutil.rmtree(places.run, ignore_errors=True)  # in /tmp, where the root's path is long


@pytest.fixture(scope="session")
def template_database(cluster: EmbeddedCluster) -> str:
    """The administrator's address of a migrated, empty database; cloned, so connect to it for a moment only."""
    administer(cluster.dsn(), f"create database {TEMPLATE} strategy file_copy")
    dsn = with_database(cluster.dsn(), TEMPLATE)
    migrate(dsn, SECRET)
    return dsn


@pytest.fixture
def database_url(template_database: str) -> Iterator[str]:
    """The administrator's address of a database of the test's own."""
    with cloned(template_database) as dsn:
        yield dsn


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(Database, app_dsn(database_url, SECRET)) as database:
        yield database


@pytest.fixture
async def system_database(database_url: str) -> AsyncIterator[SystemDatabase]:
    async with opened(SystemDatabase, system_dsn(database_url, SECRET)) as system:
        yield system


@pytest.fixture
def organization(system_database: SystemDatabase) -> MakeOrganization:
    """`await organization(slug="acme", country="IL")` in the test's own database."""
    return maker(system_database)


@pytest.fixture(scope="session")
def shared_database_url(template_database: str) -> Iterator[str]:
    with cloned(template_database) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def shared_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where everybody who works in the shared database keeps files: any worker of it may run any of its jobs."""
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="session")
async def shared_database(shared_database_url: str) -> AsyncIterator[Database]:
    """A database of all tests that ask for it: make an organization of your own in it."""
    async with opened(Database, app_dsn(shared_database_url, SECRET)) as database:
        yield database


@pytest.fixture(scope="session")
async def shared_system(shared_database_url: str) -> AsyncIterator[SystemDatabase]:
    async with opened(SystemDatabase, system_dsn(shared_database_url, SECRET)) as system:
        yield system


@pytest.fixture(scope="session")
def shared_organization(shared_system: SystemDatabase) -> MakeOrganization:
    """`await shared_organization()` in the shared database."""
    return maker(shared_system)


def maker(system: SystemDatabase) -> MakeOrganization:
    async def make(
        slug: str | None = None,
        *,
        country: str = "US",
        zone: str = "UTC",
        preset: Preset = Preset.STANDARD,
        settings: OrganizationSettings | None = None,
        limits: Limits | None = None,
    ) -> OrganizationRecord:
        slug = slug or f"org-{uuid4().hex[:12]}"
        settings = settings or OrganizationSettings(default_country=country, time_zone=zone)
        new = NewOrganization(slug=slug, name=slug.title(), settings=settings, limits=limits, preset=preset)
        made = await create_organization(system, new)
        assert made is not None, f"{slug} exists"
        return made

    return make


def actor_of(role: Role, organization: OrganizationRecord) -> Actor:
    """A person of this role, who has no row in users."""
    permissions = permissions_of(role, frozenset(organization.settings.export_roles))
    return Actor(ActorKind.USER, organization.id, new_id(), role.title(), role, permissions)


@contextmanager
def cloned(template: str) -> Iterator[str]:
    """A copy of the template, dropped in the end whoever is still connected."""
    name = f"test_{uuid4().hex[:16]}"
    administrator = with_database(template, "postgres")
    administer(administrator, f"create database {name} template {TEMPLATE} strategy file_copy")
    yield with_database(template, name)
    administer(administrator, f"drop database {name} with (force)")


def administer(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement)


@asynccontextmanager
async def opened(kind: type[Opened], dsn: str) -> AsyncIterator[Opened]:
    database = await kind.open(dsn)
    try:
        yield database
    finally:
        await database.close()
