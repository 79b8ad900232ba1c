"""Exports through the API, carried out by a real worker."""

import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import strawberry

from domain.ids import IdKind, format_id, new_id
from domain.settings import MaskingRule, OrganizationSettings
from domain.vocabulary import LeadFieldKey, MaskingMode, Permission, Role
from jobs.links import open_download
from resolvers.execution import CompiledExecutor
from resolvers.schema import Query
from schema.config import schema_config
from schema.errors import ERRORS
from schema.job_types import JOBS
from tests.resolvers.office import Desk, Office, uuid

EXPORT = """mutation($spec: ExportSpecInput!, $key: String, $deliver: [DeliveryInput!]) {
  exportLeads(input: {spec: $spec, waitSeconds: 20, idempotencyKey: $key, deliver: $deliver}) {
    job {
      id state name rowCount filterDescription format compression snapshotAt deltaToken unmasked maskedFields sample
      spec actions createdBy { __typename } columns { key header } deliveries { channel target state }
      file { id name bytes rows sha256 available downloadCount download { url } } files { role name }
      progress { percent processed total } schedule { id }
    }
    download { url expiresAt method } userErrors { code message path }
  }
}"""
PREVIEW = """query($spec: ExportSpecInput!, $first: Int) { exportPreview(spec: $spec, first: $first) {
  columns { key header } rows rowCount { value exact } estimatedSeconds estimatedBytes maskedFields fileName warnings
} }"""
AS_STRAWBERRY_CONVERTS = strawberry.Schema(
    Query, types=[*ERRORS, *JOBS], config=schema_config(), execution_context_class=CompiledExecutor
)
LEADS = ({"name": "=1+1", "email": "a@example.com", "score": 5}, {"name": "B", "score": 90})


async def export(desk: Desk, key: str | None = None, **spec: object) -> Mapping[str, object]:
    variables = {"spec": spec} | ({"key": key} if key else {})
    return (await desk.ask(EXPORT, **variables))["exportLeads"]


async def content(desk: Desk, payload: Mapping[str, object]) -> bytes:
    """What the payload's link opens. The link's holder must have a row."""
    await desk.runtime.system.execute(
        "insert into store.users (organization_id, id, name, role) values ($1, $2, 'Owner', 'OWNER')"
        " on conflict do nothing",
        desk.organization.id, desk.actor.id,
    )  # fmt: skip
    opened = await open_download(desk.runtime, payload["download"]["url"].rpartition("/")[2], "192.0.2.1")
    return b"".join([piece async for piece in desk.runtime.store.read(opened.key)])


def problems(payload: Mapping[str, object]) -> list[tuple[str, list[str]]]:
    assert payload["job"] is None
    return [(error["code"], error["path"]) for error in payload["userErrors"]]


async def test_a_small_export_comes_back_finished_with_its_link(desk: Desk):
    await desk.leads(*LEADS)
    payload = await export(desk, columns=[{"field": "NAME"}, {"field": "SCORE", "header": "Points"}],
                           orderBy={"field": "SCORE", "direction": "ASC"})  # fmt: skip
    job = payload["job"]
    assert (job["state"], job["rowCount"], payload["userErrors"]) == ("COMPLETED", 2, [])
    assert job["columns"] == [{"key": "name", "header": "Name"}, {"key": "score", "header": "Points"}]
    assert (await content(desk, payload)).decode("utf-8-sig") == "Name,Points\r\n'=1+1,5\r\nB,90\r\n"
    assert (job["format"], job["compression"], job["progress"]["percent"]) == ("CSV", "NONE", 100.0)
    assert [file["role"] for file in job["files"]] == ["DATA", "MANIFEST"]
    assert job["actions"] == ["DOWNLOAD", "DELETE_FILES"]
    assert job["deltaToken"]
    assert job["snapshotAt"]
    answer = await desk.ask(
        "query($id: ID!) { job(id: $id) { ... on ExportJob { file { downloadCount } } } }", id=job["id"]
    )
    assert answer["job"]["file"]["downloadCount"] == 1


