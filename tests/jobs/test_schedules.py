"""Schedules run once a slot, however many processes look."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from db.schedules import DueSchedule
from domain.errors import invalid
from domain.ids import new_id
from domain.vocabulary import JobState, JobTrigger
from jobs.lifecycle import cancel, submit
from jobs.runtime import Runtime
from jobs.schedules import tick
from tests.jobs.scripted import submit_probe
from tests.jobs.stage import Stage, StartWorker

INSERT = """
insert into export_schedules (id, name, cron, time_zone, actor_kind, actor_name, next_run_at, enabled)
values ($1, 'daily', '0 8 * * *', 'Asia/Jerusalem', 'USER', 'Noa', $2, $3)
"""


async def schedule(stage: Stage, due: str = "2024-01-15 06:00+00", *, enabled: bool = True) -> UUID:
    schedule_id = new_id()
    async with stage.runtime.database.unit(stage.actor.organization_id) as connection:
        await connection.execute(INSERT, schedule_id, datetime.fromisoformat(due), enabled)
    return schedule_id


async def row_of(stage: Stage, schedule_id: UUID) -> dict[str, object]:
    [row] = await stage.rows("select * from store.export_schedules where id = $1", schedule_id)
    return row


async def test_a_due_schedule_runs_and_moves_on_to_its_next_slot(stage: Stage):
    schedule_id = await schedule(stage)
    assert await tick(stage.runtime, submit_probe) == 1
    row = await row_of(stage, schedule_id)
    [job] = await stage.rows("select id, trigger, schedule_id from store.jobs")
    assert (job["id"], job["trigger"], job["schedule_id"]) == (row["last_job_id"], JobTrigger.SCHEDULE, schedule_id)
    moved = row["next_run_at"]
    assert isinstance(moved, datetime)
    assert moved > datetime.now(UTC)
    assert await tick(stage.runtime, submit_probe) == 0


async def test_a_slot_runs_once_when_eight_processes_look_at_once(stage: Stage):
    for _ in range(5):
        await schedule(stage)
    counts = await asyncio.gather(*(tick(stage.runtime, submit_probe) for _ in range(8)))
    assert sum(counts) == 5
    assert len(await stage.rows("select from store.jobs")) == 5


async def test_a_slot_runs_once_when_four_processes_look_and_some_of_them_die(stage: Stage, worker: StartWorker):
    ids = [await schedule(stage) for _ in range(12)]
    looking = [worker(TEST_SCHEDULES="yes") for _ in range(4)]
    await stage.until(lambda: some_ran(stage), 60)
    for one in looking[:2]:
        one.kill()

    async def done() -> bool:
        return len(await stage.rows("select from store.jobs where state = 'COMPLETED'")) == len(ids)

    await stage.until(done, 60)
    jobs = await stage.rows("select id, schedule_id from store.jobs")
    assert sorted(str(job["schedule_id"]) for job in jobs) == sorted(map(str, ids))
    [row] = await stage.rows("select count(*)::int as n from store.export_schedules where next_run_at > now()")
    assert row["n"] == len(ids)


async def some_ran(stage: Stage) -> bool:
    return bool(await stage.rows("select from store.jobs"))


async def test_a_slot_whose_job_was_submitted_before_the_process_died_runs_no_second_time(stage: Stage):
    schedule_id = await schedule(stage)
    await tick(stage.runtime, submit_probe)
    again = datetime.fromisoformat("2024-01-15 06:00+00")
    await stage.runtime.system.execute("update store.export_schedules set next_run_at = $1", again)
    assert await tick(stage.runtime, submit_probe) == 1
    [job] = await stage.rows("select id from store.jobs")
    assert (await row_of(stage, schedule_id))["last_job_id"] == job["id"]


async def test_a_disabled_schedule_and_one_not_due_do_not_run(stage: Stage):
    await schedule(stage, enabled=False)
    await schedule(stage, "2999-01-01 00:00+00")
    assert await tick(stage.runtime, submit_probe) == 0


async def test_a_schedule_that_cannot_run_counts_its_failure_and_goes_on(stage: Stage):
    async def refuse(runtime: Runtime, due: DueSchedule) -> UUID:
        raise invalid("There is no such column.", "input", "spec")

    schedule_id = await schedule(stage)
    assert await tick(stage.runtime, refuse) == 1
    row = await row_of(stage, schedule_id)
    assert row["consecutive_failures"] == 1
    sql = "select action, actor_kind, summary from activity"
    (entry,) = await stage.runtime.database.read(stage.actor.organization_id, sql)
    assert (entry["action"], entry["actor_kind"]) == ("EXPORT_FAILED", "SYSTEM")
    assert entry["summary"].endswith("the scheduled export could not run: There is no such column.")


async def test_a_run_that_somebody_cancels_is_neither_a_failure_nor_a_success(stage: Stage, worker: StartWorker):
    worker()
    schedule_id = await schedule(stage)
    await stage.runtime.system.execute("update store.export_schedules set consecutive_failures = 2")
    job = await submit(stage.runtime, stage.actor, replace(stage.job(blocks=400), schedule_id=schedule_id))

    async def under_way() -> bool:
        return (await stage.load(job.id)).progress.processed > 0

    await stage.until(under_way)
    await cancel(stage.runtime, stage.actor, job.id)
    assert (await stage.ended(job.id)).state is JobState.CANCELLED
    assert (await row_of(stage, schedule_id))["consecutive_failures"] == 2


async def test_failures_of_a_schedules_jobs_are_counted_until_one_goes_well(stage: Stage, worker: StartWorker):
    worker()
    schedule_id = await schedule(stage)
    for spec, failures in (({"fail": "final"}, 1), ({"fail": "final"}, 2), ({"blocks": 0}, 0)):
        new = replace(stage.job(**spec), schedule_id=schedule_id)
        await stage.ended((await submit(stage.runtime, stage.actor, new)).id)
        assert (await row_of(stage, schedule_id))["consecutive_failures"] == failures
