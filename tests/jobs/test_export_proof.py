"""An export holds exactly one snapshot, or there is none: under concurrent writes, failures and cancellation."""

import asyncio
import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from db.export_query import Statement
from db.job_files import files_of
from domain.exports import ColumnSpec, FileOptions
from domain.ids import IdKind, format_id
from domain.jobs import JobRecord
from domain.records import OrganizationRecord
from domain.vocabulary import ExportFormat, ExportProfile, JobFailureCode, JobState, LeadFieldKey
from jobs import export_writing
from jobs.exports import run_export
from jobs.lifecycle import cancel, retry
from jobs.running import JobEnd, RunningJob
from jobs.runtime import Runtime
from storage.store import StorageUnavailable
from tests.conftest import MakeOrganization
from tests.db.export_rows import add_lead, add_leads
from tests.jobs.exporting import Exporting

COLUMNS = (ColumnSpec(field=LeadFieldKey.LEAD_ID), ColumnSpec(field=LeadFieldKey.NAME))
PLAIN = FileOptions(profile=ExportProfile.PLAIN)


@pytest.fixture
async def acme(new_organization: MakeOrganization) -> OrganizationRecord:
    return await new_organization("acme")


@pytest.fixture
async def exporting(runtime: Runtime, acme: OrganizationRecord) -> Exporting:
    return Exporting(runtime, acme)


async def _many(exporting: Exporting, count: int) -> None:
    sql = """
    insert into leads (id, name, status_id, stage, created_at)
    select gen_random_uuid(), repeat('lead ', 40) || n, s.id, s.stage, timestamptz '2024-01-01' + n * interval '1 s'
    from generate_series(1, $1) n cross join (select id, stage from statuses order by position limit 1) s
    """
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        await connection.execute(sql, count)


async def _stored(exporting: Exporting) -> list[str]:
    folder = Path(exporting.runtime.settings.scratch) / "store"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def test_rows_written_during_an_export_are_not_in_it(exporting: Exporting) -> None:
    await _many(exporting, 5_000)
    before = await exporting.runtime.database.read(exporting.organization.id, "select id, name from leads")
    job = await exporting.submit(columns=COLUMNS, file=PLAIN)
    started, stop = asyncio.Event(), asyncio.Event()

    async def write() -> int:
        await started.wait()
        rounds = 0
        while not stop.is_set():
            async with exporting.runtime.database.unit(exporting.organization.id) as connection:
                await add_lead(connection, name="new")
                await connection.execute(
                    "update leads set name = 'changed' where id in (select id from leads limit 50)"
                )
                await connection.execute("delete from leads where id in (select id from leads order by id limit 20)")
            rounds += 1
        return rounds

    async def watched(runtime: Runtime, running: RunningJob) -> JobEnd:
        report = running.report

        def noticed(phase: str, processed: int, total: int | None) -> None:
            report(phase, processed, total)
            if phase == "writing":
                started.set()

        running.report = noticed  # type: ignore[method-assign] - a fault point
        end = await run_export(runtime, running)
        stop.set()
        return end

    writer = asyncio.create_task(write())
    job = await exporting.run(job, watched)
    assert await writer > 0
    assert job.state is JobState.COMPLETED
    text = (await exporting.bytes(job)).decode()
    rows = {(row[0], row[1]) for row in list(csv.reader(io.StringIO(text, newline="")))[1:]}
    assert rows == {(format_id(IdKind.LEAD, row["id"]), row["name"]) for row in before}
    assert (await exporting.file(job)).rows == 5_000


class Full:
    """Lets so many writes through, then fails as a store does that is full."""

    def __init__(self, writes: int) -> None:
        self.left = writes

    def __call__(self, data: bytes) -> bytes:
        if not self.left:
            raise StorageUnavailable("NoSpace")
        self.left -= 1
        return data


