"""The engine under networks that fail, clocks that are wrong, stores that are away, and ten times the load."""

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from domain.vocabulary import JobState
from jobs.lifecycle import cancel
from tests.conftest import MakeOrganization
from tests.jobs.stage import Stage, StartWorker, WorkerProcess
from tests.jobs.test_worker import running, runs
from tests.relay import Relay, postgres_relay

OFF = 90


@pytest.fixture
async def relayed(stage: Stage, database_url: str, tmp_path: Path) -> AsyncIterator[Relay]:
    """A worker that reaches the database through a relay."""
    async with postgres_relay(database_url) as (relay, dsn):
        worker = WorkerProcess(dsn, tmp_path)
        yield relay
        relay.thaw()
        worker.kill()
        sys.stdout.write(worker.log.read_text())


async def is_done(stage: Stage, job_id: object, blocks: int) -> None:
    """I3 and I7: the job has ended well, every block of it is there once."""
    ended = await stage.ended(job_id, 90)
    assert ended.state is JobState.COMPLETED
    assert sorted(await stage.blocks(job_id)) == list(range(blocks))


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.chaos) for seed in range(1, 8))])
async def test_f4_a_commit_whose_answer_is_lost_is_neither_lost_nor_repeated(stage: Stage, relayed: Relay, seed: int):
    chance = random.Random(seed)
    job = await stage.submit(blocks=30, seconds=0.02)
    for number in range(2):
        await running(stage, job.id, blocks=chance.randrange(1 + 10 * number, 8 + 10 * number))
        relayed.lose, lost = 1, relayed.lost
        await stage.until(lambda lost=lost: is_more(relayed, lost), 60)
    await is_done(stage, job.id, 30)
    assert relayed.lost == 2


async def is_more(relay: Relay, lost: int) -> bool:
    return relay.lost > lost


@pytest.mark.chaos
async def test_f4_a_network_that_freezes_slows_down_and_is_cut_costs_a_job_nothing(stage: Stage, relayed: Relay):
    job = await stage.submit(blocks=40, seconds=0.02)
    await running(stage, job.id)
    relayed.freeze()
    await asyncio.sleep(4)  # longer than the lease: what the frozen worker held may be another's by then
    relayed.thaw()
    relayed.delay = 0.02
    await running(stage, job.id, blocks=10)
    relayed.cut()
    await is_done(stage, job.id, 40)


def wrong_clock(seconds: int) -> dict[str, str]:
    """The environment of a process whose clock is off, the monotonic one apart; skips where that cannot be had."""
    spec = find_spec("libfaketime")
    assert spec is not None
    assert spec.origin is not None
    library = Path(spec.origin).parent / "vendor/libfaketime/src/libfaketime.so.1"
    given = {"LD_PRELOAD": str(library), "FAKETIME": f"{seconds:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    command = [sys.executable, "-c", "import time; print(time.time())"]
    told = subprocess.run(command, env=os.environ | given, capture_output=True, text=True, check=False).stdout
    if not told or abs(float(told) - time.time() - seconds) > OFF / 3:
        pytest.skip("libfaketime cannot set the clock of a process on this machine")
    return given


async def test_f8_workers_whose_clocks_are_90_seconds_off_take_no_job_from_each_other(
    stage: Stage, worker: StartWorker
):
    for seconds in (OFF, -OFF):
        worker(TEST_LARGE="1", TEST_SMALL="1", **wrong_clock(seconds))
    jobs = [await stage.submit(blocks=60, seconds=0.1, large=large) for large in (True, True, False, False)]
    for job in jobs:
        await is_done(stage, job.id, 60)
        assert await runs(stage, job.id) == [1]
    [row] = await stage.rows("select count(distinct pid)::int as workers from probe.runs")
    assert row["workers"] == 2


@pytest.mark.parametrize("seconds", [OFF, pytest.param(-OFF, marks=pytest.mark.chaos)])
async def test_f8_a_dead_workers_jobs_are_taken_over_in_time_whatever_its_clock_said(
    stage: Stage, worker: StartWorker, seconds: int
):
    dead = worker(**wrong_clock(seconds))
    job = await stage.submit(blocks=30, seconds=0.1)
    await running(stage, job.id)
    worker(**wrong_clock(-seconds))
    dead.kill()
    await stage.until(lambda: taken_over(stage, job.id), 60)
    await is_done(stage, job.id, 30)
    ended = await stage.load(job.id)
    assert ended.started_at is not None
    assert ended.finished_at is not None
    assert ended.created_at < ended.started_at < ended.finished_at, "all by the database's clock"


async def taken_over(stage: Stage, job_id: object) -> bool:
    return await runs(stage, job_id) == [1, 2]


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(10))
async def test_f10_whenever_a_job_is_cancelled_it_ends_once_and_keeps_what_it_did(
    stage: Stage, worker: StartWorker, seed: int
):
    chance = random.Random(seed)
    worker(), worker()
    for _ in range(12):
        job = await stage.submit(blocks=chance.randrange(1, 10), seconds=0.02, quiet=chance.random() < 0.3)
        await asyncio.sleep(chance.uniform(0, 0.4))
        if not (await stage.load(job.id)).terminal:
            with_end = await asyncio.gather(cancel(stage.runtime, stage.actor, job.id), return_exceptions=True)
            assert len(with_end) == 1
        ended = await stage.ended(job.id)
        assert ended.state in (JobState.CANCELLED, JobState.COMPLETED)
        assert len(await runs(stage, job.id)) <= 1
        entries = await stage.runtime.database.read(
            stage.actor.organization_id, "select count(*)::int as n from activity where job_id = $2", job.id
        )
        assert entries[0]["n"] == 2, "one entry for its start and one for its end (I10)"


async def test_f12_one_organization_that_queues_a_thousand_jobs_does_not_make_the_others_wait_for_them(
    stage: Stage, worker: StartWorker, new_organization: MakeOrganization
):
    worker(), worker()
    other = Stage(stage.runtime, await new_organization())
    await flow(other, 3)
    flood = asyncio.create_task(queue(stage, 1_000))
    await stage.until(lambda: at_least(stage, 300), 60)
    beside = await flow(other, 12)
    await flood
    assert await at_least(stage, 1), "the flood was still there"
    assert beside[-2] < 10, "each waited for a part of the flood"


async def queue(stage: Stage, count: int) -> None:
    """Queue jobs as fast as eight callers can."""
    places = asyncio.Semaphore(8)

    async def one() -> None:
        async with places:
            await stage.submit(blocks=3, seconds=0.05)

    await asyncio.gather(*(one() for _ in range(count)))


async def at_least(stage: Stage, count: int) -> bool:
    rows = await stage.rows("select id from store.jobs where state = 'QUEUED' and organization_id = $1",
                            stage.actor.organization_id)  # fmt: skip
    return len(rows) >= count


async def flow(stage: Stage, count: int) -> list[float]:
    """Seconds from the submission of a job to its end, of some one after the other, in order of size."""
    taken: list[float] = []
    for _ in range(count):
        began = time.monotonic()
        job = await stage.submit(blocks=0)
        assert (await stage.ended(job.id, 60)).state is JobState.COMPLETED
        taken.append(time.monotonic() - began)
    return sorted(taken)
