"""Worker processes that run, fail, are cancelled, stopped and killed. Every job has one end, whatever happens."""

import asyncio
import re
import signal
import statistics

import psycopg
import pytest

from domain.vocabulary import JobFailureCode, JobState
from jobs.lifecycle import cancel, retry
from jobs.runtime import Runtime
from tests.jobs.importing import working
from tests.jobs.stage import Stage, StartWorker


async def runs(stage: Stage, job_id: object) -> list[int]:
    rows = await stage.rows("select epoch from probe.runs where job_id = $1 order by at", job_id)
    return [int(str(row["epoch"])) for row in rows]


async def running(stage: Stage, job_id: object, blocks: int = 2) -> None:
    """Wait until some blocks are committed."""

    async def enough() -> bool:
        return len(await stage.rows("select from probe.blocks where job_id = $1", job_id)) >= blocks

    await stage.until(enough)


async def test_a_job_runs_to_its_end_and_its_row_tells_everything(stage: Stage, worker: StartWorker):
    worker()
    job = await stage.submit(blocks=5)
    ended = await stage.ended(job.id)
    assert (ended.state, ended.epoch, ended.result) == (JobState.COMPLETED, 1, {"block": 5})
    assert (ended.progress.phase, ended.progress.processed, ended.progress.total) == ("working", 5, 5)
    assert ended.started_at is not None
    assert ended.finished_at is not None
    actions = await stage.runtime.database.read(stage.actor.organization_id, "select action from activity order by at")
    assert [row["action"] for row in actions] == ["EXPORT_STARTED", "EXPORT_FINISHED"]
    await stage.until(lambda: no_tokens(stage))


async def no_tokens(stage: Stage) -> bool:
    return not await stage.rows("select id from queue.procrastinate_jobs where task_name = 'run_job'")


async def test_a_handler_sees_the_actor_as_recorded(stage: Stage, worker: StartWorker):
    job = await stage.submit(blocks=1)
    [row] = await stage.rows("select actor_role, actor_permissions from store.jobs where id = $1", job.id)
    assert row["actor_role"] == "OWNER"
    assert set(row["actor_permissions"]) == stage.actor.permissions


async def test_f1_a_job_whose_worker_is_killed_goes_on_at_its_checkpoint_within_20_seconds(
    stage: Stage, worker: StartWorker
):
    first = worker(TEST_LEASE="10")
    job = await stage.submit(blocks=30, seconds=0.1)
    await running(stage, job.id)
    worker(TEST_LEASE="10")
    first.kill()
    began = asyncio.get_running_loop().time()

    async def resumed() -> bool:
        return await runs(stage, job.id) == [1, 2]

    await stage.until(resumed)
    assert asyncio.get_running_loop().time() - began < 20
    ended = await stage.ended(job.id)
    assert ended.state is JobState.COMPLETED
    assert ended.revision > 1_000
    assert await stage.blocks(job.id) == list(range(30))


async def test_f5_a_worker_that_was_stopped_inside_a_block_writes_nothing_when_it_goes_on(
    stage: Stage, worker: StartWorker
):
    stopped = worker()
    job = await stage.submit(blocks=20, seconds=0.02, hold=0.2)
    await running(stage, job.id)
    worker()
    stopped.signal(signal.SIGSTOP)

    async def taken_over() -> bool:
        return await runs(stage, job.id) == [1, 2]

    await stage.until(taken_over)
    stopped.signal(signal.SIGCONT)
    ended = await stage.ended(job.id)
    assert ended.state is JobState.COMPLETED
    assert await stage.blocks(job.id) == list(range(20))
    rows = await stage.rows("select epoch, block from probe.blocks where job_id = $1 order by block", job.id)
    epochs = [row["epoch"] for row in rows]
    assert epochs == sorted(epochs)


