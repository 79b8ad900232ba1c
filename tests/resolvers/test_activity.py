"""The activity log through the API."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest
from pyarrow import parquet

from db.activity import Act, doer_of, record
from domain.ids import IdKind, format_id, new_id
from domain.vocabulary import ActivityAction, ExportFormat, Permission, Role
from tests.resolvers.office import Desk, Office

ACTIVITY = """query($filter: ActivityFilter, $first: Int, $after: String, $last: Int, $before: String) {
  activity(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    nodes { id at action summary leadCount ipAddress details actor { __typename ... on User { id } }
            job { id } lead { id } }
    edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
COUNT = "query($filter: ActivityFilter) { activity(filter: $filter, first: 1) { totalCount { value exact } } }"
EXPORT = """mutation($input: ExportActivityInput!) { exportActivity(input: $input) {
  job { id kind state name rowCount format spec filterDescription columns { key header } snapshotAt deltaToken
        file { name rows contentType } files { role name } failure { message } }
  download { url } userErrors { code message path } } }"""


async def note(desk: Desk, *acts: Act) -> None:
    """Acts of the desk's owner, each in a transaction of its own, so that no two share an instant."""
    for act in acts:
        async with desk.runtime.database.unit(desk.organization.id) as connection:
            await record(connection, doer_of(desk.actor), act)


def act(summary: str, action: ActivityAction = ActivityAction.LEAD_UPDATED, **more: object) -> Act:
    return Act(action=action, summary=summary, **more)  # type: ignore[arg-type] - an act's own names


async def read(desk: Desk, **variables: object) -> list[str]:
    nodes = (await desk.ask(ACTIVITY, **variables))["activity"]["nodes"]
    return [node["summary"] for node in nodes]


async def test_an_entry_tells_who_did_what_from_where_and_to_how_much(desk: Desk):
    (lead,) = await desk.leads({"name": "A"})
    await note(desk, act("one", lead_count=3, details={"file": "a.csv"}))
    (node,) = (await desk.ask(ACTIVITY))["activity"]["nodes"]
    assert node["id"].startswith("activity_")
    assert (node["action"], node["summary"], node["leadCount"]) == ("LEAD_UPDATED", "one", 3)
    assert node["details"] == {"file": "a.csv"}
    assert node["actor"]["__typename"] == "SystemActor", "no such user is left: the name is all that is known"
    assert (node["job"], node["lead"]) == (None, None)
    assert lead not in str(node)


async def test_the_newest_come_first_and_pages_go_both_ways_without_gaps(desk: Desk):
    await note(desk, *(act(str(number)) for number in range(7)))
    whole = await read(desk)
    assert whole == ["6", "5", "4", "3", "2", "1", "0"]
    seen, after = [], {}
    while True:
        page = (await desk.ask(ACTIVITY, first=3, **after))["activity"]
        seen += [node["summary"] for node in page["nodes"]]
        assert page["pageInfo"]["hasPreviousPage"] is bool(after)
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = {"after": page["pageInfo"]["endCursor"]}
    assert seen == whole
    back = (await desk.ask(ACTIVITY, last=2, before=page["pageInfo"]["startCursor"]))["activity"]
    assert [node["summary"] for node in back["nodes"]] == ["2", "1"]
    assert (back["pageInfo"]["hasPreviousPage"], back["pageInfo"]["hasNextPage"]) == (True, True)
    end = (await desk.ask(ACTIVITY, last=2))["activity"]
    assert [node["summary"] for node in end["nodes"]] == ["1", "0"]
    assert (end["pageInfo"]["hasPreviousPage"], end["pageInfo"]["hasNextPage"]) == (True, False)


async def test_entries_of_one_instant_are_split_between_pages_without_loss(desk: Desk):
    async with desk.runtime.database.unit(desk.organization.id) as connection:
        for number in range(5):
            await record(connection, doer_of(desk.actor), act(str(number)))
    seen, after = [], {}
    for _ in range(5):
        page = (await desk.ask(ACTIVITY, first=1, **after))["activity"]
        seen += [node["summary"] for node in page["nodes"]]
        after = {"after": page["pageInfo"]["endCursor"]}
    assert sorted(seen) == ["0", "1", "2", "3", "4"]


async def test_every_part_of_the_filter_finds_what_it_names_and_nothing_else(desk: Desk):
    (lead,) = await desk.leads({"name": "A"})
    job, other = new_id(), new_id()
    lead_uuid = (await desk.rows("select id from app.leads"))[0]["id"]
    await note(
        desk,
        act("Import crm-one.csv: done", ActivityAction.IMPORT_FINISHED, job_id=job),
        act("Lead changed", lead_id=lead_uuid),
    )
    program = desk.program()
    async with desk.runtime.database.unit(desk.organization.id) as connection:
        await record(connection, doer_of(program.actor), act("By a 100% program"))
    me, key = format_id(IdKind.USER, desk.actor.id), format_id(IdKind.API_KEY, program.actor.id)
    hour = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    everything = ["By a 100% program", "Lead changed", "Import crm-one.csv: done"]
    cases: list[tuple[dict[str, object], list[str]]] = [
        ({}, everything),
        ({"action": ["IMPORT_FINISHED", "EXPORT_FINISHED"]}, everything[2:]),
        ({"action": ["ACCESS_DENIED"]}, []),
        ({"actorId": me}, everything[1:]),
        ({"actorId": key}, everything[:1]),
        ({"actorId": "nobody"}, []),
        ({"jobId": format_id(IdKind.JOB, job)}, everything[2:]),
        ({"jobId": format_id(IdKind.JOB, other)}, []),
        ({"jobId": "nothing"}, []),
        ({"leadId": lead}, everything[1:2]),
        ({"leadId": format_id(IdKind.LEAD, other)}, []),
        ({"at": {"gte": hour}}, everything),
        ({"at": {"lt": hour}}, []),
        ({"at": {"within": {"last": 7, "unit": "DAY"}}}, everything),
        ({"search": "CRM-ONE"}, everything[2:]),
        ({"search": "%"}, everything[:1]),
        ({"search": "crm", "action": ["LEAD_UPDATED"]}, []),
    ]
    for given, found in cases:
        assert await read(desk, filter=given) == found, given
        count = (await desk.ask(COUNT, filter=given))["activity"]["totalCount"]
        assert count == {"value": len(found), "exact": True}, given
    (node,) = (await desk.ask(ACTIVITY, filter={"leadId": lead}))["activity"]["nodes"]
    assert node["lead"] == {"id": lead}


@pytest.mark.parametrize(
    "variables",
    [
        {"after": "garbage"}, {"first": 0}, {"first": 1, "last": 1}, {"filter": {"action": []}},
        {"filter": {"at": {}}}, {"filter": {"search": None}}, {"filter": {"search": "a\0b"}}, {"filter": None},
    ],
)  # fmt: skip
async def test_6_a_wrong_argument_is_told_and_never_widens_the_list(desk: Desk, variables: dict[str, object]):
    assert await desk.refusal(ACTIVITY, **variables) == "BAD_USER_INPUT"


async def test_6_a_local_instant_after_the_last_year_is_told(office: Office):
    desk = await office.desk(zone="America/New_York")
    assert await desk.refusal(ACTIVITY, filter={"at": {"lt": "9999-12-31T23:00:00"}}) == "BAD_USER_INPUT"


async def test_6_a_cursor_of_another_filter_is_refused(desk: Desk):
    await note(desk, act("one"), act("two"))
    page = (await desk.ask(ACTIVITY, first=1))["activity"]
    other = {"filter": {"search": "o"}, "after": page["pageInfo"]["endCursor"]}
    assert await desk.refusal(ACTIVITY, **other) == "BAD_USER_INPUT"


async def test_s15_the_activity_of_another_organization_is_not_seen(desk: Desk):
    stranger = await desk.office.desk()
    (lead,) = await stranger.leads({"name": "theirs"})
    lead_uuid = (await stranger.rows("select id from app.leads"))[0]["id"]
    await note(stranger, act("theirs", lead_id=lead_uuid))
    (node,) = (await stranger.ask(ACTIVITY))["activity"]["nodes"]
    assert await read(desk) == []
    assert await read(desk, filter={"leadId": lead}) == []
    assert (await desk.ask("query($id: ID!) { node(id: $id) { id } }", id=node["id"]))["node"] is None
    found = await stranger.ask("query($id: ID!) { node(id: $id) { id ... on Activity { summary } } }", id=node["id"])
    assert found["node"] == {"id": node["id"], "summary": "theirs"}


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.VIEWER, False), (Role.AGENT, False), (Role.PRO, False), (Role.ADMIN, True), (Role.OWNER, True),
        (Role.SYSTEM_ADMIN, True),
    ],
)  # fmt: skip
async def test_s16_roles_may_read_and_export_it_as_the_table_says(desk: Desk, role: Role, may: bool):  # noqa: FBT001 - a parameter of the test
    seat = desk.seat(role)
    answers = [await seat.execute(ACTIVITY), await seat.execute(EXPORT, input={"waitSeconds": 20})]
    codes = {error["extensions"]["code"] for answer in answers for error in answer["errors"]}
    assert codes == (set() if may else {"FORBIDDEN"})
    assert [not answer["errors"] for answer in answers] == [may, may]


