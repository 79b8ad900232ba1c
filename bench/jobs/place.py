"""A throw-away cluster with durable settings, organizations in it, and the processes that are measured."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from db.dsn import with_database
from db.embedded import EmbeddedCluster
from db.migrate import migrate
from db.organizations import NewOrganization, create_organization
from db.pool import Database
from db.roles import app_dsn, system_dsn
from db.system import SystemDatabase
from domain.actors import Actor, system_actor
from domain.job_requests import NewJob
from domain.keyring import Keyring
from domain.presets import Preset
from domain.settings import Limits, OrganizationSettings
from domain.vocabulary import JobKind
from jobs.feed import JobFeed
from jobs.runtime import Runtime, RuntimeSettings
from storage.store import open_store

SECRET = "a secret of the benchmark"
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Place:
    """The administrator's address of the database, and a folder for files."""

    dsn: str
    folder: Path

    @property
    def addresses(self) -> tuple[str, str, str]:
        """What a worker process is started with."""
        return self.app, self.system, str(self.folder)

    def named(self, database: str) -> "Place":
        """Another database of the cluster."""
        return replace(self, dsn=with_database(self.dsn, database))

    @property
    def app(self) -> str:
        """The address of the server's role."""
        return app_dsn(self.dsn, SECRET)

    @property
    def system(self) -> str:
        """The address of the role for work across organizations."""
        return system_dsn(self.dsn, SECRET)


@contextmanager
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="leadport-bench-"))
    folder.chmod(0o711)
    binaries = os.environ.get("PGBINDIR")
    settings = {"max_connections": "200", "shared_buffers": "256MB"}
    cluster = EmbeddedCluster(folder / "cluster", binaries=Path(binaries) if binaries else None, settings=settings)
    cluster.acquire()
    try:
        administer(cluster.dsn(), "create database bench")
        dsn = with_database(cluster.dsn(), "bench")
        migrate(dsn, SECRET)
        yield Place(dsn, folder)
    finally:
        cluster.release()
        shutil.rmtree(folder, ignore_errors=True)


def administer(dsn: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@asynccontextmanager
async def runtime_of(app: str, system_address: str, folder: Path) -> AsyncIterator[Runtime]:
    system = await SystemDatabase.open(system_address)
    runtime = Runtime(
        database=await Database.open(app, max_size=16),
        system=system,
        store=open_store(f"file://{folder}/store"),
        keyring=Keyring({"k1": SECRET.encode()}, "k1"),
        feed=JobFeed(system),
        limits=Limits(),
        settings=RuntimeSettings(public_url="http://127.0.0.1:8000", scratch=folder),
    )
    try:
        yield runtime
    finally:
        await runtime.feed.close()
        await runtime.database.close()
        await runtime.system.close()


@contextmanager
def processes(module: str, count: int, *arguments: str) -> Iterator[None]:
    command = [sys.executable, "-m", module, *arguments]
    started = [subprocess.Popen(command, cwd=ROOT) for _ in range(count)]
    try:
        yield
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait(30)


async def actors(runtime: Runtime, count: int, prefix: str) -> list[Actor]:
    made: list[Actor] = []
    for number in range(count):
        slug = f"{prefix}-{number}"
        settings = OrganizationSettings()
        new = NewOrganization(slug=slug, name=slug, settings=settings, limits=Limits(), preset=Preset.STANDARD)
        organization = await create_organization(runtime.system, new)
        assert organization is not None
        made.append(system_actor(organization.id))
    return made


def tiny(**spec: float) -> NewJob:
    return NewJob(kind=JobKind.EXPORT, name="tiny", spec=spec, large=False, summary="tiny job started")
