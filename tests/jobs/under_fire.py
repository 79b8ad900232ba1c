"""What imports are put under fire with: generated files, worker processes to be killed, and the invariants."""

import asyncio
import csv
import io
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from db.roles import app_dsn, system_dsn
from domain.imports import ImportOptions, ImportResult
from domain.jobs import JobRecord
from domain.stored import decode
from domain.vocabulary import JobFileRole, JobState, MergeStrategy
from tests.conftest import SECRET
from tests.jobs.importing import Importing, result_of

ROOT = Path(__file__).resolve().parents[2]
HEADER = ("name", "phone", "source", "email", "score", "tags", "notes", "company")
TABLE = """name, phone_key, email_key, source, score, tags, notes_count, version, search_text,
(select c.name from app.companies c where c.id = leads.company_id) as company,
(select string_agg(n.text, '|' order by n.text) from app.notes n where n.lead_id = leads.id) as notes"""
"""All that an import of `many` can leave in a lead."""


def phone(number: int) -> str:
    return f"+1212{2_000_000 + number}"


def many(count: int, seed: int = 0, first: int = 0) -> bytes:
    """Rows of which 3 % fail and 2 % repeat a phone; notes with line breaks, companies, repeated values."""
    choose = random.Random(seed)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow((*HEADER[:-1], "Company Name"))
    for number in range(first, first + count):
        chance = choose.random()
        writer.writerow(
            (
                "" if chance < 0.03 else f"Lead {number}, דנה",
                phone(choose.randrange(first, number + 1) if chance > 0.98 else number),
                "web",
                f"lead{number}@example.com" if choose.random() < 0.5 else "",
                choose.randrange(101) if choose.random() < 0.5 else "",
                "vip; new" if choose.random() < 0.1 else "",
                f"first {number}\nsecond" if choose.random() < 0.1 else "",
                f"Company {choose.randrange(500)}" if choose.random() < 0.1 else "",
            )
        )
    return out.getvalue().encode()


class ImportWorker:
    """A worker with the product's handlers in a process of its own."""

    def __init__(self, url: str, folder: Path, **environment: str) -> None:
        command = [sys.executable, "-W", "error", "-m", "tests.jobs.import_worker"]
        self.path = folder / f"worker-{time.monotonic_ns()}.log"
        arguments = [app_dsn(url, SECRET), system_dsn(url, SECRET), str(folder)]
        with self.path.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, *arguments], cwd=ROOT, env=os.environ | environment, stdout=log, stderr=subprocess.STDOUT
            )

    def check(self) -> None:
        assert self.process.poll() is None, self.path.read_text()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    async def stop(self, seconds: float) -> int:
        """Ask it to end; how it ended."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, seconds)


@dataclass
class Fire:
    """A place where workers are killed."""

    url: str
    folder: Path
    workers: list[ImportWorker] = field(default_factory=list[ImportWorker])

    def worker(self, **environment: str) -> ImportWorker:
        self.workers.append(ImportWorker(self.url, self.folder, **environment))
        return self.workers[-1]

    def out(self) -> None:
        """Kill who is left."""
        for worker in self.workers:
            worker.kill()
            sys.stdout.write(worker.path.read_text())


async def until(check: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not await check():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


async def import_under_fire(
    fire: Fire, importing: Importing, data: bytes, strategy: MergeStrategy, points: Sequence[float]
) -> JobRecord:
    """Import while the worker is killed each time this share of the bytes is through."""
    job = await importing.start(data, options=ImportOptions(merge_strategy=strategy), allow_same_file=True)
    left = sorted(points)
    worker = fire.worker()
    seen = 0
    while not job.terminal:
        await asyncio.sleep(0.03)
        worker.check()
        job = await importing.load(job.id)
        assert job.progress.processed >= seen
        seen = job.progress.processed
        if left and job.state is JobState.RUNNING and await share_done(importing, job, len(data)) >= left[0]:
            await asyncio.sleep(left.pop(0) % 0.1 * 3)  # anywhere within a block
            worker.kill()
            worker = fire.worker()
    worker.kill()
    assert left == [], "the import was done before it was killed as often as it should be"
    return job


async def share_done(importing: Importing, job: JobRecord, size: int) -> float:
    """How much of the file is committed; the counts committed with it hold at that very moment."""
    (row,) = await importing.rows(
        "select result, (select count(*) from app.leads where import_job_id = $2) as leads from app.jobs where id = $2",
        job.id,
    )
    result = decode(ImportResult, row["result"] or {})
    assert result.counts.created == row["leads"]
    return result.checkpoint.offset / size


async def check_invariants(importing: Importing, job: JobRecord, strategy: MergeStrategy) -> None:
    """I1 to I5 of a job that has ended."""
    counts, total = result_of(job).counts, result_of(job).total_rows
    told = counts.created + counts.updated + counts.unchanged + counts.skipped + counts.failed + counts.unprocessed
    assert told == total
    created = await importing.rows("select count(*) as n from app.leads where import_job_id = $2", job.id)
    assert created[0]["n"] == counts.created
    await check_outcomes(importing, job)
    errors = await importing.file(job, JobFileRole.ERRORS)
    assert counts.failed == (0 if errors is None else len(records(errors)) - 1)
    assert (job.progress.processed, job.progress.total) == (total, total)
    if strategy is not MergeStrategy.CREATE_NEW:
        twice = await importing.rows("select phone_key from app.leads group by 1 having count(*) > 1")
        assert twice == []


async def check_outcomes(importing: Importing, job: JobRecord) -> None:
    """I3: each row of the source has exactly one outcome."""
    counts, total = result_of(job).counts, result_of(job).total_rows
    rows = await importing.rows(
        "select count(distinct row) as rows, count(*) as outcomes, count(*) filter (where letter in "
        "('F', 'A', 'V', 'R', 'K')) as failed from app.import_outcomes o, "
        "unnest(o.rows, string_to_array(o.outcomes, null)) r(row, letter) where job_id = $2",
        job.id,
    )
    assert rows == [{"rows": total, "outcomes": total, "failed": counts.failed}]


def records(data: bytes, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter))


async def table(importing: Importing) -> Counter[tuple[object, ...]]:
    """The organization's leads as the import left them, whatever their ids."""
    return Counter(
        tuple(tuple(value) if isinstance(value, list) else value for value in lead)
        for lead in await importing.leads(TABLE)
    )