async def test_f4_connections_that_are_cut_cost_a_job_nothing(stage: Stage, worker: StartWorker, database_url: str):
    await asyncio.gather(*(stage.rows("select pg_sleep(0.05)") for _ in range(3)))
    with psycopg.connect(database_url, autocommit=True) as administrator:
        mine = [pid for (pid,) in administrator.execute("select pid from pg_stat_activity").fetchall()]
        worker()
        job = await stage.submit(blocks=40, seconds=0.02, hold=0.05)
        await running(stage, job.id)
        for _ in range(3):
            await asyncio.sleep(0.7)
            administrator.execute(CUT, (mine,))
    ended = await stage.ended(job.id)
    assert ended.state is JobState.COMPLETED
    assert await stage.blocks(job.id) == list(range(40))


CUT = """
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and usename like 'leadport%%' and pid <> all(%s)
"""
"""Ends every session of the worker: its handlers', its dispatcher's, its listener's."""


async def test_f6_a_second_delivery_of_a_running_job_changes_nothing(stage: Stage, worker: StartWorker):
    worker(TEST_LEASE="10")
    job = await stage.submit(blocks=15)
    await running(stage, job.id)
    args = (stage.actor.organization_id, job.id)
    await stage.rows("select queue.defer_job($1, $2, true, 0, 0), queue.defer_job($1, $2, false, 0, 0)", *args)
    ended = await stage.ended(job.id)
    assert (ended.state, ended.epoch) == (JobState.COMPLETED, 1)
    assert await stage.blocks(job.id) == list(range(15))


async def test_f13_a_job_that_kills_its_worker_fails_after_five_and_the_queue_goes_on(
    stage: Stage, worker: StartWorker
):
    job = await stage.submit(fail="kill")
    await stage.runtime.system.execute("update store.jobs set attempts = 4 where id = $1", job.id)
    victim = worker()
    await victim.ended(60)
    worker()
    after = await stage.submit(blocks=1)
    assert (await stage.ended(after.id)).state is JobState.COMPLETED
    ended = await stage.ended(job.id)
    assert ended.state is JobState.FAILED
    assert ended.failure is not None
    assert ended.failure.message == "The worker died 5 times."
    assert await runs(stage, job.id) == [1]


async def test_f14_a_worker_told_to_stop_leaves_the_job_at_its_block_and_the_next_resumes_it(
    stage: Stage, worker: StartWorker
):
    first = worker()
    job = await stage.submit(blocks=30, seconds=0.05)
    await running(stage, job.id)
    first.signal(signal.SIGTERM)
    assert await first.ended(30) == 0
    left = await stage.load(job.id)
    assert left.state is JobState.QUEUED
    worker()
    ended = await stage.ended(job.id)
    assert (ended.state, ended.epoch) == (JobState.COMPLETED, 2)
    assert await stage.blocks(job.id) == list(range(30))
    [row] = await stage.rows("select attempts from store.jobs where id = $1", job.id)
    assert row["attempts"] == 0


async def test_f14_a_worker_told_to_stop_in_any_of_its_first_moments_stops(runtime: Runtime, database_url: str):
    async def stopped_after(seconds: float) -> None:
        async with working(runtime, database_url):
            await asyncio.sleep(seconds)

    for _ in range(5):
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for number in range(12):
                group.create_task(stopped_after(number * 0.02))


async def test_f14_a_job_without_checkpoints_may_finish_before_its_worker_stops(stage: Stage, worker: StartWorker):
    first = worker(TEST_LEASE="10")
    job = await stage.submit(blocks=10, seconds=0.1, quiet=True)
    await stage.until(lambda: started(stage, job.id))
    first.signal(signal.SIGTERM)
    assert await first.ended(30) == 0
    ended = await stage.load(job.id)
    assert (ended.state, ended.epoch) == (JobState.COMPLETED, 1)


async def test_f14_a_job_that_goes_on_for_longer_than_a_lease_is_not_taken_from_a_worker_that_drains(
    stage: Stage, worker: StartWorker
):
    first = worker(TEST_LEASE="4")
    job = await stage.submit(blocks=100, seconds=0.1, quiet=True)
    await stage.until(lambda: started(stage, job.id))
    worker(TEST_LEASE="4")
    first.signal(signal.SIGTERM)
    assert await first.ended(60) == 0
    assert await runs(stage, job.id) == [1]
    assert (await stage.load(job.id)).state is JobState.COMPLETED


