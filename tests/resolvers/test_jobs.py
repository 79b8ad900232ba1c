"""Jobs through the API: found, listed, awaited, followed, cancelled, run again, their files deleted."""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager

import pytest
from graphql import ExecutionResult
from starlette.datastructures import UploadFile

from db.locks import Lock, take
from db.organizations import Organizations
from domain.national_ids import NationalIds
from domain.settings import MaskingRule, OrganizationSettings
from domain.vocabulary import LeadFieldKey, MaskingMode, Permission, Role
from jobs.upkeep import retain
from resolvers.ports import Caller, Services, request_context
from tests.resolvers.office import SCHEMA, Desk, Office, uuid

EXPORT = """mutation { exportLeads(input: {spec: {columns: [{field: NAME}]}, waitSeconds: 20}) {
  job { id revision state } } }"""
IMPORT = """mutation ($file: Upload!) { importLeads(input: {source: {file: $file}, mode: REVIEW, waitSeconds: 20,
  options: {required: [NAME]}}) { job { id state actions } userErrors { message } } }"""
JOB = """query ($id: ID!, $since: Int, $wait: Float! = 0) { job(id: $id, sinceRevision: $since, waitSeconds: $wait) {
  id kind state revision actions createdBy { __typename ... on SystemActor { name } }
  files { role available download { url } } failure { code retryable } } }"""
JOBS = """query ($filter: JobFilter, $first: Int, $after: String, $last: Int, $before: String) {
  jobs(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    nodes { id kind } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount { value exact } } }"""
CANCEL = """mutation ($id: ID!) { cancelJob(id: $id) { job { id state }
  userErrors { code path ... on StateError { state } } } }"""
RETRY = "mutation ($id: ID!) { retryJob(id: $id) { job { id } userErrors { code path } } }"
DELETE = "mutation ($id: ID!) { deleteJobFiles(id: $id) { job { id files { available } } userErrors { code path } } }"
COMMIT = "mutation ($id: ID!) { commitImport(input: {id: $id, planRevision: 1}) { job { id } userErrors { code } } }"
REVERT = "mutation ($id: ID!) { revertImport(input: {id: $id}) { job { id } userErrors { code } } }"
FOLLOW = "subscription ($id: ID!) { job(id: $id) { type revision job { state } } }"
ABSENT = "job_0190d3c2-0000-7000-8000-000000000000"


async def an_export(desk: Desk) -> Mapping[str, object]:
    job = (await desk.ask(EXPORT))["exportLeads"]["job"]
    assert job["state"] == "COMPLETED"
    return job


async def fail(desk: Desk, identifier: str, *, retryable: bool) -> None:
    failure = {"code": "INTERNAL", "message": "It broke.", "retryable": retryable, "correlationId": "c"}
    await desk.runtime.system.execute(
        "update store.jobs set state = 'FAILED', failure = $2 where id = $1", uuid(identifier), failure
    )


async def test_a_job_is_found_by_its_id_alone(desk: Desk) -> None:
    job = await an_export(desk)
    found = (await desk.ask(JOB, id=job["id"]))["job"]
    assert (found["id"], found["kind"], found["state"]) == (job["id"], "EXPORT", "COMPLETED")
    for absent in (ABSENT, "job_nonsense", job["id"].replace("job", "lead"), ""):
        assert (await desk.ask(JOB, id=absent))["job"] is None


async def test_the_creator_of_a_job_is_named_even_when_their_row_is_gone(desk: Desk) -> None:
    job = await an_export(desk)
    assert (await desk.ask(JOB, id=job["id"]))["job"]["createdBy"] == {"__typename": "SystemActor", "name": "Owner"}


async def test_a_long_poll_returns_at_once_what_is_newer(desk: Desk) -> None:
    job = await an_export(desk)
    started = time.monotonic()
    assert (await desk.ask(JOB, id=job["id"], since=0, wait=20))["job"]["revision"] == job["revision"]
    assert time.monotonic() - started < 15


async def test_a_long_poll_of_what_has_ended_does_not_wait_for_more(desk: Desk) -> None:
    job = await an_export(desk)
    started = time.monotonic()
    await desk.ask(JOB, id=job["id"], since=job["revision"], wait=20)
    assert time.monotonic() - started < 15


async def test_a_long_poll_wakes_when_somebody_cancels(desk: Desk) -> None:
    waiting = await an_import_in_review(desk)
    revision = (await desk.ask(JOB, id=waiting))["job"]["revision"]
    poll = asyncio.create_task(desk.ask(JOB, id=waiting, since=revision, wait=20))
    await asyncio.sleep(0.3)
    started = time.monotonic()
    await desk.ask(CANCEL, id=waiting)
    assert (await poll)["job"]["state"] == "CANCELLED"
    assert time.monotonic() - started < 15


