"""F3: PostgreSQL is killed while a file is planned or imported."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from db.dsn import with_database
from db.embedded import EmbeddedCluster
from db.migrate import migrate
from db.roles import app_dsn, system_dsn
from domain.jobs import JobRecord
from domain.vocabulary import ImportMode, JobState, MergeStrategy
from tests.conftest import SECRET, administer, maker, remove
from tests.jobs.importing import Importing, counts_of, overwriting, result_of
from tests.jobs.scripted import close_runtime, open_runtime
from tests.jobs.test_database_away import passable_folder
from tests.jobs.under_fire import Fire, check_invariants, many, records, share_done, until

ROWS = 40_000
DATA = many(ROWS, 3)
PHONES = [row[1] for row in records(DATA)[1:] if row[0]]
CREATED = len(set(PHONES))


@dataclass
class Mortal:
    """A cluster of the test's own, which keeps what it acknowledged."""

    cluster: EmbeddedCluster
    importing: Importing
    fire: Fire

    async def die(self) -> None:
        assert self.cluster.places is not None
        postmaster = int((self.cluster.places.data / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)
        await asyncio.sleep(1)
        await asyncio.to_thread(self.cluster.acquire)

    async def ended(self, job: JobRecord) -> JobRecord:
        async def over() -> bool:
            try:
                return (await self.importing.load(job.id)).terminal
            except OSError:
                return False

        await until(over, 240)
        return await self.importing.load(job.id)


@pytest.fixture
async def mortal() -> AsyncIterator[Mortal]:
    folder = passable_folder()
    binaries = os.environ.get("PGBINDIR")
    cluster = EmbeddedCluster(folder / "cluster", binaries=Path(binaries) if binaries else None)
    cluster.acquire()
    administer(cluster.dsn(), "create database leadport")
    url = with_database(cluster.dsn(), "leadport")
    migrate(url, SECRET)
    runtime = await open_runtime(app_dsn(url, SECRET), system_dsn(url, SECRET), folder)
    fire = Fire(url, folder)
    yield Mortal(cluster, Importing.of(runtime, await maker(runtime.system)()), fire)
    fire.out()
    await close_runtime(runtime)
    remove(cluster)
    shutil.rmtree(folder)


async def killed_within(mortal: Mortal, **request: object) -> JobRecord:
    job = await mortal.importing.start(DATA, **request)
    mortal.fire.worker()

    async def begun() -> bool:
        return await share_done(mortal.importing, job, len(DATA)) > 0

    await until(begun)
    await mortal.die()
    ended = await mortal.ended(job)
    assert ended.epoch > 1, "it was over before the database died"
    return ended


@pytest.mark.chaos
async def test_f3_an_import_survives_the_death_of_the_database(mortal: Mortal):
    job = await killed_within(mortal)
    assert job.state is JobState.COMPLETED_WITH_ERRORS
    assert counts_of(job) == {"created": CREATED, "skipped": len(PHONES) - CREATED, "failed": ROWS - len(PHONES)}
    await check_invariants(mortal.importing, job, MergeStrategy.SKIP)


@pytest.mark.chaos
async def test_f3_a_plan_is_exact_although_the_database_forgot_its_keys(mortal: Mortal):
    job = await killed_within(mortal, mode=ImportMode.VALIDATE, options=overwriting())
    plan = result_of(job).plan
    assert plan is not None
    assert (plan.creates, plan.updates + plan.unchanged) == (CREATED, len(PHONES) - CREATED)
    assert plan.errors == ROWS - len(PHONES)
    assert await mortal.importing.leads() == []
