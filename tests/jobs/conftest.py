"""A runtime on a database of the test's own, and real worker processes that are killed in the end."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from db.roles import app_dsn, system_dsn
from jobs.runtime import Runtime
from tests.conftest import SECRET, MakeOrganization, administer, maker
from tests.jobs.importing import Importing, working
from tests.jobs.scripted import PROBE, close_runtime, open_runtime
from tests.jobs.stage import Stage, StartWorker, WorkerProcess
from tests.jobs.under_fire import Fire


@pytest.fixture
async def runtime(database_url: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    administer(database_url, PROBE)
    runtime = await open_runtime(app_dsn(database_url, SECRET), system_dsn(database_url, SECRET), tmp_path)
    yield runtime
    await close_runtime(runtime)


@pytest.fixture
def new_organization(runtime: Runtime) -> MakeOrganization:
    return maker(runtime.system)


@pytest.fixture
async def stage(runtime: Runtime, new_organization: MakeOrganization) -> Stage:
    return Stage(runtime, await new_organization())


@pytest.fixture
async def importing(
    runtime: Runtime, database_url: str, new_organization: MakeOrganization
) -> AsyncIterator[Importing]:
    async with working(runtime, database_url):
        yield Importing.of(runtime, await new_organization())


@pytest.fixture
def worker(runtime: Runtime, database_url: str, tmp_path: Path) -> Iterator[StartWorker]:
    """`worker(TEST_LARGE="1")` starts one; all are killed in the end."""
    started: list[WorkerProcess] = []

    def start(**environment: str) -> WorkerProcess:
        started.append(WorkerProcess(database_url, tmp_path, **environment))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        sys.stdout.write(one.log.read_text())


@pytest.fixture
def fire(database_url: str, tmp_path: Path) -> Iterator[Fire]:
    """Starts workers with the product's own handlers; all are killed in the end."""
    fire = Fire(database_url, tmp_path)
    yield fire
    fire.out()
