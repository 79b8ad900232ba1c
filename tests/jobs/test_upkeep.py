"""Files past their date, jobs that waited too long, objects that nobody names, jobs that lost their token."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.job_files import files_of
from db.job_states import mark_queued
from domain.errors import Rejected
from domain.ids import new_id
from domain.job_requests import NewFile
from domain.vocabulary import JobFileRole, JobState
from jobs.lifecycle import cancel, delete_files, requeue, submit
from jobs.upkeep import mend, retain, sweep_orphans
from tests.jobs.stage import Stage

NOW = datetime.now(UTC)


async def stored(stage: Stage, key: str) -> str:
    async with stage.runtime.store.writer(key, content_type="text/plain", download_name="a.txt") as writer:
        await writer.write(b"lead")
    return key


async def file_for(stage: Stage, name: str, role: JobFileRole, expires_at: datetime) -> NewFile:
    key = await stored(stage, f"jobs/{stage.actor.organization_id}/{new_id()}/1/{name}")
    return NewFile(
        id=new_id(),
        role=role,
        name=name,
        key=key,
        content_type="text/plain",
        bytes=4,
        sha256="0",
        expires_at=expires_at,
    )


async def with_file(stage: Stage, role: JobFileRole, expires_at: datetime):
    file = await file_for(stage, "a.txt", role, expires_at)
    return await submit(stage.runtime, stage.actor, replace(stage.job(), files=(file,))), file


async def rest_of(stage: Stage, job_id: object):
    async with stage.runtime.database.unit(stage.actor.organization_id) as connection:
        return (await files_of(connection, [job_id]))[job_id]


async def test_a_file_past_its_date_is_deleted_and_its_history_kept(stage: Stage):
    job, old = await with_file(stage, JobFileRole.DATA, NOW - timedelta(days=1))
    _, young = await with_file(stage, JobFileRole.DATA, NOW + timedelta(days=1))
    await stage.runtime.system.execute("update store.jobs set state = 'COMPLETED'")
    await retain(stage.runtime)
    assert await stage.runtime.store.size(old.key) is None
    assert await stage.runtime.store.size(young.key) == 4
    [kept] = await rest_of(stage, job.id)
    assert kept.deleted_at is not None
    assert await acts(stage) == [("FILES_DELETED", "SYSTEM", job.id)]
    await retain(stage.runtime)
    assert len(await acts(stage)) == 1, "what is gone is not deleted again"


@pytest.mark.parametrize("state", ["QUEUED", "RUNNING", "CANCELLING"])
async def test_a_file_past_its_date_stays_while_its_job_has_not_ended(stage: Stage, state: str):
    job, file = await with_file(stage, JobFileRole.ORIGINAL, NOW - timedelta(days=1))
    await stage.runtime.system.execute("update store.jobs set state = $1", state)
    await retain(stage.runtime)
    assert await stage.runtime.store.size(file.key) == 4
    [kept] = await rest_of(stage, job.id)
    assert kept.deleted_at is None


async def acts(stage: Stage) -> list[tuple[object, ...]]:
    """What the product did by itself."""
    sql = "select action, actor_kind, job_id from activity where actor_kind = 'SYSTEM' order by at, id"
    rows = await stage.runtime.database.read(stage.actor.organization_id, sql)
    return [tuple(row.values()) for row in rows]


async def test_a_job_that_awaits_its_mapping_expires_with_its_file(stage: Stage):
    job, _ = await with_file(stage, JobFileRole.ORIGINAL, NOW - timedelta(days=1))
    await cancel_token(stage)
    await stage.runtime.system.execute(
        "update store.jobs set state = 'AWAITING_MAPPING', admitted_at = null where id = $1", job.id
    )
    await retain(stage.runtime)
    expired = await stage.load(job.id)
    assert expired.state is JobState.EXPIRED
    assert expired.revision > job.revision
    assert await acts(stage) == [("FILES_DELETED", "SYSTEM", job.id), ("IMPORT_CANCELLED", "SYSTEM", job.id)]


async def cancel_token(stage: Stage) -> None:
    await stage.runtime.system.execute("delete from queue.procrastinate_jobs")


async def test_i9_an_object_that_no_row_names_is_swept_and_a_named_or_running_ones_is_not(stage: Stage):
    organization = stage.actor.organization_id
    job, file = await with_file(stage, JobFileRole.DATA, NOW + timedelta(days=1))
    orphan = await stored(stage, f"jobs/{organization}/{new_id()}/1/part.csv")
    written_now = await stored(stage, f"jobs/{organization}/{job.id}/1/part.csv")
    foreign = await stored(stage, "uploads/whatever")
    named = await stored(stage, f"jobs/{organization}/{job.id}/1/a.txt")
    await stage.runtime.system.execute("update store.job_files set key = $1 where id = $2", named, file.id)
    await sweep_orphans(stage.runtime, datetime.now(UTC) + timedelta(seconds=5))
    sizes = [await stage.runtime.store.size(key) for key in (orphan, written_now, foreign, named)]
    assert sizes == [None, 4, 4, 4]
    await cancel(stage.runtime, stage.actor, job.id)
    await sweep_orphans(stage.runtime, datetime.now(UTC) + timedelta(seconds=5))
    sizes = [await stage.runtime.store.size(key) for key in (written_now, foreign, named)]
    assert sizes == [None, 4, 4]


async def test_somebody_deletes_the_files_of_a_job_that_has_ended(stage: Stage):
    job, file = await with_file(stage, JobFileRole.DATA, NOW + timedelta(days=1))
    with pytest.raises(Rejected):
        await delete_files(stage.runtime, stage.actor, job.id)
    await cancel(stage.runtime, stage.actor, job.id)
    await delete_files(stage.runtime, stage.actor, job.id)
    assert await stage.runtime.store.size(file.key) is None
    rows = await stage.runtime.database.read(
        stage.actor.organization_id, "select count(*) as n from activity where action = 'FILES_DELETED'"
    )
    assert rows[0]["n"] == 1


async def test_a_job_that_lost_its_token_gets_another(stage: Stage):
    job = await stage.submit()
    await cancel_token(stage)
    await mend(stage.runtime, 10)
    [token] = await stage.rows("select args from queue.procrastinate_jobs")
    assert token["args"]["job_id"] == str(job.id)


async def test_a_job_that_was_left_waiting_beside_a_free_place_is_admitted(stage: Stage):
    job = await stage.submit()
    await cancel_token(stage)
    async with stage.runtime.database.unit(stage.actor.organization_id) as connection:
        await mark_queued(connection, job.id)
    await mend(stage.runtime, 10)
    assert len(await stage.rows("select from queue.procrastinate_jobs")) == 1


async def test_a_job_that_was_answered_is_queued_again_with_its_new_spec(stage: Stage):
    job = await stage.submit()
    async with stage.runtime.database.unit(stage.actor.organization_id) as connection:
        with pytest.raises(Rejected):
            await requeue(stage.runtime, job.id, connection)
    await cancel_token(stage)
    await stage.runtime.system.execute(
        "update store.jobs set state = 'AWAITING_REVIEW', admitted_at = null where id = $1", job.id
    )
    async with stage.runtime.database.unit(stage.actor.organization_id) as connection:
        again = await requeue(stage.runtime, job.id, connection, spec={"blocks": 3})
    assert (again.state, again.spec) == (JobState.QUEUED, {"blocks": 3})
    assert len(await stage.rows("select from queue.procrastinate_jobs")) == 1


async def test_an_answer_to_an_old_idempotency_key_is_forgotten(stage: Stage):
    organization = stage.actor.organization_id
    async with stage.runtime.database.unit(organization) as connection:
        for key, age in (("old", timedelta(days=8)), ("young", timedelta(days=6))):
            await connection.execute(
                "insert into idempotency_keys (operation, key, input_hash, created_at) values ('x', $1, '', $2)",
                key,
                datetime.now(UTC) - age,
            )
    await retain(stage.runtime)
    left = await stage.runtime.database.read(organization, "select key from app.idempotency_keys")
    assert [row["key"] for row in left] == ["young"]