async def test_the_spec_of_a_job_can_be_sent_back(desk: Desk):
    await desk.leads(*LEADS)
    spec = {"filter": {"score": {"gte": 80}}, "columns": [{"field": "NAME"}], "format": "JSON", "limit": 5,
            "file": {"timeZone": "Europe/Paris"}, "orderBy": {"field": "NAME", "direction": "ASC"}}  # fmt: skip
    first = (await export(desk, **spec))["job"]
    assert {name: value for name, value in first["spec"].items() if name != "unmask"} == spec
    again = await export(desk, **first["spec"])
    assert json.loads(await content(desk, again)) == [{"name": "B"}]
    assert again["job"]["filterDescription"] == "Score from 80"


async def test_invented_rows_are_called_so(desk: Desk):
    payload = await export(desk, template="CHATBOT", sampleRows=25)
    job = payload["job"]
    assert (job["sample"], job["file"]["rows"], job["deltaToken"]) == (True, 25, None)
    assert job["file"]["name"].startswith("mock-leads-export-")


async def test_two_companies_come_in_one_archive(desk: Desk):
    companies = []
    for name in ("Acme", "Bolt"):
        company = new_id()
        async with desk.runtime.database.unit(desk.organization.id) as connection:
            sql = "insert into companies (id, name, name_key) values ($1, $2, lower($2))"
            await connection.execute(sql, company, name)
        companies.append(format_id(IdKind.COMPANY, company))
    await desk.leads(*({"name": "x", "company_id": uuid(company)} for company in companies))
    payload = await export(desk, filter={"companyId": {"in": companies}}, splitBy="COMPANY", compression="ZIP")
    assert (payload["job"]["rowCount"], payload["job"]["file"]["name"][-4:]) == (2, ".zip")
    with zipfile.ZipFile(io.BytesIO(await content(desk, payload))) as archive:
        assert sorted(name.rpartition("-")[2] for name in archive.namelist()) == ["Acme.csv", "Bolt.csv"]


async def test_columns_of_ones_own_and_masks(desk: Desk):
    async with desk.runtime.database.unit(desk.organization.id) as connection:
        await connection.execute("insert into custom_fields (key, label) values ('policy_no', 'Policy no.')")
    await desk.leads({"name": "A", "custom": {"policy_no": "P-1"}})
    columns = [{"field": "NAME"}, {"field": "NATIONAL_ID"}, {"custom": "policy_no", "header": "Policy no."}]
    payload = await export(desk, columns=columns, format="JSON")
    assert (payload["job"]["maskedFields"], payload["job"]["unmasked"]) == (["NATIONAL_ID"], False)
    assert json.loads(await content(desk, payload)) == [{"name": "A", "national_id": None, "Policy no.": "P-1"}]
    unmasked = await export(desk, columns=columns, unmask=True)
    assert (unmasked["job"]["maskedFields"], unmasked["job"]["unmasked"]) == ([], True)
    assert await desk.seat(Role.PRO).refusal(EXPORT, spec={"columns": columns, "unmask": True}) == "FORBIDDEN"


async def test_wrong_specs_are_user_errors_with_their_place(desk: Desk):
    assert problems(await export(desk, columns=[{"field": "NAME"}, {"custom": "nope"}])) == [
        ("UNKNOWN_VALUE", ["input", "spec", "columns", "1", "custom"])
    ]
    assert problems(await export(desk, filter={"status": {"eq": "nope"}})) == [
        ("UNKNOWN_VALUE", ["input", "spec", "filter", "status"])
    ]
    assert problems(await export(desk, filter={"score": {}}))[0][1] == ["input", "spec", "filter", "score"]
    assert problems(await export(desk, file={"delimiter": "ab", "timeZone": "x"})) == [
        ("INVALID", ["input", "spec", "file", "delimiter"]),
        ("UNKNOWN_VALUE", ["input", "spec", "file", "timeZone"]),
    ]
    assert problems(await export(desk, since="d1-1-1")) == [("INVALID", ["input", "spec", "since"])]


