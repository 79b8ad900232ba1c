"""Lists of jobs and what a caller may do with one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from db.job_lists import JobList, list_jobs
from domain.errors import BadInput
from domain.ids import IdKind, format_id, new_id
from domain.job_details import JobFilter
from domain.job_filter import instant_bounds, matches
from domain.job_rules import actions_of
from domain.jobs import JobFailure
from domain.paging import PageRequest
from domain.vocabulary import ExportFormat, JobAction, JobFailureCode, JobKind, JobState, JobTrigger, Role
from jobs.lifecycle import cancel, submit
from tests.conftest import MakeOrganization, actor_of
from tests.jobs.stage import Stage

ZONE = ZoneInfo("UTC")


def listing(stage: Stage, **filter_values: object) -> JobList:
    wanted = JobFilter(**filter_values)  # type: ignore[arg-type] - a filter's own names
    return JobList(organization_id=stage.actor.organization_id, now=datetime.now(UTC), zone=ZONE, filter=wanted)


async def listed(stage: Stage, **filter_values: object) -> list[str]:
    page = await list_jobs(stage.runtime.database, listing(stage, **filter_values), PageRequest(50))
    return [job.name for job in page.items]


async def three(stage: Stage) -> None:
    for name, kind in (("a", JobKind.EXPORT), ("b", JobKind.IMPORT), ("c", JobKind.EXPORT)):
        new = replace(
            stage.job(format="CSV" if name == "a" else "XLSX", fileName=f"{name}-Leads.csv"), kind=kind, name=name
        )
        await submit(stage.runtime, stage.actor, new)


async def test_jobs_are_listed_newest_first_and_of_one_organization(stage: Stage, new_organization: MakeOrganization):
    await three(stage)
    other = Stage(stage.runtime, await new_organization())
    await other.submit()
    assert await listed(stage) == ["c", "b", "a"]


async def test_pages_go_both_ways_without_gaps_or_repeats(stage: Stage):
    jobs = [await stage.submit() for _ in range(7)]
    database, whole = stage.runtime.database, listing(stage)
    first = await list_jobs(database, whole, PageRequest(3))
    second = await list_jobs(database, whole, PageRequest(3, first.cursors[-1]))
    third = await list_jobs(database, whole, PageRequest(3, second.cursors[-1]))
    seen = [job.id for page in (first, second, third) for job in page.items]
    assert seen == [job.id for job in reversed(jobs)]
    assert [page.has_next for page in (first, second, third)] == [True, True, False]
    back = await list_jobs(database, whole, PageRequest(3, third.cursors[0], backward=True))
    assert [job.id for job in back.items] == [job.id for job in second.items]
    assert back.has_previous
    assert first.count is not None
    assert (await first.count()).value == 7


@pytest.mark.parametrize("cursor", ["x", "bm9uc2Vuc2U", "WzEsMl0"])
async def test_6_a_garbage_cursor_is_refused(stage: Stage, cursor: str):
    with pytest.raises(BadInput):
        await list_jobs(stage.runtime.database, listing(stage), PageRequest(3, cursor))


async def test_6_a_cursor_of_another_filter_is_refused(stage: Stage):
    await stage.submit()
    page = await list_jobs(stage.runtime.database, listing(stage), PageRequest(1))
    with pytest.raises(BadInput):
        other = listing(stage, kind=(JobKind.EXPORT,))
        await list_jobs(stage.runtime.database, other, PageRequest(1, page.cursors[0]))


async def test_every_part_of_the_filter_finds_what_it_names_and_nothing_else(stage: Stage):
    await three(stage)
    mine = format_id(IdKind.USER, stage.actor.id or new_id())
    cases: list[tuple[dict[str, object], list[str]]] = [
        ({"kind": (JobKind.IMPORT,)}, ["b"]),
        ({"state": (JobState.RUNNING,)}, []),
        ({"format": (ExportFormat.CSV,)}, ["a"]),
        ({"format": (ExportFormat.XLSX,)}, ["c"]),
        ({"created_by_id": mine}, ["c", "b", "a"]),
        ({"created_by_id": format_id(IdKind.USER, new_id())}, []),
        ({"created_by_id": "nobody"}, []),
        ({"schedule_id": format_id(IdKind.SCHEDULE, new_id())}, []),
        ({"schedule_id": "nothing"}, []),
        ({"trigger": (JobTrigger.USER,)}, ["c", "b", "a"]),
        ({"trigger": (JobTrigger.API,)}, []),
        ({"search": "B-LEADS"}, ["b"]),
        ({"search": "%"}, []),
        ({"created_at": {"gte": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}}, ["c", "b", "a"]),
        ({"created_at": {"lt": "2020-01-01T00:00:00Z"}}, []),
        ({"created_at": {"within": {"last": 1, "unit": "DAY"}}}, ["c", "b", "a"]),
    ]
    everything = (await list_jobs(stage.runtime.database, listing(stage), PageRequest(50))).items
    for given, names in cases:
        assert await listed(stage, **given) == names, given
        wanted = listing(stage, **given)
        bounds = instant_bounds(wanted.filter, wanted.now, ZONE)
        assert [job.name for job in everything if matches(job, wanted.filter, bounds)] == names, given


async def test_the_actions_follow_the_state_and_the_permission(stage: Stage, new_organization: MakeOrganization):
    job, now = await stage.submit(), datetime.now(UTC)
    assert actions_of(job, [], stage.actor, now) == (JobAction.CANCEL,)
    ended = await cancel(stage.runtime, stage.actor, job.id)
    assert actions_of(ended, [], stage.actor, now) == ()
    failure = JobFailure(JobFailureCode.INTERNAL, "", retryable=True, correlation_id="")
    failed = replace(job, state=JobState.FAILED, failure=failure)
    assert actions_of(failed, [], stage.actor, now) == (JobAction.RETRY,)
    viewer = actor_of(Role.VIEWER, await new_organization())
    assert actions_of(job, [], viewer, now) == ()
