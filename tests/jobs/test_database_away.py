"""The database server itself is killed while jobs run."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db.dsn import with_database
from db.embedded import EmbeddedCluster
from db.migrate import migrate
from db.roles import app_dsn, system_dsn
from domain.vocabulary import JobState
from tests.conftest import SECRET, administer, maker, remove
from tests.jobs.scripted import PROBE, close_runtime, open_runtime
from tests.jobs.stage import Stage, WorkerProcess


def passable_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="leadport-test-"))
    folder.chmod(0o711)
    return folder


@pytest.fixture
async def mortal() -> AsyncIterator[tuple[EmbeddedCluster, Stage, WorkerProcess]]:
    """A cluster of the test's own, which keeps what it acknowledged, with a worker."""
    folder = passable_folder()
    binaries = os.environ.get("PGBINDIR")
    cluster = EmbeddedCluster(folder / "cluster", binaries=Path(binaries) if binaries else None)
    cluster.acquire()
    administer(cluster.dsn(), "create database leadport")
    url = with_database(cluster.dsn(), "leadport")
    migrate(url, SECRET)
    administer(url, PROBE)
    runtime = await open_runtime(app_dsn(url, SECRET), system_dsn(url, SECRET), folder)
    worker = WorkerProcess(url, folder)
    yield cluster, Stage(runtime, await maker(runtime.system)()), worker
    worker.kill()
    await close_runtime(runtime)
    remove(cluster)
    shutil.rmtree(folder)


async def test_f3_a_job_survives_the_death_of_the_database_and_its_worker_too(
    mortal: tuple[EmbeddedCluster, Stage, WorkerProcess],
):
    cluster, stage, worker = mortal
    job = await stage.submit(blocks=60, seconds=0.02, hold=0.03)

    async def under_way() -> bool:
        return len(await stage.blocks(job.id)) > 5

    await stage.until(under_way, 60)
    assert cluster.places is not None
    postmaster = int((cluster.places.data / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    await asyncio.sleep(1.5)
    await asyncio.to_thread(cluster.acquire)

    async def ended() -> bool:
        try:
            return (await stage.load(job.id)).terminal
        except OSError:
            return False

    await stage.until(ended, 120)
    assert (await stage.load(job.id)).state is JobState.COMPLETED
    assert await stage.blocks(job.id) == list(range(60))
    assert worker.process.poll() is None
    after = await stage.submit(blocks=1)
    assert (await stage.ended(after.id, 60)).state is JobState.COMPLETED