async def an_import_in_review(desk: Desk) -> str:
    file = UploadFile(io.BytesIO(b"name\nAda Invented\n"), filename="leads.csv")
    payload = (await desk.ask(IMPORT, file=file))["importLeads"]
    assert payload["job"]["state"] == "AWAITING_REVIEW", payload
    return payload["job"]["id"]


async def a_completed_import(desk: Desk) -> str:
    imported = await an_import_in_review(desk)
    await desk.ask(COMMIT, id=imported)
    assert (await desk.ask(JOB, id=imported, wait=20))["job"]["state"] == "COMPLETED"
    return imported


async def test_jobs_are_listed_newest_first_in_pages(desk: Desk) -> None:
    made = [(await an_export(desk))["id"] for _ in range(3)][::-1]
    first = (await desk.ask(JOBS, first=2))["jobs"]
    assert [job["id"] for job in first["nodes"]] == made[:2]
    assert first["totalCount"] == {"value": 3, "exact": True}
    assert first["pageInfo"]["hasNextPage"]
    rest = (await desk.ask(JOBS, first=2, after=first["pageInfo"]["endCursor"]))["jobs"]
    assert [job["id"] for job in rest["nodes"]] == made[2:]
    assert not rest["pageInfo"]["hasNextPage"]
    back = (await desk.ask(JOBS, last=2, before=rest["pageInfo"]["startCursor"]))["jobs"]
    assert back["nodes"] == first["nodes"]


async def test_a_cursor_belongs_to_its_filter(desk: Desk) -> None:
    for _ in range(2):
        await an_export(desk)
    cursor = (await desk.ask(JOBS, first=1))["jobs"]["pageInfo"]["endCursor"]
    assert await desk.refusal(JOBS, filter={"kind": ["EXPORT"]}, after=cursor) == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "arguments",
    [{"first": 0}, {"first": -1}, {"first": 10**9}, {"first": 2, "last": 2}, {"after": "x"}, {"filter": {"kind": []}}],
    ids=str,
)
async def test_s06_bad_arguments_of_the_list_are_bad_user_input(desk: Desk, arguments: dict) -> None:
    assert await desk.refusal(JOBS, **arguments) == "BAD_USER_INPUT"


async def test_s06_a_local_instant_after_the_last_year_is_bad_user_input(office: Office) -> None:
    desk = await office.desk(zone="America/New_York")
    assert await desk.refusal(JOBS, filter={"createdAt": {"lt": "9999-12-31T23:00:00"}}) == "BAD_USER_INPUT"


async def test_a_program_that_may_not_read_leads_sees_the_jobs_that_it_may_start(desk: Desk) -> None:
    exported, imported = (await an_export(desk))["id"], await an_import_in_review(desk)
    program = desk.program(Permission.LEADS_IMPORT)
    assert [job["id"] for job in (await program.ask(JOBS))["jobs"]["nodes"]] == [imported]
    assert (await program.ask(JOBS, filter={"kind": ["EXPORT"]}))["jobs"]["totalCount"]["value"] == 0
    assert (await program.ask(JOB, id=exported))["job"] is None
    assert (await program.ask(JOB, id=imported))["job"]["kind"] == "IMPORT"


async def test_who_may_not_export_sees_an_export_without_a_link_or_an_action(desk: Desk) -> None:
    job = await an_export(desk)
    seen = (await desk.seat(Role.VIEWER).ask(JOB, id=job["id"]))["job"]
    assert seen["actions"] == []
    assert [file["download"] for file in seen["files"]] == [None, None]


async def test_a_download_is_offered_to_who_may_open_one_of_the_files_alone(office: Office) -> None:
    masking = (MaskingRule(LeadFieldKey.EMAIL, MaskingMode.PARTIAL),)
    desk = await office.desk(settings=OrganizationSettings(masking=masking))
    imported = await an_import_in_review(desk)
    assert "DOWNLOAD" in (await desk.ask(JOB, id=imported))["job"]["actions"]
    seen = (await desk.seat(Role.PRO).ask(JOB, id=imported))["job"]
    assert [file["download"] for file in seen["files"]] == [None]
    assert seen["actions"] == ["CANCEL", "MAP", "COMMIT"]


