"""Imports that are killed, raced, cancelled or given hostile files."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from db.roles import app_dsn, system_dsn
from domain.imports import ImportOptions
from domain.jobs import JobRecord
from domain.vocabulary import JobFileRole, JobState, MergeStrategy
from jobs.lifecycle import cancel
from jobs.runtime import Runtime
from tests.conftest import SECRET, MakeOrganization
from tests.jobs.importing import Importing, counts_of, csv, result_of, working

ROOT = Path(__file__).resolve().parents[2]


def phone(number: int) -> str:
    return f"+1212{2_000_000 + number}"


def many(count: int, seed: int = 0, header: str = "name,phone,source") -> bytes:
    """Rows of which 3 % fail and 2 % repeat a phone."""
    choose = random.Random(seed)
    rows: list[tuple[object, ...]] = []
    for number in range(count):
        chance = choose.random()
        name = "" if chance < 0.03 else f"Lead {number}"
        rows.append((name, phone(choose.randrange(number + 1) if chance > 0.98 else number), "web"))
    return csv(*rows, header=header)


class ImportWorker:
    """A worker with the product's handlers in a process of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        command = [sys.executable, "-W", "error", "-m", "tests.jobs.import_worker"]
        self.log = (folder / f"worker-{time.monotonic_ns()}.log").open("wb")
        arguments = [app_dsn(url, SECRET), system_dsn(url, SECRET), str(folder)]
        self.process = subprocess.Popen(
            [*command, *arguments], cwd=ROOT, env=os.environ.copy(), stdout=self.log, stderr=subprocess.STDOUT
        )

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()


@pytest.fixture
async def importing(runtime: Runtime, new_organization: MakeOrganization) -> Importing:
    return Importing.of(runtime, await new_organization())


async def check_invariants(importing: Importing, job: JobRecord, strategy: MergeStrategy) -> None:
    counts, total = result_of(job).counts, result_of(job).total_rows
    told = counts.created + counts.updated + counts.unchanged + counts.skipped + counts.failed + counts.unprocessed
    assert told == total
    created = await importing.rows("select count(*) as n from app.leads where import_job_id = $2", job.id)
    assert created[0]["n"] == counts.created
    rows = await importing.rows(
        "select row, count(*) as n from app.import_outcomes o, unnest(o.rows) row where job_id = $2 group by 1", job.id
    )
    assert len(rows) == total
    assert {row["n"] for row in rows} <= {1}
    errors = await importing.file(job, JobFileRole.ERRORS)
    assert counts.failed == (0 if errors is None else len(errors.decode("utf-8-sig").splitlines()) - 1)
    if strategy is not MergeStrategy.CREATE_NEW:
        twice = await importing.rows("select phone_key from app.leads group by 1 having count(*) > 1")
        assert twice == []


@dataclass
class Fire:
    """A place where workers are killed."""

    importing: Importing
    url: str
    folder: Path

    def worker(self) -> ImportWorker:
        return ImportWorker(self.url, self.folder)


@pytest.fixture
def fire(importing: Importing, database_url: str, tmp_path: Path) -> Fire:
    return Fire(importing, database_url, tmp_path)


async def import_under_fire(fire: Fire, data: bytes, strategy: MergeStrategy, choose: random.Random) -> JobRecord:
    """Import while the worker is killed at random points until it gets through."""
    importing = fire.importing
    job = await importing.start(data, options=ImportOptions(merge_strategy=strategy), allow_same_file=True)
    kills = choose.randint(1, 3)
    worker = fire.worker()
    seen = job.progress.processed
    while not job.terminal:
        await asyncio.sleep(choose.uniform(0.05, 0.4))
        job = await importing.load(job.id)
        assert job.progress.processed >= seen
        seen = job.progress.processed
        if kills and job.state is JobState.RUNNING and choose.random() < 0.5:
            kills -= 1
            worker.kill()
            worker = fire.worker()
    worker.kill()
    return job


@pytest.mark.parametrize("seed", [1, 2])
async def test_f1_a_killed_worker_loses_and_doubles_nothing(fire: Fire, seed: int):
    choose = random.Random(seed)
    strategy = choose.choice([MergeStrategy.SKIP, MergeStrategy.OVERWRITE])
    job = await import_under_fire(fire, many(40_000, seed), strategy, choose)
    assert job.state is JobState.COMPLETED_WITH_ERRORS
    await check_invariants(fire.importing, job, strategy)


@pytest.mark.chaos
@pytest.mark.parametrize("strategy", list(MergeStrategy))
@pytest.mark.parametrize("seed", range(5))
async def test_f1_kills_leave_the_table_of_an_undisturbed_run(
    fire: Fire, new_organization: MakeOrganization, strategy: MergeStrategy, seed: int
):
    importing = fire.importing
    data = many(300_000, seed)
    job = await import_under_fire(fire, data, strategy, random.Random(seed))
    await check_invariants(importing, job, strategy)
    calm = Importing.of(importing.runtime, await new_organization())
    async with working(importing.runtime, fire.url):
        undisturbed = await calm.ended(await calm.start(data, options=ImportOptions(merge_strategy=strategy)), 600)
    assert counts_of(job) == counts_of(undisturbed)
    columns = "name, phone_key, source, version, search_text, notes_count"
    assert Counter(await importing.leads(columns)) == Counter(await calm.leads(columns))


async def test_f11_imports_of_the_same_phones_at_once_make_no_duplicate(
    importing: Importing, database_url: str, runtime: Runtime
):
    blocks = [
        csv(*((f"{name} {n}", phone(n), "web") for n in order(name)), header="name,phone,source") for name in "ABCDEFGH"
    ]
    strategies = [MergeStrategy.SKIP, MergeStrategy.OVERWRITE] * 4
    async with working(runtime, database_url):
        jobs = [
            await importing.start(data, options=ImportOptions(merge_strategy=strategy))
            for data, strategy in zip(blocks, strategies, strict=True)
        ]
        ended = [await importing.ended(job) for job in jobs]
    assert [job.state for job in ended] == [JobState.COMPLETED] * 8
    assert sum(result_of(job).counts.created for job in ended) == 3_000
    assert len(await importing.leads()) == 3_000
    for job in ended:
        await check_invariants(importing, job, MergeStrategy.SKIP)


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
