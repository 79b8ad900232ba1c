"""F7: imports when a disk is full or the file store does not answer."""

import gzip
import shutil
from pathlib import Path

import pytest

from domain.jobs import JobRecord
from domain.vocabulary import JobFailureCode, JobFileRole, JobKind, JobState, MergeStrategy
from jobs.lifecycle import retry
from jobs.queue import Token
from jobs.running import JobEnd, RunningJob
from jobs.runtime import Runtime
from jobs.worker import Worker
from tests.conftest import MakeOrganization
from tests.jobs.exporting import OPTIONS
from tests.jobs.importing import Importing, counts_of, csv
from tests.jobs.under_fire import Fire, check_invariants, many, records, until

DATA = many(6_000, 7)


@pytest.fixture
async def importing(runtime: Runtime, new_organization: MakeOrganization) -> Importing:
    return Importing.of(runtime, await new_organization())


async def put_off(importing: Importing) -> None:
    """Wait until the job has been tried and is to be tried again."""

    async def tried() -> bool:
        return bool(await importing.rows("select id from app.jobs where state = 'QUEUED' and attempts > 0"))

    await until(tried)


async def broken(_runtime: Runtime, _job: RunningJob) -> JobEnd:
    raise ZeroDivisionError


async def test_who_is_to_be_told_hears_of_a_failure_that_nobody_foresaw(importing: Importing):
    job = await importing.start(DATA, notify=("a@example.com",))
    [row] = await importing.rows("select engine_id from app.jobs")
    worker = Worker(importing.runtime, OPTIONS, {JobKind.IMPORT: broken})
    await worker.deliver(Token(importing.organization.id, job.id, int(str(row["engine_id"]))))
    assert (await importing.load(job.id)).state is JobState.FAILED
    [mail] = await importing.rows("select target, payload ->> 'subject' as subject from app.deliveries")
    assert mail == {"target": "a@example.com", "subject": "Import leads.csv has failed"}


async def check(importing: Importing, job: JobRecord) -> None:
    phones = [row[1] for row in records(DATA)[1:] if row[0]]
    created = len(set(phones))
    assert job.state is JobState.COMPLETED_WITH_ERRORS
    assert counts_of(job) == {"created": created, "skipped": len(phones) - created, "failed": 6_000 - len(phones)}
    await check_invariants(importing, job, MergeStrategy.SKIP)


@pytest.mark.parametrize(
    ("data", "room"),
    [pytest.param(DATA, len(DATA) // 2, marks=pytest.mark.chaos), (gzip.compress(DATA), len(DATA) // 2)],
    ids=["the file", "what is unpacked"],
)
async def test_f7_an_import_waits_for_room_on_a_full_disk(fire: Fire, importing: Importing, data: bytes, room: int):
    job = await importing.start(data)
    full = fire.worker(TEST_FILE_BYTES=str(room))
    await put_off(importing)
    full.kill()
    fire.worker()
    await check(importing, await importing.ended(job))


@pytest.mark.chaos
async def test_f7_an_import_waits_for_room_for_its_error_file(fire: Fire, importing: Importing):
    data = csv(*(("", "x", "nowhere") for _ in range(5_000)))
    job = await importing.start(data)
    full = fire.worker(TEST_FILE_BYTES=str(2 * len(data)))
    await put_off(importing)
    full.kill()
    fire.worker()
    ended = await importing.ended(job)
    assert counts_of(ended) == {"failed": 5_000}
    await check_invariants(importing, ended, MergeStrategy.SKIP)


@pytest.mark.chaos
async def test_f7_an_import_waits_for_a_file_store_that_does_not_answer(
    fire: Fire, importing: Importing, tmp_path: Path
):
    job = await importing.start(DATA)
    away(tmp_path)
    fire.worker()
    await put_off(importing)
    back(tmp_path)
    await check(importing, await importing.ended(job))


async def test_f7_an_import_whose_store_stays_away_fails_with_its_reason_and_can_be_run_again(
    fire: Fire, importing: Importing, tmp_path: Path
):
    job = await importing.start(DATA)
    await importing.runtime.system.execute("update store.jobs set attempts = 4 where id = $1", job.id)
    away(tmp_path)
    fire.worker()
    failed = await importing.ended(job)
    assert failed.state is JobState.FAILED
    assert failed.failure is not None
    assert failed.failure.code is JobFailureCode.STORAGE_UNAVAILABLE
    assert await importing.leads() == []
    back(tmp_path)
    await retry(importing.runtime, importing.actor, job.id)
    await check(importing, await importing.ended(await importing.load(job.id)))
    assert len(await importing.rows("select id from app.job_files where role = $2", JobFileRole.ERRORS)) == 1


def away(folder: Path) -> None:
    """Files stand where the store's folders were."""
    store = folder / "store"
    store.rename(folder / "away")
    store.mkdir()
    for name in ("uploads", "jobs"):
        (store / name).touch()


def back(folder: Path) -> None:
    shutil.rmtree(folder / "store")
    (folder / "away").rename(folder / "store")
