"""Followers see a snapshot first, then newer values alone, and the end; nothing is polled while nobody listens."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from db.progress import Report, Reported, flush
from domain.errors import Rejected
from domain.ids import new_id
from domain.vocabulary import JobEventType, JobState
from jobs.lifecycle import cancel
from jobs.progress import JobEvent, follow, follow_all, wait
from tests.conftest import MakeOrganization
from tests.jobs.stage import Stage, StartWorker


async def collect(events: AsyncIterator[JobEvent], into: list[JobEvent]) -> None:
    async for event in events:
        into += [event]


async def test_i5_a_follower_sees_a_snapshot_then_growing_progress_then_the_end(stage: Stage, worker: StartWorker):
    job = await stage.submit(blocks=30, seconds=0.05)
    events: list[JobEvent] = []
    following = asyncio.create_task(collect(follow(stage.runtime, stage.actor, job.id), events))
    await asyncio.sleep(0.1)
    worker()
    await asyncio.wait_for(following, 60)
    assert events[0].type is JobEventType.SNAPSHOT
    assert {event.type for event in events[1:]} == {JobEventType.STATE, JobEventType.PROGRESS}
    revisions = [event.job.revision for event in events]
    assert revisions == sorted(set(revisions))
    processed = [event.job.progress.processed for event in events]
    assert processed == sorted(processed)
    assert events[-1].job.state is JobState.COMPLETED
    assert events[-1].job == await stage.load(job.id)
    assert [event.job.state for event in events if event.type is JobEventType.STATE] == [
        JobState.RUNNING,
        JobState.COMPLETED,
    ]


async def test_a_job_under_way_says_how_long_it_may_still_take_and_an_ended_one_nothing(
    stage: Stage, worker: StartWorker
):
    worker()
    job = await stage.submit(blocks=50, seconds=0.05)
    told = [event.job.progress async for event in follow(stage.runtime, stage.actor, job.id)]
    assert told[0].eta_seconds is told[-1].eta_seconds is None
    reckoned = [progress for progress in told if progress.eta_seconds is not None]
    assert reckoned
    for progress in reckoned:
        assert progress.rows_per_second
        assert progress.eta_seconds == round((50 - progress.processed) / progress.rows_per_second)


async def test_i5_progress_does_not_go_back_when_another_worker_takes_over(stage: Stage, worker: StartWorker):
    first = worker()
    job = await stage.submit(blocks=40, seconds=0.05)
    events: list[JobEvent] = []
    following = asyncio.create_task(collect(follow(stage.runtime, stage.actor, job.id), events))

    async def under_way() -> bool:
        return any(event.job.progress.processed > 5 for event in events)

    await stage.until(under_way)
    worker()
    first.kill()
    await asyncio.wait_for(following, 60)
    processed = [event.job.progress.processed for event in events]
    revisions = [event.job.revision for event in events]
    assert (processed, revisions) == (sorted(processed), sorted(set(revisions)))
    assert events[-1].job.epoch == 2


async def test_a_report_that_arrives_after_the_end_changes_nothing(stage: Stage, worker: StartWorker):
    worker()
    job = await stage.ended((await stage.submit(blocks=2)).id, 60)
    late = Report(job.organization_id, job.id, job.epoch, job.revision, Reported("counting", 0, None))
    assert await flush(stage.runtime.system, [late]) == {}
    assert await stage.load(job.id) == job


async def test_i5_a_report_that_a_saved_block_has_overtaken_does_not_bring_its_phase_back(
    stage: Stage, worker: StartWorker
):
    worker()
    job = await stage.submit(blocks=400, seconds=0.05)

    async def under_way() -> bool:
        return (await stage.load(job.id)).progress.processed > 0

    await stage.until(under_way)
    now = await stage.load(job.id)
    late = Report(job.organization_id, job.id, now.epoch, now.revision - 1, Reported("reading", 1_000, None))
    (held,) = (await flush(stage.runtime.system, [late])).values()
    assert held.revision >= now.revision
    assert (await stage.load(job.id)).progress.phase == "working"
    await cancel(stage.runtime, stage.actor, job.id)


async def test_a_follower_of_a_job_that_has_ended_gets_one_snapshot(stage: Stage):
    job = await stage.submit()
    await cancel(stage.runtime, stage.actor, job.id)
    assert [event.type async for event in follow(stage.runtime, stage.actor, job.id)] == [JobEventType.SNAPSHOT]


async def test_15_a_foreign_job_cannot_be_followed(stage: Stage, new_organization: MakeOrganization):
    other = Stage(stage.runtime, await new_organization())
    for job_id in ((await other.submit()).id, new_id()):
        with pytest.raises(Rejected):
            await anext(aiter(follow(stage.runtime, stage.actor, job_id)))


async def test_a_subscription_to_all_jobs_begins_now_and_stays_in_its_organization(
    stage: Stage, worker: StartWorker, new_organization: MakeOrganization
):
    old = await stage.submit()
    await cancel(stage.runtime, stage.actor, old.id)
    events: list[JobEvent] = []
    following = asyncio.create_task(collect(follow_all(stage.runtime, stage.actor), events))
    await asyncio.sleep(0.4)
    other = Stage(stage.runtime, await new_organization())
    await other.submit(blocks=1)
    job = await stage.submit(blocks=20)
    worker()

    async def ended() -> bool:
        return bool(events) and events[-1].job.terminal

    await stage.until(ended)
    following.cancel()
    assert {event.job.id for event in events} == {job.id}
    assert events[0].type is JobEventType.SNAPSHOT
    assert events[-1].job.state is JobState.COMPLETED


async def test_a_subscription_to_all_jobs_tells_the_end_of_one_that_is_older_than_a_minute(
    stage: Stage, worker: StartWorker
):
    running, waiting = await stage.submit(blocks=20), await stage.submit()
    await stage.runtime.system.execute("update store.jobs set created_at = now() - interval '5 minutes'")
    await stage.runtime.system.execute("update store.jobs set state = 'AWAITING_REVIEW' where id = $1", waiting.id)
    events: list[JobEvent] = []
    following = asyncio.create_task(collect(follow_all(stage.runtime, stage.actor), events))
    await asyncio.sleep(0.4)
    await cancel(stage.runtime, stage.actor, waiting.id)
    worker()

    async def both_ended() -> bool:
        return {event.job.id for event in events if event.job.terminal} == {running.id, waiting.id}

    await stage.until(both_ended, 30)
    following.cancel()


async def test_f9_a_slow_follower_gets_the_newest_value_and_holds_nobody_up(stage: Stage, worker: StartWorker):
    job = await stage.submit(blocks=40, seconds=0.05)
    slow = aiter(follow(stage.runtime, stage.actor, job.id))
    await anext(slow)
    waiting = asyncio.create_task(anext(slow))  # type: ignore[arg-type] - an async generator's step is a coroutine
    worker()
    await waiting
    assert (await stage.ended(job.id)).state is JobState.COMPLETED
    await asyncio.sleep(0.5)
    event = await anext(slow)
    assert (event.job.state, event.job.progress.processed) == (JobState.COMPLETED, 40)


async def test_the_long_poll_answers_when_the_revision_grows_and_else_when_the_time_is_up(stage: Stage):
    job = await stage.submit()
    loop = asyncio.get_running_loop()
    began = loop.time()
    same = await wait(stage.runtime, stage.actor, job.id, 0.6, job.revision)
    assert same.revision == job.revision
    assert loop.time() - began >= 0.6
    waiting = asyncio.create_task(wait(stage.runtime, stage.actor, job.id, 10, job.revision))
    await asyncio.sleep(0.3)
    await cancel(stage.runtime, stage.actor, job.id)
    changed = await asyncio.wait_for(waiting, 30)
    assert changed.state is JobState.CANCELLED


async def test_nothing_is_polled_while_nobody_listens(stage: Stage):
    job = await stage.submit()
    await wait(stage.runtime, stage.actor, job.id, 0.3)
    assert stage.runtime.feed.followers == 0
    poller = stage.runtime.feed._poller
    assert poller is not None
    async with asyncio.timeout(30):
        await asyncio.wait({poller})