async def test_a_program_that_may_read_the_activity_alone_sees_no_job_or_lead_behind_it(desk: Desk):
    (lead,) = await desk.leads({"name": "Ida"})
    update = """mutation($id: ID!) { bulkUpdateLeads(input: {target: {ids: [$id]}, set: {score: 1}, waitSeconds: 20}) {
      job { id } } }"""
    await desk.ask(update, id=lead)
    lead_uuid = (await desk.rows("select id from app.leads"))[0]["id"]
    await note(desk, act("changed", lead_id=lead_uuid))
    program = desk.program(Permission.ACTIVITY_READ)
    nodes = (await program.ask(ACTIVITY))["activity"]["nodes"]
    assert len(nodes) == 3
    assert [(node["job"], node["lead"]) for node in nodes] == [(None, None)] * 3


async def test_s28_nobody_changes_or_deletes_an_entry(desk: Desk):
    await note(desk, act("kept"))
    for sql in ("update app.activity set summary = 'changed'", "delete from app.activity", "truncate store.activity"):
        with pytest.raises(Exception, match="permission denied"):
            async with desk.runtime.database.unit(desk.organization.id) as connection:
                await connection.execute(sql)
    assert await read(desk) == ["kept"]


async def exported(desk: Desk, **given: object) -> tuple[dict, bytes]:
    payload = (await desk.ask(EXPORT, input={"waitSeconds": 20, **given}))["exportActivity"]
    assert payload["userErrors"] == []
    job = payload["job"]
    assert job["state"] == "COMPLETED", job["failure"]
    assert payload["download"]["url"]
    (row,) = await desk.rows(
        "select key from app.job_files where role = 'DATA' and job_id = $2", job["id"].removeprefix("job_")
    )
    return job, b"".join([piece async for piece in desk.runtime.store.read(str(row["key"]))])


