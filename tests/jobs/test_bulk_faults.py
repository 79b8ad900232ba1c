"""Bulk operations whose workers are killed, that are cancelled, and that race imports for the same phones."""

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.bulk import BulkRequest, BulkResult, BulkSpec, LeadPatch, LeadTarget
from domain.documents import LeadDocument
from domain.errors import Rejected
from domain.imports import ImportOptions
from domain.jobs import JobRecord
from domain.requests import CreateLead
from domain.stored import decode
from domain.vocabulary import JobKind, JobState, LeadFieldKey, MergeStrategy, Role
from jobs.bulk_requests import BulkCaller, submit_bulk
from jobs.lead_writes import create_lead
from jobs.lifecycle import cancel
from jobs.runtime import Runtime
from tests.conftest import MakeOrganization, actor_of
from tests.jobs.importing import Importing, csv, working
from tests.jobs.under_fire import ImportWorker, phone

LEADS = 30_000


@dataclass
class Changing:
    """An organization whose leads are changed in bulk."""

    importing: Importing
    caller: BulkCaller

    @property
    def runtime(self) -> Runtime:
        return self.importing.runtime

    async def fill(self, count: int, *, status: str = "new") -> None:
        async with self.runtime.database.unit(self.caller.organization.id) as connection:
            await connection.execute(
                "insert into app.leads (id, name, phone, phone_key, status_id, stage) "
                "select gen_random_uuid(), 'Lead ' || n, '+1212' || 2000000 + n, '+1212' || 2000000 + n, s.id, s.stage "
                "from generate_series(0, $1 - 1) n, app.statuses s where s.key = $2",
                count,
                status,
            )

    async def start(self, kind: JobKind, count: int, patch: LeadPatch = LeadPatch()) -> JobRecord:  # noqa: B008 - frozen
        spec = BulkSpec(target=LeadTarget(filter={}, expected_count=count), patch=patch)
        return await submit_bulk(self.runtime, self.caller, kind, BulkRequest(spec=spec))

    async def rows(self, sql: str) -> list[dict[str, object]]:
        return await self.importing.rows(sql)


@pytest.fixture
async def changing(runtime: Runtime, new_organization: MakeOrganization) -> Changing:
    organization = await new_organization()
    importing = Importing.of(runtime, organization)
    return Changing(importing, BulkCaller(actor_of(Role.OWNER, organization), organization, datetime.now(UTC)))


def result(job: JobRecord) -> BulkResult:
    return decode(BulkResult, job.result)


@pytest.mark.parametrize("seed", [1, 2])
async def test_f1_a_killed_worker_changes_each_lead_once(
    changing: Changing, database_url: str, tmp_path: Path, seed: int
):
    await changing.fill(LEADS)
    patch = LeadPatch(status="contacted", add_tags=("q4",), add_note="Called")
    job = await changing.start(JobKind.BULK_UPDATE, LEADS, patch)
    choose, kills, seen = random.Random(seed), 2, 0
    worker = ImportWorker(database_url, tmp_path)
    while not job.terminal:
        await asyncio.sleep(choose.uniform(0.05, 0.3))
        job = await changing.importing.load(job.id)
        assert job.progress.processed >= seen
        seen = job.progress.processed
        if kills and job.state is JobState.RUNNING:
            kills -= 1
            worker.kill()
            worker = ImportWorker(database_url, tmp_path)
    worker.kill()
    assert job.state is JobState.COMPLETED
    assert (result(job).changed, result(job).processed) == (LEADS, LEADS)
    assert await changing.rows(
        "select stage, tags, version, notes_count, count(*) as n from app.leads group by 1,2,3,4"
    ) == [{"stage": "CONTACTED", "tags": ["q4"], "version": 2, "notes_count": 1, "n": LEADS}]
    assert await changing.rows("select outcome, count(*) as n from app.bulk_results group by 1") == [
        {"outcome": "CHANGED", "n": LEADS}
    ]
    assert await changing.rows("select count(*) as n, count(distinct lead_id) as of from app.notes") == [
        {"n": LEADS, "of": LEADS}
    ]


async def test_f10_a_cancelled_deletion_keeps_its_blocks_and_says_so(changing: Changing, database_url: str):
    await changing.fill(LEADS)
    async with working(changing.runtime, database_url):
        job = await changing.start(JobKind.BULK_DELETE, LEADS)
        while job.progress.processed == 0:
            await asyncio.sleep(0.01)
            job = await changing.importing.load(job.id)
        await cancel(changing.runtime, changing.caller.actor, job.id)
        ended = await changing.importing.ended(job)
    assert ended.state is JobState.CANCELLED
    deleted = result(ended).changed
    assert 0 < deleted < LEADS
    assert await changing.rows("select count(*) as n from app.leads") == [{"n": LEADS - deleted}]
    assert await changing.rows("select count(*) as n from app.lead_deletions") == [{"n": deleted}]


async def test_f11_imports_pushes_and_reopened_leads_of_the_same_phones_make_no_duplicate(
    changing: Changing, database_url: str
):
    count = 3_000
    await changing.fill(count, status="lost")
    data = csv(*((f"Again {n}", phone(n), "web") for n in range(count)), header="name,phone,source")
    document = {LeadFieldKey.NAME: "Pushed"}
    pushes = [
        CreateLead(lead=LeadDocument(values={**document, LeadFieldKey.PHONE: phone(number)}))
        for number in random.Random(1).sample(range(count), 100)
    ]
    async with working(changing.runtime, database_url):
        jobs = [
            await changing.start(JobKind.BULK_UPDATE, count, LeadPatch(status="contacted")),
            await changing.importing.start(data, options=ImportOptions(merge_strategy=MergeStrategy.SKIP)),
        ]
        refused = [code for push in pushes for code in await codes(changing, push)]
        assert set(refused) <= {"DUPLICATE"}
        ended = [await changing.importing.ended(job) for job in jobs]
    assert {job.state for job in ended} <= {JobState.COMPLETED, JobState.COMPLETED_WITH_ERRORS}
    twice = await changing.rows(
        "select phone_key from app.leads where stage not in ('WON', 'LOST') group by 1 having count(*) > 1"
    )
    assert twice == []
    changed = result(ended[0])
    assert changed.changed + changed.failed + changed.unchanged == changed.matched


async def codes(changing: Changing, push: CreateLead) -> list[str]:
    try:
        await create_lead(changing.runtime, changing.caller.actor, push)
    except Rejected as refused:
        return [problem.code for problem in refused.problems]
    return []