async def test_a_job_that_waits_is_cancelled_at_once_and_again_is_too_late(desk: Desk) -> None:
    waiting = await an_import_in_review(desk)
    assert (await desk.ask(CANCEL, id=waiting))["cancelJob"]["job"]["state"] == "CANCELLED"
    (error,) = (await desk.ask(CANCEL, id=waiting))["cancelJob"]["userErrors"]
    assert error == {"code": "WRONG_STATE", "path": ["id"], "state": "CANCELLED"}


@pytest.mark.parametrize(
    ("mutation", "field"), [(CANCEL, "cancelJob"), (RETRY, "retryJob"), (DELETE, "deleteJobFiles")]
)
async def test_what_is_not_there_is_not_found(desk: Desk, mutation: str, field: str) -> None:
    for absent in (ABSENT, "job_nonsense", "lead_0190d3c2-0000-7000-8000-000000000000"):
        payload = (await desk.ask(mutation, id=absent))[field]
        assert payload["job"] is None
        assert payload["userErrors"] == [{"code": "NOT_FOUND", "path": ["id"]}]


async def test_who_may_not_start_a_job_may_not_end_it(desk: Desk) -> None:
    waiting = await an_import_in_review(desk)
    for mutation in (CANCEL, RETRY, DELETE):
        assert await desk.seat(Role.AGENT).refusal(mutation, id=waiting) == "FORBIDDEN"


async def test_a_failed_job_runs_again_where_that_may_help(desk: Desk) -> None:
    job = await an_export(desk)
    assert (await desk.ask(RETRY, id=job["id"]))["retryJob"]["userErrors"] == [{"code": "WRONG_STATE", "path": ["id"]}]
    await fail(desk, job["id"], retryable=False)
    refused = (await desk.ask(RETRY, id=job["id"]))["retryJob"]
    assert refused["userErrors"] == [{"code": "NOT_RETRYABLE", "path": ["id"]}]
    await fail(desk, job["id"], retryable=True)
    assert "RETRY" in (await desk.ask(JOB, id=job["id"]))["job"]["actions"]
    assert (await desk.ask(RETRY, id=job["id"]))["retryJob"]["userErrors"] == []
    ended = (await desk.ask(JOB, id=job["id"], wait=20))["job"]
    assert (ended["state"], ended["failure"]) == ("COMPLETED", None)


async def test_a_failed_import_runs_again_only_while_its_file_is_kept(desk: Desk) -> None:
    imported = await an_import_in_review(desk)
    await fail(desk, imported, retryable=True)
    assert "RETRY" in (await desk.ask(JOB, id=imported))["job"]["actions"]
    await desk.ask(DELETE, id=imported)
    assert (await desk.ask(JOB, id=imported))["job"]["actions"] == []
    refused = (await desk.ask(RETRY, id=imported))["retryJob"]
    assert refused["userErrors"] == [{"code": "NOT_RETRYABLE", "path": ["id"]}]


async def test_a_failed_import_is_taken_back_or_runs_again_and_never_both(desk: Desk) -> None:
    imported = await a_completed_import(desk)
    await fail(desk, imported, retryable=True)
    async with held(desk):
        undo = (await desk.ask(REVERT, id=imported))["revertImport"]["job"]["id"]
        assert (await desk.ask(JOB, id=imported))["job"]["actions"] == ["DOWNLOAD", "DELETE_FILES"]
        refused = (await desk.ask(RETRY, id=imported))["retryJob"]
    assert refused["userErrors"] == [{"code": "NOT_RETRYABLE", "path": ["id"]}]
    assert (await desk.ask(JOB, id=undo, wait=20))["job"]["state"] == "COMPLETED"
    assert (await desk.ask(JOB, id=imported))["job"]["actions"] == ["DOWNLOAD", "DELETE_FILES"]
    refused = (await desk.ask(RETRY, id=imported))["retryJob"]
    assert refused["userErrors"] == [{"code": "NOT_RETRYABLE", "path": ["id"]}]


async def test_a_failed_undo_goes_on_only_while_nothing_else_has_become_of_its_import(desk: Desk) -> None:
    imported = await a_completed_import(desk)
    async with held(desk):
        first = (await desk.ask(REVERT, id=imported))["revertImport"]["job"]["id"]
        await desk.ask(CANCEL, id=first)
    assert (await desk.ask(JOB, id=first, wait=20))["job"]["state"] == "CANCELLED"
    await fail(desk, first, retryable=True)
    assert "RETRY" in (await desk.ask(JOB, id=first))["job"]["actions"]
    second = (await desk.ask(REVERT, id=imported))["revertImport"]["job"]["id"]
    assert (await desk.ask(JOB, id=second, wait=20))["job"]["state"] == "COMPLETED"
    assert "RETRY" not in (await desk.ask(JOB, id=first))["job"]["actions"]
    refused = (await desk.ask(RETRY, id=first))["retryJob"]
    assert refused["userErrors"] == [{"code": "NOT_RETRYABLE", "path": ["id"]}]