async def test_an_export_holds_the_entries_that_the_filter_finds_oldest_first_and_guarded(desk: Desk):
    await note(
        desk,
        act("=cmd()", ActivityAction.IMPORT_FINISHED, lead_count=2, job_id=new_id(), details={"a": "1"}),
        act('two, "quoted"\nlines', ActivityAction.IMPORT_FINISHED),
        act("not asked for"),
    )
    job, data = await exported(
        desk, filter={"action": ["IMPORT_FINISHED"], "at": {"within": {"last": 1, "unit": "DAY"}}}
    )
    assert data.startswith("\ufeffWhen,Action,Actor,".encode())
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert [row["Summary"] for row in rows] == ["'=cmd()", 'two, "quoted"\nlines']
    first = rows[0]
    assert (first["Action"], first["Actor"], first["Leads"], first["Details"]) == (
        "IMPORT_FINISHED", "Owner", "2", '{"a": "1"}',
    )  # fmt: skip
    assert first["Job id"].startswith("job_")
    assert first["Actor id"] == format_id(IdKind.USER, desk.actor.id)
    assert job["rowCount"] == job["file"]["rows"] == 2
    assert job["filterDescription"] == "Action is one of IMPORT_FINISHED and When in the last 1 day"
    assert job["spec"]["format"] == "CSV"
    assert job["spec"]["filter"]["action"] == ["IMPORT_FINISHED"]
    assert sorted(file["role"] for file in job["files"]) == ["DATA", "MANIFEST"]
    assert job["snapshotAt"]
    assert job["deltaToken"] is None


