"""Imports that are stopped, cut off, raced, cancelled or given hostile files. Kills are in test_import_kills.py."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from domain.actors import Actor
from domain.documents import LeadDocument
from domain.errors import Rejected
from domain.ids import IdKind, format_id
from domain.imports import ImportOptions, ImportRequest
from domain.jobs import JobRecord
from domain.records import OrganizationRecord
from domain.requests import CreateLead, UpdateLead
from domain.vocabulary import JobFailureCode, JobFileRole, JobState, LeadFieldKey, MergeStrategy
from jobs.import_requests import import_leads
from jobs.lead_writes import create_lead, update_lead
from jobs.lifecycle import cancel
from jobs.runtime import Runtime
from tests.conftest import MakeOrganization
from tests.jobs.importing import Importing, counts_of, csv, result_of, working
from tests.jobs.under_fire import (
    Fire,
    ImportWorker,
    check_invariants,
    many,
    phone,
    records,
    share_done,
    until,
)
from transfer.messages import CHILD_MODULE

ROWS = 20_000


@pytest.fixture
async def importing(runtime: Runtime, new_organization: MakeOrganization) -> Importing:
    return Importing.of(runtime, await new_organization())


async def check_skipped(importing: Importing, job: JobRecord, data: bytes) -> None:
    """The job did what SKIP makes of these rows in an empty organization, each row once."""
    phones = [row[1] for row in records(data)[1:] if row[0]]
    created = len(set(phones))
    expected = {"created": created, "skipped": len(phones) - created, "failed": ROWS - len(phones)}
    assert (job.state, counts_of(job)) == (JobState.COMPLETED_WITH_ERRORS, expected)
    await check_invariants(importing, job, MergeStrategy.SKIP)
    notes = sum(1 for row in records(data)[1:] if row[0] and row[6])
    kept = await importing.rows("select count(*) as n, count(distinct text) as texts from app.notes")
    assert kept[0]["n"] == kept[0]["texts"] <= notes


async def begun(fire: Fire, importing: Importing, data: bytes) -> tuple[JobRecord, ImportWorker]:
    """An import of which a part is committed, and the worker that has it."""
    job = await importing.start(data)
    worker = fire.worker()

    async def some() -> bool:
        return await share_done(importing, job, len(data)) > 0

    await until(some)
    return job, worker


@pytest.mark.chaos
async def test_f4_an_import_survives_connections_that_are_cut(fire: Fire, importing: Importing):
    data = many(ROWS, 4)
    await asyncio.gather(*(importing.rows("select pg_sleep(0.05)") for _ in range(3)))
    with psycopg.connect(fire.url, autocommit=True) as administrator:
        mine = [pid for (pid,) in administrator.execute("select pid from pg_stat_activity").fetchall()]
        job, _ = await begun(fire, importing, data)
        administrator.execute(CUT, (mine,))
        ended = await importing.ended(job)
    await check_skipped(importing, ended, data)


CUT = """
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and usename like 'leadport%%' and pid <> all(%s)
"""


@pytest.mark.chaos
async def test_f5_a_worker_stopped_within_an_import_writes_nothing_when_it_goes_on(fire: Fire, importing: Importing):
    data = many(ROWS, 5)
    job, stopped = await begun(fire, importing, data)
    stopped.process.send_signal(signal.SIGSTOP)
    fire.worker()

    async def taken_over() -> bool:
        return (await importing.load(job.id)).epoch == 2

    await until(taken_over)
    stopped.process.send_signal(signal.SIGCONT)
    ended = await importing.ended(job)
    assert ended.epoch == 2
    await check_skipped(importing, ended, data)


async def test_f6_an_import_delivered_twice_runs_once(fire: Fire, importing: Importing):
    data = many(ROWS, 6)
    job, _ = await begun(fire, importing, data)
    fire.worker()
    again = "select queue.defer_job($1, $2, true, 0, 0), queue.defer_job($1, $2, false, 0, 0)"
    await importing.runtime.system.fetch(again, importing.organization.id, job.id)
    ended = await importing.ended(job)
    assert ended.epoch == 1
    await check_skipped(importing, ended, data)


async def test_f14_an_import_is_left_at_its_block_when_the_worker_must_stop_and_the_next_resumes_it(
    fire: Fire, importing: Importing
):
    data = many(ROWS, 14)
    job, worker = await begun(fire, importing, data)
    assert await worker.stop(30) == 0
    left = await importing.load(job.id)
    assert left.state is JobState.QUEUED
    share = await share_done(importing, job, len(data))
    assert 0 < share < 1
    fire.worker()
    ended = await importing.ended(job)
    assert ended.epoch == 2
    assert await importing.rows("select attempts from app.jobs") == [{"attempts": 0}]
    await check_skipped(importing, ended, data)


async def test_f13_a_file_whose_reader_crashes_fails_with_its_reason_and_the_queue_goes_on(
    fire: Fire, importing: Importing
):
    job = await importing.start(many(ROWS, 13))
    await end_reader(fire.worker(), signal.SIGSEGV)
    ended = await importing.ended(job)
    after = await importing.ended(await importing.start(many(10, 1, first=ROWS)))
    assert ended.state is JobState.FAILED
    assert ended.failure is not None
    assert ended.failure.code is JobFailureCode.UNREADABLE_FILE
    assert after.terminal
    assert after.state is not JobState.FAILED


@pytest.mark.chaos
async def test_f13_a_reader_that_the_machine_has_stopped_is_started_again(fire: Fire, importing: Importing):
    data = many(ROWS, 113)
    job = await importing.start(data)
    await end_reader(fire.worker(), signal.SIGKILL)
    ended = await importing.ended(job)
    assert ended.epoch == 2
    await check_skipped(importing, ended, data)


async def end_reader(worker: ImportWorker, number: signal.Signals) -> None:
    """End the process that reads the file, as soon as there is one."""

    def children() -> list[str]:
        tasks = Path(f"/proc/{worker.process.pid}/task").glob("*/children")
        return [child for task in tasks for child in task.read_text().split() if reads(child)]

    def reads(child: str) -> bool:
        """A library may start a process of its own while it is loaded."""
        try:
            return CHILD_MODULE in Path(f"/proc/{child}/cmdline").read_text().split("\0")
        except FileNotFoundError:
            return False

    async def reading() -> bool:
        return bool(children())

    await until(reading)
    for child in children():
        os.kill(int(child), number)


async def test_f11_imports_creations_and_status_changes_of_the_same_phones_at_once_make_no_duplicate(
    importing: Importing, database_url: str, runtime: Runtime
):
    files = [csv(*((f"{name} {n}", phone(n), "web") for n in order(name))) for name in "ABCDEFGH"]
    strategies = [MergeStrategy.SKIP, MergeStrategy.OVERWRITE] * 4
    race = Race(importing)
    async with working(runtime, database_url), asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(race.create_leads())
            group.create_task(race.change_statuses())
        await until(race.under_way)
        jobs = [
            await importing.start(data, options=ImportOptions(merge_strategy=strategy))
            for data, strategy in zip(files, strategies, strict=True)
        ]
        ended = [await importing.ended(job, 180) for job in jobs]
        race.over = True
    assert [(job.state, job.epoch) for job in ended] == [(JobState.COMPLETED, 1)] * 8  # no deadlock, no second try
    assert race.refusals <= {"DUPLICATE"}
    assert sum(result_of(job).counts.created for job in ended) + race.made == len(await importing.leads())
    for job in ended:
        await check_invariants(importing, job, MergeStrategy.CREATE_NEW)
    twice = "select phone_key from app.leads where stage not in ('WON', 'LOST') group by 1 having count(*) > 1"
    assert await importing.rows(twice) == []


@dataclass
class Race:
    """Others who create leads, lose them and take them up again, until it is over."""

    importing: Importing
    made: int = 0
    changed: int = 0
    refusals: set[str] = field(default_factory=set[str])
    over: bool = False

    async def under_way(self) -> bool:
        return min(self.made, self.changed) > 10

    async def create_leads(self) -> None:
        numbers = order(str(id(asyncio.current_task())))
        while numbers and not self.over:
            document = LeadDocument(values={LeadFieldKey.NAME: "Made", LeadFieldKey.PHONE: phone(numbers.pop())})
            request = CreateLead(lead=document)
            if await self.tried(create_lead(self.importing.runtime, self.importing.actor, request)):
                self.made += 1

    async def change_statuses(self) -> None:
        choose, (runtime, organization, actor) = random.Random(1), self.who
        while not self.over:
            leads = await self.importing.leads("id, stage")
            for lead_id, stage in choose.sample(leads, min(len(leads), 20)):
                status = "contacted" if stage == "LOST" else choose.choice(["lost", "qualified"])
                document = LeadDocument(values={LeadFieldKey.STATUS: status})
                request = UpdateLead(id=format_id(IdKind.LEAD, lead_id), set=document)
                if await self.tried(update_lead(runtime, organization, actor, request)):
                    self.changed += 1
            await asyncio.sleep(0)

    @property
    def who(self) -> tuple[Runtime, OrganizationRecord, Actor]:
        return self.importing.runtime, self.importing.organization, self.importing.actor

    async def tried(self, change: Awaitable[object]) -> bool:
        try:
            await change
        except Rejected as refused:
            self.refusals |= {problem.code for problem in refused.problems}
            return False
        return True


async def test_f11_twenty_requests_with_one_idempotency_key_make_one_import(
    importing: Importing, database_url: str, runtime: Runtime
):
    data = many(100, 11)
    uploads = [await importing.send(data) for _ in range(2)]
    requests = [ImportRequest(upload_id=upload, idempotency_key="once") for upload in uploads] * 10
    async with working(runtime, database_url):
        asked = [import_leads(runtime, importing.actor, request) for request in requests]
        jobs = await asyncio.gather(*asked)
        ended = await importing.ended(jobs[0])
    assert {job.id for job in jobs} == {ended.id}
    assert await importing.rows("select count(*) as n from app.jobs") == [{"n": 1}]
    assert len(await importing.leads()) == result_of(ended).counts.created > 0
    assert await importing.rows("select count(*) as n from app.activity where action = 'IMPORT_STARTED'") == [{"n": 1}]
    other = ImportRequest(upload_id=uploads[0], idempotency_key="once", name="another")
    with pytest.raises(Rejected) as refused:
        await import_leads(runtime, importing.actor, other)
    assert [problem.code for problem in refused.value.problems] == ["IDEMPOTENCY_MISMATCH"]


def order(seed: str) -> list[int]:
    numbers = list(range(3_000))
    random.Random(seed).shuffle(numbers)
    return numbers


@pytest.fixture
async def busy(importing: Importing, runtime: Runtime, database_url: str) -> AsyncIterator[Importing]:
    async with working(runtime, database_url):
        yield importing


async def test_f10_a_cancelled_import_keeps_its_blocks_and_counts_the_rest(busy: Importing):
    job = await busy.start(many(60_000))
    while job.progress.processed == 0:
        await asyncio.sleep(0.02)
        job = await busy.load(job.id)
    await cancel(busy.runtime, busy.actor, job.id)
    ended = await busy.ended(job)
    counts = result_of(ended).counts
    assert ended.state is JobState.CANCELLED
    assert 0 < counts.created < 60_000
    assert len(await busy.leads()) == counts.created
    assert result_of(ended).total_rows == 60_000
    assert counts.unprocessed == 60_000 - counts.created - counts.skipped - counts.failed


async def test_s23_a_file_of_nothing_but_errors_is_told_exactly(busy: Importing):
    data = csv(*(("", "x", "nowhere") for _ in range(20_000)))
    job = await busy.run(data)
    assert counts_of(job) == {"failed": 20_000}
    groups = await busy.rows("select code, field, rows from app.import_issue_groups order by code, field")
    assert {(row["code"], row["field"]): row["rows"] for row in groups}[("REQUIRED", "name")] == 20_000
    errors = await busy.file(job, JobFileRole.ERRORS) or b""
    assert len(errors.splitlines()) == 20_001