async def test_a_store_that_fails_in_the_middle_leaves_no_file_and_a_retry_succeeds(
    exporting: Exporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _many(exporting, 5_000)
    full = Full(2)
    pack = export_writing.packer
    monkeypatch.setattr(
        export_writing,
        "packer",
        lambda *given: type("Failing", (), {"feed": lambda _, data: full(data), "finish": pack(*given).finish})(),
    )
    job = await exporting.export(columns=COLUMNS)
    assert job.state is not JobState.COMPLETED
    assert await _stored(exporting) == []
    monkeypatch.undo()
    if job.state is JobState.FAILED:
        assert job.failure is not None
        assert (job.failure.code, job.failure.retryable) == (JobFailureCode.STORAGE_UNAVAILABLE, True)
        await retry(exporting.runtime, exporting.actor, job.id)
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        await connection.execute("update jobs set state = 'QUEUED' where id = $1 and state <> 'QUEUED'", job.id)
    job = await exporting.run(job)
    assert job.state is JobState.COMPLETED, job
    assert (await exporting.file(job)).rows == 5_000
    assert len(await _stored(exporting)) == 2


async def test_a_cancelled_export_ends_at_its_next_block_and_leaves_nothing(exporting: Exporting) -> None:
    await _many(exporting, 5_000)
    job = await exporting.submit(columns=COLUMNS)

    async def cancelled_meanwhile(runtime: Runtime, running: RunningJob) -> JobEnd:
        await cancel(runtime, exporting.actor, running.id)
        running.cancelled = True  # what the worker's flush does half a second later
        return await run_export(runtime, running)

    job = await exporting.run(job, cancelled_meanwhile)
    assert job.state is JobState.CANCELLED
    assert await _stored(exporting) == []
    assert (await exporting.activity())[-1] == "EXPORT_CANCELLED"


async def test_an_export_cancelled_while_it_writes_leaves_the_connection_usable(exporting: Exporting) -> None:
    await _many(exporting, 20_000)
    job = await exporting.submit(columns=COLUMNS)

    async def later(runtime: Runtime, running: RunningJob) -> JobEnd:
        report = running.report

        def counting(phase: str, processed: int, total: int | None) -> None:
            running.cancelled = running.cancelled or processed > 2_000
            report(phase, processed, total)

        running.report = counting  # type: ignore[method-assign] - a fault point
        return await run_export(runtime, running)

    job = await exporting.run(job, later)
    assert job.state is JobState.CANCELLED
    assert await _stored(exporting) == []
    again = await exporting.export(columns=COLUMNS)
    assert (again.state, (await exporting.file(again)).rows) == (JobState.COMPLETED, 20_000)


async def test_a_file_with_fewer_rows_than_were_counted_is_never_handed_out(
    exporting: Exporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_leads(exporting.runtime.database, exporting.organization, {"name": "a"}, {"name": "b"})
    copies = export_writing.copies_of

    def short(*given: object) -> list[object]:
        [copy] = copies(*given)  # type: ignore[arg-type] - a fault point
        return [
            replace(
                copy, statement=Statement(f"select * from ({copy.statement.sql}) q limit 1", copy.statement.arguments)
            )
        ]

    monkeypatch.setattr(export_writing, "copies_of", short)
    job = await exporting.submit(columns=COLUMNS)
    for _ in range(6):
        job = await exporting.run(job)
        assert await _stored(exporting) == []
    assert job.state is JobState.FAILED
    assert job.failure is not None
    assert job.failure.message == "2 rows were counted, 1 read and 1 written."
    assert await _stored(exporting) == []


async def test_a_run_that_lost_its_claim_publishes_nothing(exporting: Exporting) -> None:
    await add_leads(exporting.runtime.database, exporting.organization, {"name": "a"})
    job = await exporting.submit(columns=COLUMNS)

    async def overtaken(runtime: Runtime, running: RunningJob) -> JobEnd:
        end = await run_export(runtime, running)
        async with runtime.database.unit(exporting.organization.id) as connection:
            await connection.execute("update jobs set epoch = epoch + 1 where id = $1", running.id)
        return end

    job = await exporting.run(job, overtaken)
    assert job.state is JobState.RUNNING
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        assert (await files_of(connection, [job.id]))[job.id] == []


async def _delta(exporting: Exporting, since: JobRecord, **spec: object) -> dict[str, str]:
    job = await exporting.export(columns=COLUMNS, since=since.result["deltaToken"], **spec)
    assert job.state is JobState.COMPLETED, job.failure
    header, *rows = await exporting.rows(job)
    assert header == ["Lead ID", "Name", "Deleted At", "_change"]
    return {row[1] or row[0]: row[3] for row in rows}


async def test_a_delta_holds_what_changed_since_an_earlier_export(exporting: Exporting) -> None:
    database, acme = exporting.runtime.database, exporting.organization
    _, edited, gone = await add_leads(database, acme, {"name": "same"}, {"name": "edited"}, {"name": "gone"})
    first = await exporting.export(columns=COLUMNS)
    assert await _delta(exporting, first) == {}
    async with database.unit(acme.id) as connection:
        await add_lead(connection, name="fresh")
        await connection.execute(
            "update leads set version = 2, changed_xid = pg_current_xact_id() where id = $1", edited
        )
        await connection.execute("delete from leads where id = $1", gone)
        await connection.execute("insert into lead_deletions (lead_id) values ($1)", gone)
    shown = format_id(IdKind.LEAD, gone)
    assert await _delta(exporting, first) == {"fresh": "created", "edited": "updated", shown: "deleted"}


async def test_no_change_is_missed_however_long_its_transaction_takes(exporting: Exporting) -> None:
    database, acme = exporting.runtime.database, exporting.organization
    await add_leads(database, acme, {"name": "same"})
    seen: set[str] = set()
    async with database.unit(acme.id) as slow:
        await add_lead(slow, name="slow")
        async with database.unit(acme.id) as quick:
            await add_lead(quick, name="quick")
        first = await exporting.export(columns=COLUMNS)
        seen |= {row[1] for row in (await exporting.rows(first))[1:]}
        assert seen == {"same", "quick"}
        second = await exporting.export(columns=COLUMNS, since=first.result["deltaToken"])
        assert "slow" not in {row[1] for row in (await exporting.rows(second))[1:]}
        async with database.unit(acme.id) as quick:
            await add_lead(quick, name="later")
    assert set(await _delta(exporting, second)) >= {"slow", "later"}


async def test_a_delta_of_concurrent_writers_adds_up_to_everything(exporting: Exporting) -> None:
    database, acme = exporting.runtime.database, exporting.organization
    stop = asyncio.Event()

    async def write(worker: int) -> None:
        number = 0
        while not stop.is_set():
            async with database.unit(acme.id) as connection:
                await add_lead(connection, name=f"{worker}-{number}")
                await asyncio.sleep(0.03 if worker % 2 else 0)
            number += 1

    writers = [asyncio.create_task(write(worker)) for worker in range(4)]
    job = await exporting.export(columns=COLUMNS)
    seen = {row[1] for row in (await exporting.rows(job))[1:]}
    for _ in range(5):
        job = await exporting.export(columns=COLUMNS, since=job.result["deltaToken"])
        seen |= {row[1] for row in (await exporting.rows(job))[1:]}
    stop.set()
    await asyncio.gather(*writers)
    job = await exporting.export(columns=COLUMNS, since=job.result["deltaToken"])
    seen |= {row[1] for row in (await exporting.rows(job))[1:]}
    rows = await database.read(acme.id, "select name from leads")
    assert seen == {row["name"] for row in rows}


@pytest.mark.parametrize("file_format", list(ExportFormat))
async def test_a_delta_fits_every_format(exporting: Exporting, file_format: ExportFormat) -> None:
    first = await exporting.export(columns=COLUMNS)
    await add_leads(exporting.runtime.database, exporting.organization, {"name": "a"})
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        await connection.execute("insert into lead_deletions (lead_id) values (gen_random_uuid())")
    job = await exporting.export(columns=COLUMNS, since=first.result["deltaToken"], format=file_format)
    assert (job.state, (await exporting.file(job)).rows) == (JobState.COMPLETED, 2)


async def test_a_delta_of_selected_leads_tells_of_no_other_that_was_deleted(exporting: Exporting) -> None:
    [kept] = await add_leads(exporting.runtime.database, exporting.organization, {"name": "kept"})
    first = await exporting.export(columns=COLUMNS)
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        await connection.execute("insert into lead_deletions (lead_id) values (gen_random_uuid())")
    selected = (format_id(IdKind.LEAD, kept),)
    job = await exporting.export(columns=COLUMNS, since=first.result["deltaToken"], ids=selected)
    assert (job.state, (await exporting.file(job)).rows) == (JobState.COMPLETED, 0)