async def test_the_spec_of_an_export_can_be_sent_back(desk: Desk):
    await note(desk, act("one"))
    job, _ = await exported(desk, filter={"search": "one"}, format="JSONL")
    again, data = await exported(desk, **job["spec"])
    assert again["spec"] == job["spec"]
    assert json.loads(data.splitlines()[0])["summary"] == "one"


@pytest.mark.parametrize("format_", list(ExportFormat))
async def test_every_format_holds_every_entry(desk: Desk, format_: ExportFormat):
    await note(desk, act("first", lead_count=5, details={"k": [1, "ü"]}), act("second"))
    job, data = await exported(desk, format=format_.name, filter={"action": ["LEAD_UPDATED"]})
    assert job["rowCount"] == 2
    assert SUMMARIES[format_](data) == ["first", "second"]


def jsonl(data: bytes) -> list[str]:
    rows = [json.loads(line) for line in data.decode().splitlines()]
    assert rows[0]["details"] == {"k": [1, "ü"]}
    assert (rows[0]["lead_count"], rows[1]["lead_count"], rows[1]["job_id"]) == (5, None, None)
    assert datetime.fromisoformat(rows[0]["at"]).tzinfo is not None
    return [row["summary"] for row in rows]


def xlsx(data: bytes) -> list[str]:
    sheet = openpyxl.load_workbook(io.BytesIO(data))["Activity"]
    header, *rows = sheet.iter_rows(values_only=True)
    assert isinstance(rows[0][0], datetime)
    assert rows[0][header.index("Leads")] == 5
    return [row[header.index("Summary")] for row in rows]


SUMMARIES = {
    ExportFormat.CSV: lambda data: [row["Summary"] for row in csv.DictReader(io.StringIO(data.decode("utf-8-sig")))],
    ExportFormat.JSON: lambda data: [row["summary"] for row in json.loads(data)],
    ExportFormat.JSONL: jsonl,
    ExportFormat.XLSX: xlsx,
    ExportFormat.TXT: lambda data: [
        line.removeprefix("Summary: ") for line in data.decode().splitlines() if line.startswith("Summary: ")
    ],
    ExportFormat.PARQUET: lambda data: parquet.read_table(io.BytesIO(data))["summary"].to_pylist(),
}


async def test_an_export_of_nothing_is_a_file_with_a_header(desk: Desk):
    job, data = await exported(desk, filter={"search": "no such act"})
    assert job["rowCount"] == 0
    assert len(data.decode().splitlines()) == 1


async def test_a_wrong_filter_of_an_export_is_told_with_its_path(desk: Desk):
    for wrong, path in (({"action": []}, "action"), ({"at": {}}, "at"), ({"search": "a\0"}, "search")):
        payload = (await desk.ask(EXPORT, input={"filter": wrong}))["exportActivity"]
        assert payload["job"] is None
        assert payload["userErrors"][0]["path"][:3] == ["input", "filter", path], payload


async def test_the_export_is_itself_an_act_and_its_job_is_listed_by_its_format(desk: Desk):
    job, _ = await exported(desk)
    rows = await desk.rows("select action, summary, lead_count from app.activity order by at, id")
    assert [row["action"] for row in rows] == ["EXPORT_STARTED", "EXPORT_FINISHED"]
    assert rows[1]["lead_count"] is None
    listed = (
        "query { jobs(filter: {format: [CSV], kind: [ACTIVITY_EXPORT]}) { nodes { id ... on ExportJob { spec } } } }"
    )
    assert [node["id"] for node in (await desk.ask(listed))["jobs"]["nodes"]] == [job["id"]]