async def test_a_key_gives_the_same_job_again(desk: Desk):
    first = await export(desk, "once", limit=1)
    assert (await export(desk, "once", limit=1))["job"]["id"] == first["job"]["id"]
    assert problems(await export(desk, "once", limit=2)) == [("IDEMPOTENCY_MISMATCH", ["input", "idempotencyKey"])]


async def test_who_may_not_export_exports_nothing(desk: Desk):
    viewer = desk.seat(Role.VIEWER)
    assert await viewer.refusal(EXPORT, spec={}) == "FORBIDDEN"
    assert await viewer.refusal(PREVIEW, spec={}) == "FORBIDDEN"
    job = (await export(desk))["job"]
    seen = await viewer.ask(
        "query($id: ID!) { job(id: $id) { ... on ExportJob { file { name download { url } } } } }", id=job["id"]
    )
    assert seen["job"]["file"]["download"] is None
    program = desk.program(Permission.LEADS_EXPORT, Permission.LEADS_READ)
    assert (await export(program))["job"]["state"] == "COMPLETED"


async def test_a_preview_is_what_the_file_would_be(desk: Desk):
    await desk.leads(*LEADS)
    preview = (await desk.ask(PREVIEW, spec={"columns": [{"field": "NAME"}], "limit": 1}, first=10))["exportPreview"]
    assert (preview["rows"], preview["rowCount"]) == ([["B"]], {"value": 1, "exact": True})
    chosen = (
        'query($keys: Boolean!) { exportPreview(spec: {columns: [{field: NAME}, {field: EMAIL, header: "Mail"}]}) {'
    )
    chosen += " columns { title: header key @include(if: $keys) __typename } } }"
    for keys in (True, False):
        columns = (await desk.ask(chosen, keys=keys))["exportPreview"]["columns"]
        wanted = [{"title": "Name", "key": "name"}, {"title": "Mail", "key": "email"}]
        for column in wanted:
            column["__typename"] = "ExportColumn"
            if not keys:
                del column["key"]
        assert columns == wanted
    answer = await desk.execute(PREVIEW, spec={"limit": 0})
    assert answer["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT", "inputPath": ["spec", "limit"]}


@pytest.mark.parametrize(
    ("spec", "first"),
    [
        ({}, 20),
        ({}, None),
        ({"filter": {"or": [{"score": {"gt": 10, "isNull": False}}, {"name": {"in": ["B"]}}]}, "template": "CRM"}, 1),
        ({"filter": {"createdAt": {"gte": "2020-01-01T00:00:00Z"}, "conversionValue": {"isNull": True}}}, 5),
        ({"orderBy": {"field": "SCORE"}, "format": "XLSX", "file": {"name": "{date}", "phoneFormat": "E164"}}, 5),
        ({"columns": [{"field": "NAME", "header": "Who"}, {"custom": "none"}]}, 5),
        ({"columns": [{"field": "NAME"}, {"field": None}]}, 5),
        ({"file": {"delimiter": None}}, 5),
        ({"filter": {"and": [{"email": None}]}}, 5),
        ({"filter": {"name": {"in": []}}}, 5),
        ({"ids": None}, 5),
        ({"ids": ["lead_x"], "sampleRows": 0}, 5),
        ({"unmask": True, "splitBy": "STATUS", "compression": "GZIP"}, 5),
    ],
)
async def test_a_preview_asked_directly_is_what_it_is_through_strawberry(
    desk: Desk, spec: Mapping[str, object], first: int | None
):
    await desk.leads(*LEADS)
    for asking in (desk, desk.seat(Role.VIEWER)):
        directly = await asking.execute(PREVIEW, spec=spec, first=first)
        converted = await replace(asking, schema=AS_STRAWBERRY_CONVERTS).execute(PREVIEW, spec=spec, first=first)
        assert _without_the_clock(directly) == _without_the_clock(converted)


def _without_the_clock(answer: dict[str, Any]) -> dict[str, Any]:
    if answer["data"]:
        answer["data"]["exportPreview"]["fileName"] = re.sub(r"\d", "0", answer["data"]["exportPreview"]["fileName"])
    return answer


