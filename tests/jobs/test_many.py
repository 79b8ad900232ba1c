"""Many jobs over many workers: each exactly once, nobody starved, hardly a query while there is nothing to do."""

import asyncio
import random

import psycopg
import pytest

from domain.vocabulary import JobState
from tests.conftest import MakeOrganization
from tests.jobs.stage import Stage, StartWorker, WorkerProcess

ENDED = "select state, count(*)::int as n from store.jobs group by state"


async def stages(stage: Stage, make: MakeOrganization, count: int) -> list[Stage]:
    return [Stage(stage.runtime, await make()) for _ in range(count)]


async def flood(several: list[Stage], jobs: int) -> None:
    """Submit tiny jobs, spread over organizations, sixteen at a time."""
    places = asyncio.Semaphore(16)

    async def one(stage: Stage) -> None:
        async with places:
            await stage.submit(large=False, blocks=0)

    await asyncio.gather(*(one(several[number % len(several)]) for number in range(jobs)))


async def states(stage: Stage) -> dict[object, object]:
    return {row["state"]: row["n"] for row in await stage.rows(ENDED)}


async def once_each(stage: Stage, make: MakeOrganization, worker: StartWorker, jobs: int, seconds: float) -> None:
    for _ in range(3):
        worker()
    await flood(await stages(stage, make, 20), jobs)

    async def done() -> bool:
        return await states(stage) == {JobState.COMPLETED: jobs}

    await stage.until(done, seconds)
    [row] = await stage.rows("select count(*)::int as runs, count(distinct job_id)::int as jobs from probe.runs")
    assert (row["runs"], row["jobs"]) == (jobs, jobs)
    [row] = await stage.rows("select count(distinct pid)::int as workers from probe.runs")
    assert row["workers"] == 3


async def test_600_tiny_jobs_over_three_workers_are_each_done_once(
    stage: Stage, worker: StartWorker, new_organization: MakeOrganization
):
    await once_each(stage, new_organization, worker, 600, 300)


@pytest.mark.chaos
async def test_10000_tiny_jobs_over_three_workers_are_each_done_once(
    stage: Stage, worker: StartWorker, new_organization: MakeOrganization
):
    await once_each(stage, new_organization, worker, 10_000, 600)


async def test_f12_an_organization_that_queues_a_hundred_jobs_does_not_hold_another_up(
    stage: Stage, worker: StartWorker, new_organization: MakeOrganization
):
    worker(TEST_LARGE="4")
    for _ in range(100):
        await stage.submit(blocks=10, seconds=0.1)
    await stage.until(lambda: any_run(stage))
    other = Stage(stage.runtime, await new_organization())
    job = await other.submit(blocks=1)
    assert (await other.ended(job.id)).state is JobState.COMPLETED
    assert len(await stage.rows("select from store.jobs where state = 'QUEUED'")) > 80


async def any_run(stage: Stage) -> bool:
    return bool(await stage.rows("select from probe.runs"))


async def test_a_small_job_does_not_wait_behind_the_large_ones_of_its_own_organization(
    stage: Stage, worker: StartWorker
):
    worker(TEST_LARGE="1")
    large = [await stage.submit(blocks=600, seconds=0.1) for _ in range(3)]
    small = await stage.submit(large=False, blocks=1)
    assert (await stage.ended(small.id)).state is JobState.COMPLETED
    assert (await stage.load(large[0].id)).state is JobState.RUNNING


async def test_a_worker_runs_no_more_large_jobs_at_once_than_it_may(
    stage: Stage, worker: StartWorker, new_organization: MakeOrganization
):
    worker(TEST_LARGE="1")
    for one in await stages(stage, new_organization, 3):
        await one.submit(blocks=5, seconds=0.05)
    most = 0

    async def done() -> bool:
        nonlocal most
        now = await states(stage)
        most = max(most, int(str(now.get(JobState.RUNNING, 0))))
        return now == {JobState.COMPLETED: 3}

    await stage.until(done)
    assert most == 1


async def test_an_idle_worker_asks_less_than_five_times_a_second(stage: Stage, worker: StartWorker, database_url: str):
    worker(TEST_LEASE="10")
    await stage.ended((await stage.submit(blocks=0)).id)
    await asyncio.sleep(11)  # sessions report what they did with a delay of up to ten seconds
    with psycopg.connect(database_url, autocommit=True) as connection:

        def transactions() -> int:
            connection.execute("select pg_stat_clear_snapshot()")
            row = connection.execute(
                "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()"
            ).fetchone()
            assert row is not None
            return int(row[0])

        before = transactions()
        await asyncio.sleep(10)
        rate = (transactions() - before) / 10
    assert rate < 8, rate


@pytest.mark.parametrize("seed", range(2))
async def test_f1_whatever_worker_is_killed_whenever_every_job_ends_once(
    stage: Stage, worker: StartWorker, new_organization: MakeOrganization, seed: int
):
    await kill_at_random(stage, worker, new_organization, random.Random(seed), jobs=12, kills=3)


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(100, 120))
async def test_f1_whatever_worker_is_killed_whenever_every_job_ends_once_20_seeds(
    stage: Stage, worker: StartWorker, new_organization: MakeOrganization, seed: int
):
    await kill_at_random(stage, worker, new_organization, random.Random(seed), jobs=30, kills=8)


async def kill_at_random(
    stage: Stage, worker: StartWorker, make: MakeOrganization, chance: random.Random, *, jobs: int, kills: int
) -> None:
    """I3 and I7: every block of every job exactly once, no job left behind."""
    several = await stages(stage, make, 4)
    submitted = [await chance.choice(several).submit(blocks=20, seconds=0.02, hold=0.01) for _ in range(jobs)]
    alive: list[WorkerProcess] = [worker(), worker()]
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.7, 1.6))
        alive.pop(chance.randrange(2)).kill()
        alive.append(worker())

    async def done() -> bool:
        return await states(stage) == {JobState.COMPLETED: jobs}

    await stage.until(done, 300)
    for job in submitted:
        assert await stage.blocks(job.id) == list(range(20))
