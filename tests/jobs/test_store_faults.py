"""F7: exports when the disk is full or the object store does not answer, and what killed writers leave behind."""

import asyncio
import hashlib
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.exports import ColumnSpec, FileOptions
from domain.jobs import JobRecord
from domain.records import OrganizationRecord
from domain.vocabulary import ExportProfile, JobFailureCode, JobState, LeadFieldKey
from jobs.lifecycle import retry
from jobs.runtime import Runtime
from jobs.upkeep import sweep_orphans
from storage.store import StorageUnavailable, open_store
from tests.conftest import MakeOrganization
from tests.jobs.exporting import Exporting
from tests.jobs.importing import working
from tests.jobs.under_fire import Fire, until
from tests.object_store import seaweed
from tests.relay import relay_to

ROWS = 60_000
SPEC = {
    "columns": (ColumnSpec(field=LeadFieldKey.LEAD_ID), ColumnSpec(field=LeadFieldKey.NAME)),
    "file": FileOptions(profile=ExportProfile.PLAIN),
}
FILL = """
insert into leads (id, name, status_id, stage)
select gen_random_uuid(), repeat('lead ', 30) || n, s.id, s.stage
from generate_series(1, $1) n cross join (select id, stage from statuses order by position limit 1) s
"""


@pytest.fixture
async def acme(new_organization: MakeOrganization) -> OrganizationRecord:
    return await new_organization("acme")


async def filled(runtime: Runtime, organization: OrganizationRecord, count: int) -> Exporting:
    async with runtime.database.unit(organization.id) as connection:
        await connection.execute(FILL, count)
    return Exporting(runtime, organization)


async def ended(exporting: Exporting, job: JobRecord) -> JobRecord:
    async def over() -> bool:
        return (await exporting.load(job.id)).terminal

    await until(over, 120)
    return await exporting.load(job.id)


async def check_whole(exporting: Exporting, job: JobRecord, rows: int) -> None:
    """I6: rows in the file = recorded = counted, and the digest is right; I10: it started once and finished once."""
    assert job.state is JobState.COMPLETED
    file, data = await exporting.file(job), await exporting.bytes(job)
    assert (file.rows, data.count(b"\n")) == (rows, rows + 1)
    assert (file.bytes, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    sql = "select action from activity where job_id = $2 order by at, id"
    acts = await exporting.runtime.database.read(exporting.organization.id, sql, job.id)
    assert [row["action"] for row in acts] == ["EXPORT_STARTED", "EXPORT_FINISHED"]


async def test_f7_an_export_waits_for_room_on_a_full_disk_and_the_queue_goes_on(
    runtime: Runtime, acme: OrganizationRecord, new_organization: MakeOrganization, fire: Fire
):
    large, small = await filled(runtime, acme, ROWS), await filled(runtime, await new_organization("other"), 10)
    job = await large.submit(**SPEC)
    full = fire.worker(TEST_FILE_BYTES="5000000")

    async def tried() -> bool:
        return bool(await runtime.system.fetch("select from store.jobs where attempts > 0 and state = 'QUEUED'"))

    await until(tried)
    await check_whole(small, await ended(small, await small.submit(**SPEC)), 10)
    names = {path.name for path in (Path(runtime.settings.scratch) / "store").rglob(f"*{job.id}*/**/*")}
    assert not [name for name in names if name.endswith(".csv")], "nothing is there under a final name"
    full.kill()
    fire.worker()
    await check_whole(large, await ended(large, job), ROWS)


@pytest.mark.chaos
async def test_f7_an_object_store_that_is_away_for_a_while_costs_an_export_nothing(
    runtime: Runtime, acme: OrganizationRecord, database_url: str
):
    with seaweed() as peer:
        host, port = peer.endpoint.removeprefix("http://").split(":")
        up = asyncio.Event()

        async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            if not up.is_set():
                raise ConnectionRefusedError
            return await asyncio.open_connection(host, int(port))

        async with relay_to(connect) as relay:
            store = open_store(peer.url, peer.options | {"endpoint": f"http://127.0.0.1:{relay.port}"})
            up.set()
            await until(lambda: answers(store))  # its volumes come up a moment after its port
            exporting = await filled(replace(runtime, store=store), acme, ROWS)
            up.clear()
            relay.cut()
            async with working(exporting.runtime, database_url):
                job, before = await exporting.submit(**SPEC), relay.accepted
                await until(lambda: tried_again(relay.accepted - before))
                up.set()
                await check_whole(exporting, await ended(exporting, job), ROWS)


async def answers(store: object) -> bool:
    try:
        await store.check()
    except StorageUnavailable:
        return False
    return True


async def tried_again(times: int) -> bool:
    return times > 1


async def test_f7_an_export_whose_store_stays_away_fails_with_its_reason_and_can_be_run_again(
    runtime: Runtime, acme: OrganizationRecord, database_url: str, tmp_path: Path
):
    exporting = await filled(runtime, acme, 100)
    job = await exporting.submit(**SPEC)
    await runtime.system.execute("update store.jobs set attempts = 4 where id = $1", job.id)
    store = tmp_path / "store"
    store.mkdir(exist_ok=True)
    (store / "jobs").touch()  # a file where its folder should be
    async with working(runtime, database_url):
        failed = await ended(exporting, job)
        assert failed.state is JobState.FAILED
        assert failed.failure is not None
        assert (failed.failure.code, failed.failure.retryable) == (JobFailureCode.STORAGE_UNAVAILABLE, True)
        (store / "jobs").unlink()
        await retry(runtime, exporting.actor, job.id)
        again = await ended(exporting, job)
    assert again.state is JobState.COMPLETED
    assert (await exporting.file(again)).rows == 100


async def test_i9_what_a_killed_writer_left_of_a_file_is_swept_after_a_day_and_never_shown(
    runtime: Runtime, tmp_path: Path
):
    folder = tmp_path / "store" / "jobs" / "organization" / "job" / "1"
    folder.mkdir(parents=True)
    left, fresh, whole = folder / "leads.csv#1", folder / "leads.csv#2", folder / "call#me"
    for path in (left, fresh, whole):
        path.write_bytes(b"half a fi")
    yesterday = (datetime.now(UTC) - timedelta(days=2)).timestamp()
    os.utime(left, (yesterday, yesterday))
    os.utime(whole, (yesterday, yesterday))
    later = datetime.now(UTC) + timedelta(days=1)
    assert str(left.name) not in str([key async for key in runtime.store.older_than("jobs", later)])
    await sweep_orphans(runtime, datetime.now(UTC) - timedelta(days=1))
    assert [path.exists() for path in (left, fresh, whole)] == [False, True, True]
