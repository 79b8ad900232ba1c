"""F1: an export whose worker is killed while it writes is written anew by another, and nobody sees half a file."""

from pathlib import Path

import pytest

from db.job_files import files_of
from domain.jobs import JobRecord
from domain.records import OrganizationRecord
from domain.vocabulary import JobState
from jobs.runtime import Runtime
from tests.conftest import MakeOrganization
from tests.jobs.exporting import Exporting
from tests.jobs.test_store_faults import SPEC, check_whole, ended, filled
from tests.jobs.under_fire import Fire, until

ROWS = 150_000
KILLS = 2


@pytest.fixture
async def acme(new_organization: MakeOrganization) -> OrganizationRecord:
    return await new_organization("acme")


def _files(runtime: Runtime, job: JobRecord) -> list[Path]:
    folder = Path(runtime.settings.scratch) / "store"
    return [path for path in folder.rglob("*") if path.is_file() and str(job.id) in str(path)]


async def _kill_while_writing(fire: Fire, exporting: Exporting, job: JobRecord) -> None:
    """Kill a worker as soon as there are bytes of this run's file."""
    before = set(_files(exporting.runtime, job))
    victim = fire.worker()

    async def writing() -> bool:
        victim.check()
        return any(path.stat().st_size for path in set(_files(exporting.runtime, job)) - before)

    await until(writing)
    victim.kill()


async def test_f1_an_export_whose_worker_is_killed_while_it_writes_is_written_whole_by_another(
    runtime: Runtime, acme: OrganizationRecord, fire: Fire
):
    exporting = await filled(runtime, acme, ROWS)
    job = await exporting.submit(**SPEC)
    for _ in range(KILLS):
        await _kill_while_writing(fire, exporting, job)
        assert (await exporting.load(job.id)).state is JobState.RUNNING, "it was killed too late to test anything"
        partial = _files(runtime, job)
        assert partial
        assert not [path for path in partial if "#" not in path.name], "there is a file under a final name"
        async with runtime.database.unit(acme.id) as connection:
            assert (await files_of(connection, [job.id]))[job.id] == []
    fire.worker()
    await check_whole(exporting, await ended(exporting, job), ROWS)
    assert len([path for path in _files(runtime, job) if "#" not in path.name]) == 2