async def test_the_revision_grows_when_an_import_is_undone_and_when_its_file_is_past_its_date(desk: Desk) -> None:
    imported = await an_import_in_review(desk)
    await desk.ask(COMMIT, id=imported)
    revisions = [(await desk.ask(JOB, id=imported, wait=20))["job"]["revision"]]
    undo = (await desk.ask(REVERT, id=imported))["revertImport"]["job"]["id"]
    await desk.ask(JOB, id=undo, wait=20)
    revisions += [(await desk.ask(JOB, id=imported))["job"]["revision"]]
    past = "update store.job_files set expires_at = now() where job_id = $1"
    await desk.runtime.system.execute(past, uuid(imported))
    await retain(desk.runtime)
    revisions += [(await desk.ask(JOB, id=imported))["job"]["revision"]]
    assert revisions == sorted(set(revisions))


@asynccontextmanager
async def held(desk: Desk) -> AsyncIterator[None]:
    """Nobody changes a lead within the block."""
    async with desk.runtime.database.unit(desk.organization.id) as connection:
        await take(connection, Lock.LEADS, desk.organization.id)
        yield


async def test_deleted_files_leave_their_history(desk: Desk) -> None:
    job = await an_export(desk)
    payload = (await desk.ask(DELETE, id=job["id"]))["deleteJobFiles"]
    assert payload["userErrors"] == []
    assert [file["available"] for file in payload["job"]["files"]] == [False, False]
    seen = (await desk.ask(JOB, id=job["id"]))["job"]
    assert [file["download"] for file in seen["files"]] == [None, None]
    assert seen["actions"] == []
    keys = await desk.rows("select key from job_files where job_id = $2", uuid(job["id"]))
    assert [await desk.runtime.store.size(row["key"]) for row in keys] == [None, None]


async def test_a_subscriber_sees_a_snapshot_and_then_the_end(desk: Desk) -> None:
    waiting = await an_import_in_review(desk)
    async with aclosing(await subscribed(desk, FOLLOW, id=waiting)) as events:
        first = await anext(events)
        assert (first["type"], first["job"]["state"]) == ("SNAPSHOT", "AWAITING_REVIEW")
        await desk.ask(CANCEL, id=waiting)
        rest = [event async for event in events]
    assert [(event["type"], event["job"]["state"]) for event in rest] == [("STATE", "CANCELLED")]
    assert rest[0]["revision"] > first["revision"]


async def test_a_subscriber_of_all_jobs_sees_those_of_the_filter_as_they_change(desk: Desk) -> None:
    query = "subscription { jobs(filter: {kind: [EXPORT]}) { job { id kind state } } }"
    async with aclosing(await subscribed(desk, query)) as events:
        before = desk.runtime.feed.followers
        coming = asyncio.ensure_future(anext(events))
        await desk.until_followed(before + 1)
        await an_import_in_review(desk)
        exported = (await an_export(desk))["id"]
        event = await asyncio.wait_for(coming, 30)
    assert (event["job"]["id"], event["job"]["kind"]) == (exported, "EXPORT")


async def test_nobody_listens_once_the_subscriber_has_gone(desk: Desk) -> None:
    waiting = await an_import_in_review(desk)
    before = desk.runtime.feed.followers
    async with aclosing(await subscribed(desk, FOLLOW, id=waiting)) as events:
        await anext(events)
        coming = asyncio.ensure_future(anext(events))
        await desk.until_followed(before + 1)
        coming.cancel()
        await asyncio.wait([coming])
    assert desk.runtime.feed.followers == before


async def subscribed(desk: Desk, document: str, **variables: object) -> AsyncIterator[dict]:
    """What the subscription's only field gives."""
    organization = await Organizations(desk.runtime.system).find(desk.organization.id)
    assert organization is not None
    services = Services(desk.runtime, Organizations(desk.runtime.system), NationalIds(desk.runtime.keyring))
    context = request_context(services, Caller(desk.actor, organization), "192.0.2.1")
    results = await SCHEMA.subscribe(document, variables, context_value=context)

    async def events() -> AsyncIterator[dict]:
        async with aclosing(results):
            async for result in results:
                assert isinstance(result, ExecutionResult) or not result.errors, result
                (event,) = result.data.values()
                yield event

    return events()
