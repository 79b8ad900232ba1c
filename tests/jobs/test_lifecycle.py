"""Submit, cancel, retry: what callers do to jobs, without anybody who works on them."""

import asyncio
from dataclasses import replace

import pytest

from domain.errors import Forbidden, Rejected
from domain.ids import new_id
from domain.vocabulary import JobState, Role, UserErrorCode
from jobs.lifecycle import cancel, retry, submit
from tests.conftest import MakeOrganization, actor_of
from tests.jobs.stage import Stage


async def actions(stage: Stage):
    rows = await stage.runtime.database.read(stage.actor.organization_id, "select action from activity order by at, id")
    return [row["action"] for row in rows]


async def admitted(stage: Stage):
    return {row["id"] for row in await stage.rows("select id from store.jobs where admitted_at is not null")}


async def test_a_submitted_job_is_queued_admitted_and_in_the_log(stage: Stage):
    job = await stage.submit(blocks=1)
    assert (job.state, job.epoch, job.progress.phase) == (JobState.QUEUED, 0, "queued")
    tokens = await stage.rows("select queue_name, args from queue.procrastinate_jobs")
    assert [(token["queue_name"], token["args"]["job_id"]) for token in tokens] == [("large", str(job.id))]
    assert await actions(stage) == ["EXPORT_STARTED"]


async def test_a_submission_that_is_rolled_back_leaves_nothing(stage: Stage):
    async def submit_and_fail():
        async with stage.runtime.database.unit(stage.actor.organization_id) as connection:
            await submit(stage.runtime, stage.actor, stage.job(), connection)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await submit_and_fail()
    assert await stage.rows("select id from store.jobs") == []
    assert await stage.rows("select id from queue.procrastinate_jobs") == []


async def test_two_large_and_two_small_jobs_of_an_organization_are_admitted_and_the_rest_waits(stage: Stage):
    large = [await stage.submit() for _ in range(4)]
    small = [await stage.submit(large=False) for _ in range(4)]
    assert await admitted(stage) == {job.id for job in (*large[:2], *small[:2])}


async def test_a_waiting_job_of_higher_priority_is_admitted_first(stage: Stage):
    first = [await stage.submit() for _ in range(3)]
    urgent = await submit(stage.runtime, stage.actor, replace(stage.job(), priority=5))
    await cancel(stage.runtime, stage.actor, first[0].id)
    assert await admitted(stage) == {first[1].id, urgent.id}


async def test_parallel_submissions_never_exceed_the_limit(stage: Stage):
    await asyncio.gather(*(stage.submit() for _ in range(12)))
    assert len(await admitted(stage)) == 2


async def test_29_twenty_submissions_with_one_key_at_once_are_one_job(stage: Stage):
    new = replace(stage.job(blocks=1), idempotency_key="once")
    jobs = await asyncio.gather(*(submit(stage.runtime, stage.actor, new) for _ in range(20)))
    assert len({job.id for job in jobs}) == 1
    assert len(await stage.rows("select id from store.jobs")) == 1
    assert await actions(stage) == ["EXPORT_STARTED"]


async def test_29_a_key_used_for_another_input_is_refused(stage: Stage):
    await submit(stage.runtime, stage.actor, replace(stage.job(blocks=1), idempotency_key="once"))
    with pytest.raises(Rejected) as refused:
        await submit(stage.runtime, stage.actor, replace(stage.job(blocks=2), idempotency_key="once"))
    assert refused.value.problems[0].code is UserErrorCode.IDEMPOTENCY_MISMATCH


async def test_a_key_means_another_job_in_another_organization(stage: Stage, new_organization: MakeOrganization):
    other = actor_of(Role.OWNER, await new_organization())
    new = replace(stage.job(), idempotency_key="once")
    first = await submit(stage.runtime, stage.actor, new)
    assert (await submit(stage.runtime, other, new)).id != first.id


async def test_f10_a_waiting_job_is_cancelled_at_once_and_its_place_given_on(stage: Stage):
    jobs = [await stage.submit() for _ in range(3)]
    cancelled = await cancel(stage.runtime, stage.actor, jobs[0].id)
    assert cancelled.state is JobState.CANCELLED
    assert cancelled.finished_at is not None
    assert cancelled.revision > jobs[0].revision
    assert await admitted(stage) == {jobs[1].id, jobs[2].id}
    tokens = await stage.rows("select args from queue.procrastinate_jobs")
    assert {token["args"]["job_id"] for token in tokens} == {str(jobs[1].id), str(jobs[2].id)}
    assert (await actions(stage))[-1] == "EXPORT_CANCELLED"


async def test_f10_a_job_that_has_ended_cannot_be_cancelled(stage: Stage):
    job = await stage.submit()
    await cancel(stage.runtime, stage.actor, job.id)
    with pytest.raises(Rejected) as refused:
        await cancel(stage.runtime, stage.actor, job.id)
    assert refused.value.problems[0].code is UserErrorCode.WRONG_STATE


async def test_7_a_foreign_and_an_absent_job_answer_alike(stage: Stage, new_organization: MakeOrganization):
    job = await stage.submit()
    stranger = actor_of(Role.OWNER, await new_organization())
    for job_id in (job.id, new_id()):
        with pytest.raises(Rejected) as refused:
            await cancel(stage.runtime, stranger, job_id)
        assert refused.value.problems[0].code is UserErrorCode.NOT_FOUND


async def test_16_cancelling_needs_the_permission_of_the_kind(stage: Stage):
    job = await stage.submit()
    viewer = replace(stage.actor, permissions=frozenset())
    with pytest.raises(Forbidden):
        await cancel(stage.runtime, viewer, job.id)


async def test_only_a_failed_job_can_be_retried(stage: Stage):
    job = await stage.submit()
    with pytest.raises(Rejected) as refused:
        await retry(stage.runtime, stage.actor, job.id)
    assert refused.value.problems[0].code is UserErrorCode.WRONG_STATE
