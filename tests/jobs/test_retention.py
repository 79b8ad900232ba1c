"""What is kept for a time is gone after it, and webhook endpoints hear of every end, also of those without a run."""

from datetime import UTC, datetime, timedelta

import pytest

from db.webhooks import insert_endpoint
from domain.bulk import BulkRequest, BulkSpec, LeadPatch, LeadTarget
from domain.errors import Rejected
from domain.ids import IdKind, format_id, new_id
from domain.jobs import JobRecord
from domain.partners import WebhookRecord
from domain.records import OrganizationRecord
from domain.vocabulary import JobFileRole, JobKind, JobState, UserErrorCode, WebhookEvent
from jobs.bulk_requests import BulkCaller, submit_bulk
from jobs.lifecycle import cancel, retry
from jobs.runtime import Runtime
from jobs.upkeep import retain
from tests.conftest import MakeOrganization
from tests.jobs.importing import working
from tests.jobs.stage import Stage
from tests.jobs.test_upkeep import NOW, cancel_token, with_file

WEEK = timedelta(days=7)


@pytest.fixture
async def owner(new_organization: MakeOrganization) -> OrganizationRecord:
    return await new_organization()


@pytest.fixture
async def stage(runtime: Runtime, owner: OrganizationRecord) -> Stage:
    return Stage(runtime, owner)


async def bulk(stage: Stage, owner: OrganizationRecord, at: datetime) -> JobRecord:
    """A bulk operation on three leads that there are not, submitted at a moment."""
    ids = tuple(format_id(IdKind.LEAD, new_id()) for _ in range(3))
    spec = BulkSpec(target=LeadTarget(ids=ids), patch=LeadPatch(score=1))
    return await submit_bulk(
        stage.runtime, BulkCaller(stage.actor, owner, at), JobKind.BULK_UPDATE, BulkRequest(spec=spec)
    )


async def results(stage: Stage, job: JobRecord) -> int:
    sql = "select count(*)::int as n from bulk_results where job_id = $2"
    (row,) = await stage.runtime.database.read(stage.actor.organization_id, sql, job.id)
    return row["n"]


async def test_what_became_of_each_lead_is_forgotten_after_its_time_and_the_counts_stay(
    stage: Stage, owner: OrganizationRecord, database_url: str
):
    kept = timedelta(days=owner.settings.import_retention_days)
    old, young = await bulk(stage, owner, NOW - kept - WEEK), await bulk(stage, owner, NOW - kept + WEEK)
    await retain(stage.runtime)
    assert await results(stage, old) == 3, "a job that has not ended keeps its leads"
    async with working(stage.runtime, database_url):
        ended = [await stage.ended(job.id) for job in (old, young)]
    await retain(stage.runtime)
    assert [await results(stage, job) for job in (old, young)] == [0, 3]
    after = await stage.load(old.id)
    assert (after.state, after.result) == (ended[0].state, ended[0].result)
    assert (after.expires_at, (await stage.load(young.id)).expires_at) == (None, ended[1].expires_at)


async def test_a_failed_bulk_operation_cannot_run_again_once_its_leads_are_forgotten(
    stage: Stage, owner: OrganizationRecord
):
    job = await bulk(stage, owner, NOW - timedelta(days=365))
    await cancel_token(stage)
    failure = {"code": "INTERNAL", "message": "x", "retryable": True, "correlationId": "0"}
    await stage.runtime.system.execute(
        "update store.jobs set state = 'FAILED', failure = $2, admitted_at = null where id = $1", job.id, failure
    )
    await retain(stage.runtime)
    with pytest.raises(Rejected) as refused:
        await retry(stage.runtime, stage.actor, job.id)
    assert refused.value.problems[0].code is UserErrorCode.NOT_RETRYABLE


async def hook(stage: Stage, *events: WebhookEvent) -> None:
    endpoint = WebhookRecord(id=new_id(), url="https://hooks.example.com", events=events, enabled=True)
    async with stage.runtime.database.unit(stage.actor.organization_id) as connection:
        await insert_endpoint(connection, endpoint, "sealed")


async def told(stage: Stage, job: JobRecord) -> list[tuple[object, object]]:
    rows = await stage.rows("select event, payload from store.deliveries where job_id = $1 order by id", job.id)
    assert all(row["payload"]["data"]["jobId"] == format_id(IdKind.JOB, job.id) for row in rows)
    return [(row["event"], row["payload"]["data"]["state"]) for row in rows]


async def test_a_webhook_hears_of_a_job_that_is_cancelled_before_it_ran(stage: Stage):
    await hook(stage, WebhookEvent.JOB_FINISHED)
    await hook(stage, WebhookEvent.JOB_FAILED)
    job = await stage.submit()
    await cancel(stage.runtime, stage.actor, job.id)
    assert await told(stage, job) == [("JOB_FINISHED", "CANCELLED")]


async def test_a_webhook_hears_of_a_job_that_expires(stage: Stage):
    await hook(stage, WebhookEvent.JOB_FINISHED)
    job, _ = await with_file(stage, JobFileRole.ORIGINAL, datetime.now(UTC) - timedelta(days=1))
    await cancel_token(stage)
    await stage.runtime.system.execute(
        "update store.jobs set state = 'AWAITING_REVIEW', admitted_at = null where id = $1", job.id
    )
    await retain(stage.runtime)
    assert (await stage.load(job.id)).state is JobState.EXPIRED
    assert await told(stage, job) == [("JOB_FINISHED", "EXPIRED")]
    await retain(stage.runtime)
    assert len(await told(stage, job)) == 1