async def test_a_job_says_when_its_file_goes(desk: Desk):
    job = (await export(desk))["job"]
    shown = "query($id: ID!) { job(id: $id) { expiresAt files { expiresAt } } }"
    found = (await desk.ask(shown, id=job["id"]))["job"]
    assert found["expiresAt"] is not None
    assert {file["expiresAt"] for file in found["files"]} == {found["expiresAt"]}


async def test_a_builtin_template_is_taken_by_the_id_that_the_list_shows_and_stays_as_it_is(desk: Desk):
    chosen = await export(desk, templateId="template_crm")
    assert [column["header"] for column in chosen["job"]["columns"]] == ["Name", "Phone", "Email", "Policy"]
    both = await export(desk, templateId="template_crm", template="BASIC")
    assert ("INVALID", ["input", "spec", "templateId"]) in problems(both)
    drop = 'mutation { deleteExportTemplate(id: "template_crm") { deletedId userErrors { code path } } }'
    refused = (await desk.ask(drop))["deleteExportTemplate"]
    assert refused == {"deletedId": None, "userErrors": [{"code": "INVALID", "path": ["id"]}]}


async def test_a_template_whose_filter_names_no_status_is_not_saved(desk: Desk):
    save = """mutation { saveExportTemplate(input: {name: "A", spec: {filter: {status: {eq: "nowhere"}}}}) {
      template { id } userErrors { path } } }"""
    saved = (await desk.ask(save))["saveExportTemplate"]
    assert saved == {"template": None, "userErrors": [{"path": ["input", "spec", "filter", "status"]}]}


async def test_templates_and_schedules_are_kept(desk: Desk):
    save = """mutation($name: String!, $spec: ExportSpecInput!) {
      saveExportTemplate(input: {name: $name, spec: $spec}) {
      template { id name builtin columns { header } spec } userErrors { code path } } }"""
    made = (await desk.ask(save, name="Mine", spec={"columns": [{"field": "NAME", "header": "Who"}]}))[
        "saveExportTemplate"
    ]
    template = made["template"]
    assert (template["name"], template["columns"]) == ("Mine", [{"header": "Who"}])
    listed = (await desk.ask("{ exportTemplates { id builtin name } }"))["exportTemplates"]
    assert [one["builtin"] for one in listed] == ["BASIC", "FULL", "CRM", "LEADS", "OUTBOUND_STATUS", "CHATBOT", None]
    schedule = """mutation($spec: ExportSpecInput!) { saveExportSchedule(input: {name: "Weekly", cron: "0 7 * * 1",
      timeZone: "Europe/Paris", spec: $spec, deliver: [{email: ["sales@example.com"]}]}) {
      schedule { id nextRunAt enabled spec deliver createdBy { __typename } lastJob { id }
        jobs { totalCount { value } } }
      nextRuns userErrors { code message path } } }"""
    saved = (await desk.ask(schedule, spec={"templateId": template["id"], "format": "XLSX"}))["saveExportSchedule"]
    assert (len(saved["nextRuns"]), saved["schedule"]["enabled"], saved["userErrors"]) == (5, True, [])
    assert saved["schedule"]["deliver"] == [{"email": ["sales@example.com"]}]
    run = "mutation($id: ID!) { runExportSchedule(id: $id) { job { id schedule { id } trigger } userErrors { code } } }"
    job = (await desk.ask(run, id=saved["schedule"]["id"]))["runExportSchedule"]["job"]
    assert (job["schedule"]["id"], job["trigger"]) == (saved["schedule"]["id"], "SCHEDULE")
    listed = (await desk.ask("{ exportSchedules { lastJob { id } jobs { nodes { id } } } }"))["exportSchedules"]
    assert listed == [{"lastJob": {"id": job["id"]}, "jobs": {"nodes": [{"id": job["id"]}]}}]
    for field, given in (("deleteExportSchedule", saved["schedule"]["id"]), ("deleteExportTemplate", template["id"])):
        drop = f"mutation($id: ID!) {{ {field}(id: $id) {{ deletedId userErrors {{ code }} }} }}"
        assert (await desk.ask(drop, id=given))[field] == {"deletedId": given, "userErrors": []}
        assert (await desk.ask(drop, id=given))[field]["userErrors"] == [{"code": "NOT_FOUND"}]