async def test_f14_a_job_that_is_not_done_in_time_is_interrupted_and_run_again(stage: Stage, worker: StartWorker):
    first = worker(TEST_DRAIN="1")
    job = await stage.submit(blocks=40, seconds=0.1, quiet=True)
    await stage.until(lambda: started(stage, job.id))
    first.signal(signal.SIGTERM)
    assert await first.ended(30) == 0
    assert (await stage.load(job.id)).state is JobState.QUEUED
    worker()
    ended = await stage.ended(job.id)
    assert (ended.state, ended.epoch) == (JobState.COMPLETED, 2)


async def started(stage: Stage, job_id: object) -> bool:
    return bool(await runs(stage, job_id))


@pytest.mark.parametrize("quiet", [False, True])
async def test_f10_a_running_job_is_cancelled_at_its_next_block_and_keeps_what_it_did(
    stage: Stage, worker: StartWorker, *, quiet: bool
):
    worker()
    job = await stage.submit(blocks=200, seconds=0.05, quiet=quiet)
    await stage.until(lambda: started(stage, job.id))
    await asyncio.sleep(0.3)
    asked = await cancel(stage.runtime, stage.actor, job.id)
    assert asked.state is JobState.CANCELLING
    assert (await cancel(stage.runtime, stage.actor, job.id)).state is JobState.CANCELLING
    ended = await stage.ended(job.id)
    assert ended.state is JobState.CANCELLED
    blocks = await stage.blocks(job.id)
    assert len(blocks) == int(str(ended.result.get("block", 0)))
    assert ended.progress.processed >= len(blocks)


async def test_f10_a_job_whose_worker_died_while_cancelling_is_cancelled_by_the_next(stage: Stage, worker: StartWorker):
    first = worker()
    job = await stage.submit(blocks=200, seconds=0.05)
    await running(stage, job.id)
    first.signal(signal.SIGSTOP)
    await cancel(stage.runtime, stage.actor, job.id)
    first.kill()
    worker()
    assert (await stage.ended(job.id)).state is JobState.CANCELLED


async def test_11_an_unforeseen_error_fails_the_job_with_an_id_and_tells_nothing_else(
    stage: Stage, worker: StartWorker
):
    process = worker()
    job = await stage.submit(fail="value")
    ended = await stage.ended(job.id)
    assert ended.state is JobState.FAILED
    assert ended.failure is not None
    assert ended.failure.code is JobFailureCode.INTERNAL
    assert "33" not in ended.failure.message
    assert re.fullmatch(r"[0-9a-f]{16}", ended.failure.correlation_id)
    assert ended.failure.correlation_id in process.log.read_text()


async def test_a_passing_failure_is_tried_again_later(stage: Stage, worker: StartWorker):
    worker()
    job = await stage.submit(blocks=2, fail="retryable", until_epoch=1)
    ended = await stage.ended(job.id)
    assert (ended.state, ended.epoch) == (JobState.COMPLETED, 2)


async def test_a_lasting_failure_is_final_until_somebody_retries(stage: Stage, worker: StartWorker):
    worker()
    final = await stage.ended((await stage.submit(fail="final")).id)
    assert final.failure is not None
    assert (final.epoch, final.failure.retryable) == (1, False)
    job = await stage.ended((await stage.submit(fail="value", until_epoch=1, blocks=1)).id)
    assert job.state is JobState.FAILED
    await retry(stage.runtime, stage.actor, job.id)
    again = await stage.ended(job.id)
    assert (again.state, again.failure, again.epoch) == (JobState.COMPLETED, None, 2)


async def test_a_job_starts_when_it_is_submitted_and_not_when_the_queue_is_polled(stage: Stage, worker: StartWorker):
    worker()
    await stage.ended((await stage.submit(blocks=0)).id)
    delays: list[float] = []
    for _ in range(15):
        job = await stage.submit(blocks=0)
        await stage.ended(job.id)
        [row] = await stage.rows(
            "select extract(epoch from r.at - j.created_at)::float8 as delay from probe.runs r"
            " join store.jobs j on j.id = r.job_id where r.job_id = $1",
            job.id,
        )
        delays.append(float(str(row["delay"])))
    assert statistics.median(delays) < 2, "each was found by the poll that comes every 5 seconds"
