"""Exports of the activity log when something in between does not answer."""

from typing import Never

import pytest

from db.jobs import load_job
from domain.activity import ActivityExportRequest
from domain.vocabulary import JobKind, JobState
from jobs import activity_exports
from jobs.queue import Token
from jobs.runtime import Runtime
from jobs.worker import Worker
from tests.conftest import MakeOrganization
from tests.jobs.exporting import OPTIONS, Exporting


async def test_a_database_that_does_not_answer_in_time_is_asked_again(
    runtime: Runtime, new_organization: MakeOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: object) -> Never:
        raise TimeoutError

    exporting = Exporting(runtime, await new_organization())
    job = await activity_exports.submit_activity_export(runtime, exporting.actor, ActivityExportRequest())
    async with runtime.database.unit(exporting.organization.id) as connection:
        stored = await load_job(connection, job.id)
    assert stored is not None
    monkeypatch.setattr(activity_exports, "open_snapshot", silent)
    worker = Worker(runtime, OPTIONS, {JobKind.ACTIVITY_EXPORT: activity_exports.run_activity_export})
    await worker.deliver(Token(exporting.organization.id, job.id, stored.engine_id or 0))
    assert (await exporting.load(job.id)).state is JobState.QUEUED