async def test_27_values_of_masked_fields_in_a_filter_are_hidden_from_those_who_may_not_see_them(office: Office):
    masking = (MaskingRule(LeadFieldKey.EMAIL, MaskingMode.PARTIAL, (Role.PRO,)),)
    owner = await office.desk(settings=OrganizationSettings(masking=masking))
    leads = {
        "or": [{"email": {"eq": "x@y.example"}}, {"not": {"email": {"in": ["x@y.example"]}}}, {"search": "x@y"}],
        "email": {"isNull": False},
        "score": {"gte": 80},
    }
    hidden = {
        "or": [{"email": {"eq": "…"}}, {"not": {"email": {"in": ["…"]}}}, {"search": "…"}],
        "email": {"isNull": False},
        "score": {"gte": 80},
    }
    job = (await export(owner, filter=leads))["job"]["id"]
    template = """mutation($spec: ExportSpecInput!) {
      saveExportTemplate(input: {name: "T", spec: $spec}) { template { spec } userErrors { code path } } }"""
    assert (await owner.ask(template, spec={"filter": leads}))["saveExportTemplate"]["userErrors"] == []
    schedule = """mutation($spec: ExportSpecInput!) { saveExportSchedule(input: {
      name: "S", cron: "0 7 * * 1", timeZone: "UTC", spec: $spec, deliver: []}) {
      schedule { id } userErrors { code path } } }"""
    saved = (await owner.ask(schedule, spec={"filter": leads}))["saveExportSchedule"]
    run = """mutation($id: ID!) { runExportSchedule(id: $id) { job { id } userErrors { code } } }"""
    scheduled = (await owner.ask(run, id=saved["schedule"]["id"]))["runExportSchedule"]["job"]["id"]
    seen = """query($job: ID!, $scheduled: ID!) {
      job(id: $job) { ... on ExportJob { name spec filterDescription } }
      scheduled: job(id: $scheduled) { ... on ExportJob { schedule { spec } } }
      exportTemplates { builtin spec } }"""
    text = "(Email is {0} or not (Email is one of {0}) or search “{1}”) and Email is not empty and Score from 80"
    for desk, told, words in (
        (owner, leads, text.format("x@y.example", "x@y")),
        (owner.seat(Role.PRO), leads, text.format("x@y.example", "x@y")),
        (owner.seat(Role.VIEWER), hidden, text.format("…", "…")),
    ):
        answer = await desk.ask(seen, job=job, scheduled=scheduled)
        specs = [answer["job"]["spec"], answer["scheduled"]["schedule"]["spec"]]
        specs += [one["spec"] for one in answer["exportTemplates"] if one["builtin"] is None]
        assert [spec["filter"] for spec in specs] == [told] * 3
        assert answer["job"]["filterDescription"] == words
        assert "x@y" not in answer["job"]["name"]
    manager = owner.program(Permission.LEADS_READ, Permission.SCHEDULES_MANAGE)
    (listed,) = (await manager.ask("{ exportSchedules { spec } }"))["exportSchedules"]
    assert listed["spec"]["filter"] == hidden


async def test_27_the_name_of_an_export_tells_no_value_that_is_masked_for_some(office: Office):
    masking = (MaskingRule(LeadFieldKey.ADDRESS, MaskingMode.REDACT),)
    owner = await office.desk(settings=OrganizationSettings(masking=masking))
    asked = {"addressCity": {"eq": "Lyon"}, "score": {"gte": 80}}
    job = (await export(owner, filter=asked, file={"name": "leads_{filter}"}))["job"]
    assert ("Lyon" in job["filterDescription"], "Score from 80" in job["name"]) == (True, True)
    assert "lyon" not in f"{job['name']} {job['file']['name']}".lower()
    acts = await owner.rows("select summary from app.activity")
    assert not [act for act in acts if "lyon" in str(act["summary"]).lower()]
