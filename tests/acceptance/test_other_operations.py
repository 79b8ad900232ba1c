"""The other operations of the five systems: wizard, undo, bulk, activity, metrics, schedules, partners."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime

import openpyxl
import pytest

from tests.acceptance.calling import Caller, csv_of, rows_of, table_of
from tests.acceptance.files import OPERATIONS, content, needs_folder

pytestmark = needs_folder

IDS = "query ($first: Int!) { leads(first: $first) { nodes { id version status { key } } } }"


def people(count: int, **more: object) -> bytes:
    rows = ({"name": f"Ida {n}", "phone": f"+1202555{1000 + n}", "source": "web", **more} for n in range(count))
    return csv_of(*rows)


async def lead_ids(caller: Caller, count: int) -> list[str]:
    return [lead["id"] for lead in (await caller.ask(IDS, first=count))["leads"]["nodes"]]


@pytest.fixture
async def forty(found: Callable[..., Caller]) -> Caller:
    """An organization with forty new leads."""
    caller = found()
    made = await caller.import_file(people(40))
    assert made["job"]["counts"]["created"] == 40
    return caller


async def test_a_mock_export_holds_invented_leads(demo: Caller):
    payload = (await demo.ask(OPERATIONS["MockExport"]))["exportLeads"]
    assert payload["userErrors"] == []
    assert payload["job"]["sample"]
    assert payload["job"]["file"]["rows"] == 25
    assert payload["job"]["file"]["name"].startswith("mock-leads-export-")
    data = (await demo.download(payload["download"]["url"])).content
    ids = [row["Lead ID"] for row in table_of(data)]
    assert len(set(ids)) == 25
    query = "query ($ids: [ID!]!) { validateLeadIds(ids: $ids) { valid } }"
    assert (await demo.ask(query, ids=ids))["validateLeadIds"]["valid"] == []


async def test_two_companies_come_as_two_files_of_one_archive(demo: Caller):
    companies = await demo.ask("{ viewer { organization { companies { id name } } } }")
    first, second, *_ = companies["viewer"]["organization"]["companies"]
    payload = (await demo.ask(OPERATIONS["ExportTwoCompanies"], a=first["id"], b=second["id"]))["exportLeads"]
    assert payload["userErrors"] == []
    assert payload["job"]["file"]["name"].endswith(".zip")
    exported = await demo.export({"filter": {"companyId": {"in": [first["id"], second["id"]]}}, "splitBy": "COMPANY",
                                  "compression": "ZIP"})  # fmt: skip
    job, data = exported
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = [name for name in archive.namelist() if name.endswith(".csv")]
        rows = sum(len(rows_of(archive.read(name))) - 1 for name in files)
    assert len(files) == 2
    assert rows == job["rowCount"] == payload["job"]["rowCount"]
    assert rows == await demo.count(companyId={"in": [first["id"], second["id"]]})


async def test_a_preview_shows_what_an_export_would_hold(demo: Caller):
    preview = (await demo.ask(OPERATIONS["Preview"]))["exportPreview"]
    assert [column["header"] for column in preview["columns"]] == ["Name", "Phone", "Email", "Policy"]
    assert 0 < len(preview["rows"]) <= 10
    assert all("health" in row[3].lower() for row in preview["rows"])
    assert preview["rowCount"]["value"] == await demo.count(policyOfInterest={"contains": "health"})
    assert preview["fileName"].endswith(".xlsx")
    assert preview["estimatedSeconds"] >= 0
    assert int(preview["estimatedBytes"]) > 0


async def test_columns_of_ones_own_come_under_their_headers_and_masked(found: Callable[..., Caller]):
    caller = found()
    rows = people(2, national_id="123-45-6789", policy_no="P-1")
    mapping = [{"column": "policy_no", "custom": "policy_no"}]
    assert (await caller.import_file(rows, mapping=mapping))["userErrors"] == []
    payload = (await caller.ask(OPERATIONS["CustomColumns"]))["exportLeads"]
    assert payload["userErrors"] == []
    assert payload["job"]["maskedFields"] == ["NATIONAL_ID"]
    assert payload["job"]["file"]["name"].endswith(".json")


async def test_the_history_of_imports_says_what_each_did(forty: Caller):
    await forty.import_file(b"name,phone,source\nBo,,web\n", "broken.csv")
    jobs = (await forty.ask(OPERATIONS["ImportHistory"]))["jobs"]["nodes"]
    assert [job["fileName"] for job in jobs] == ["broken.csv", "leads.csv"]
    assert (jobs[0]["totalRows"], jobs[0]["errorCount"]) == (1, 1)
    assert jobs[0]["errorReport"].startswith("Row 2: phone is required")
    assert jobs[1]["successCount"] == 40


async def test_a_template_for_imports_is_a_workbook_with_the_importable_fields(demo: Caller):
    answer = await demo.ask(OPERATIONS["Template"])
    data = (await demo.download(answer["importTemplate"]["url"])).content
    sheet = openpyxl.load_workbook(io.BytesIO(data), read_only=True).worksheets[0]
    header = [cell.value for cell in next(iter(sheet.iter_rows()))]
    importable = {field["label"] for field in answer["leadFields"] if field["importable"]}
    assert {"Name", "Phone", "Source"} <= set(header)
    assert set(header) <= importable | {field["key"] for field in answer["leadFields"]}
    assert {field["key"] for field in answer["leadFields"] if field["requiredForImport"]} == {"name", "phone", "source"}


async def test_the_wizard_reviews_maps_commits_and_undoes(found: Callable[..., Caller]):
    caller = found()
    upload = await caller.upload(content("p2"), "zoho.csv")
    payload = (await caller.ask(OPERATIONS["Wizard"], upload=upload))["importLeads"]
    assert payload["userErrors"] == []
    job = payload["job"]
    assert job["state"] in {"AWAITING_REVIEW", "AWAITING_MAPPING"}
    assert job["dialect"]["encoding"]["value"] == "utf-8"
    assert job["dialect"]["delimiter"]["value"] == ","
    assert await caller.count() == 0
    remapped = (await caller.ask(OPERATIONS["Remap"], id=job["id"]))["updateImport"]
    assert remapped["userErrors"] == []
    plan = await reviewed(caller, job["id"])
    assert plan["creates"] == 780, "the others have a status that is none here"
    stale = (await caller.ask(OPERATIONS["Commit"], id=job["id"], plan=plan["revision"] - 1))["commitImport"]
    assert stale["userErrors"][0]["code"] == "PLAN_STALE"
    assert stale["userErrors"][0]["currentPlanRevision"] == plan["revision"]
    committed = (await caller.ask(OPERATIONS["Commit"], id=job["id"], plan=plan["revision"]))["commitImport"]
    assert committed["userErrors"] == []
    ended = await caller.ended(job["id"])
    assert (ended["counts"]["created"], ended["counts"]["failed"]) == (780, 3120)
    assert await caller.count() == 780
    names = "{ importMappings { name } leadGroups(by: [SOURCE]) { keys { value } count } }"
    answer = await caller.ask(names)
    assert [mapping["name"] for mapping in answer["importMappings"]] == ["CRM export"]
    sources = {group["keys"][0]["value"]: group["count"] for group in answer["leadGroups"]}
    assert (sources["PHONE"], sources["WALK_IN"]) == (73, 80)
    undo = (await caller.ask(OPERATIONS["Undo"], id=job["id"]))["revertImport"]
    assert undo["userErrors"] == []
    assert undo["job"]["summary"] == {"removed": 780, "restored": 0, "keptBecauseEdited": 0, "alreadyGone": 0}
    assert await caller.count() == 780, "a dry run changes nothing"


async def reviewed(caller: Caller, job_id: str) -> dict:
    query = """query ($id: ID!, $since: Int!) { job(id: $id, sinceRevision: $since, waitSeconds: 20) {
      state revision ... on ImportJob { plan { revision creates } } } }"""
    job = (await caller.ask(query, id=job_id, since=0))["job"]
    while job["state"] in {"QUEUED", "RUNNING"}:
        job = (await caller.ask(query, id=job_id, since=job["revision"]))["job"]
    assert job["state"] == "AWAITING_REVIEW"
    return job["plan"]


async def test_an_undo_takes_back_what_an_import_made(forty: Caller):
    jobs = (await forty.ask(OPERATIONS["ImportHistory"]))["jobs"]["nodes"]
    revert = """mutation ($id: ID!) { revertImport(input: {id: $id, waitSeconds: 30}) {
      job { state summary { removed } } userErrors { code message } } }"""
    payload = (await forty.ask(revert, id=jobs[0]["id"]))["revertImport"]
    assert payload["userErrors"] == []
    assert payload["job"] == {"state": "COMPLETED", "summary": {"removed": 40}}
    assert await forty.count() == 0


async def test_ids_are_judged_one_by_one(forty: Caller):
    first, second = await lead_ids(forty, 2)
    absent = "lead_00000000-0000-7000-8000-000000000000"
    given = [first, second, first, "nonsense", absent]
    assert (await forty.ask(OPERATIONS["CheckIds"], ids=given))["validateLeadIds"] == {
        "total": 5, "valid": [first, second], "duplicates": [first], "malformed": ["nonsense"], "notFound": [absent],
    }  # fmt: skip


async def test_a_bulk_update_says_what_became_of_each_lead(forty: Caller):
    ids = [*await lead_ids(forty, 3), "lead_00000000-0000-7000-8000-000000000000"]
    payload = (await forty.ask(OPERATIONS["BulkUpdate"], ids=ids))["bulkUpdateLeads"]
    assert payload["userErrors"] == []
    job = payload["job"]
    assert (job["matched"], job["changed"], job["unchanged"], job["failed"]) == (3, 3, 0, 0)
    assert [one["leadId"] for one in job["results"]["nodes"]] == ids[3:]
    assert await forty.count(status={"eq": "contacted"}, tags={"hasAny": ["q4"]}) == 3
    again = (await forty.ask(OPERATIONS["BulkUpdate"], ids=ids[:3]))["bulkUpdateLeads"]
    assert (again["job"]["changed"], again["job"]["unchanged"]) == (0, 3)


async def test_a_bulk_assignment_acts_on_exactly_the_leads_that_were_counted(forty: Caller):
    me = await forty.ask("{ viewer { actor { ... on User { id } } } }")
    users = [me["viewer"]["actor"]["id"]]
    payload = (await forty.ask(OPERATIONS["BulkAssign"], users=users))["bulkAssignLeads"]
    assert payload["userErrors"] == []
    assert payload["job"] == {"matched": 40, "changed": 40}
    assert await forty.count(assigneeId={"isNull": True}) == 40, "a dry run changes nothing"
    await forty.import_file(b"name,phone,source\nLate,+12025550123,web\n")
    changed = (await forty.ask(OPERATIONS["BulkAssign"], users=users))["bulkAssignLeads"]
    assert [error["code"] for error in changed["userErrors"]] == ["COUNT_CHANGED"]


async def test_a_bulk_deletion_deletes_the_leads_it_lists(forty: Caller):
    ids = await lead_ids(forty, 5)
    payload = (await forty.ask(OPERATIONS["BulkDelete"], ids=ids))["bulkDeleteLeads"]
    assert payload == {"job": {"changed": 5}, "userErrors": []}
    assert await forty.count() == 35


async def test_the_activity_tells_of_downloads_and_imports(found: Callable[..., Caller]):
    caller = found()
    await caller.import_file(people(3), "crm-one.csv")
    await caller.export({"template": "CRM"})
    nodes = (await caller.ask(OPERATIONS["Activity"]))["activity"]["nodes"]
    assert "IMPORT_FINISHED" in [node["action"] for node in nodes]
    everything = "{ activity(first: 50) { nodes { action summary ipAddress actor { __typename } } } }"
    acts = (await caller.ask(everything))["activity"]["nodes"]
    downloads = [act for act in acts if act["action"] == "EXPORT_DOWNLOADED"]
    assert len(downloads) == 1
    assert downloads[0]["ipAddress"] == "127.0.0.1"
    assert {act["action"] for act in acts} >= {"IMPORT_STARTED", "IMPORT_FINISHED", "EXPORT_STARTED", "EXPORT_FINISHED"}
    assert "Ida" not in str(acts)


async def test_the_activity_comes_as_a_file(forty: Caller):
    payload = (await forty.ask(OPERATIONS["ActivityCsv"]))["exportActivity"]
    assert payload["userErrors"] == []
    rows = table_of((await forty.download(payload["download"]["url"])).content)
    assert any("IMPORT_FINISHED" in row.values() for row in rows)


async def test_metrics_count_jobs_rows_and_issues(forty: Caller):
    await forty.import_file(b"name,phone,source\nBo,,web\n", "broken.csv")
    year = f"{datetime.now(UTC).year}"
    document = OPERATIONS["Metrics"].replace("2026-", f"{year}-").replace("2027-", f"{int(year) + 1}-")
    metrics = (await forty.ask(document))["metrics"]
    assert (metrics["imports"]["jobs"], metrics["imports"]["rows"]) == (2, "41")
    assert metrics["exports"]["jobs"] == 0
    assert {"code": "REQUIRED", "field": "phone", "rows": "1"} in metrics["topIssues"]


async def test_a_schedule_knows_its_next_runs(demo: Caller):
    payload = (await demo.ask(OPERATIONS["Schedule"]))["saveExportSchedule"]
    assert payload["userErrors"] == []
    assert payload["schedule"]["enabled"]
    assert payload["schedule"]["nextRunAt"] == payload["nextRuns"][0]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT0[56]:00:00(\.000)?Z", run) for run in payload["nextRuns"])


async def test_facets_count_what_the_list_would_show(demo: Caller):
    groups = (await demo.ask(OPERATIONS["Facets"]))["leadGroups"]
    assert all([key["by"] for key in group["keys"]] == ["STATUS", "SOURCE"] for group in groups)
    assert sum(group["count"] for group in groups) == await demo.count(
        createdAt={"within": {"last": 90, "unit": "DAY"}}
    )


async def test_a_partner_pushes_the_same_rows_twice_and_nothing_doubles(found: Callable[..., Caller]):
    caller = found()
    rows = [
        {"externalId": f"x-{n}", "name": f"Uma {n}", "phone": f"+1202555{1000 + n}", "source": "API"} for n in range(5)
    ]
    rows.append({"externalId": "x-bad", "name": "No phone", "source": "API"})
    payload = (await caller.ask(OPERATIONS["Partner"], rows=rows))["upsertLeads"]
    assert payload["userErrors"] == []
    assert payload["counts"] == {"created": 5, "updated": 0, "unchanged": 0, "failed": 1}
    assert [result["outcome"] for result in payload["results"]] == ["CREATED"] * 5 + ["FAILED"]
    assert payload["results"][5]["issues"][0]["code"] == "REQUIRED"
    again = (await caller.ask(OPERATIONS["Partner"], rows=rows))["upsertLeads"]
    assert again["counts"] == payload["counts"]
    assert await caller.count() == 5
    other = (await caller.ask(OPERATIONS["Partner"], rows=rows[:1]))["upsertLeads"]
    assert [error["code"] for error in other["userErrors"]] == ["IDEMPOTENCY_MISMATCH"]


async def test_a_partner_pushes_as_many_leads_at_once_as_the_limits_say(found: Callable[..., Caller]):
    caller = found("--country", "US")
    viewer = (await caller.ask("{ viewer { organization { limits { maxBulkIds } } } }"))["viewer"]
    most = viewer["organization"]["limits"]["maxBulkIds"]
    rows = [{"name": f"Lead {n}", "phone": f"+1212{n}", "source": "WEB"} for n in range(2_000_000, 2_000_001 + most)]
    push = """mutation ($rows: [LeadInput!]!) { upsertLeads(input: {rows: $rows}) { counts { created }
      results { index outcome } userErrors { code path ... on LimitError { limit actual } } } }"""
    (refused,) = (await caller.ask(push, rows=rows))["upsertLeads"]["userErrors"]
    assert refused == {"code": "LIMIT_EXCEEDED", "path": ["input", "rows"], "limit": str(most), "actual": str(most + 1)}
    pushed = (await caller.ask(push, rows=rows[:most]))["upsertLeads"]
    assert (pushed["counts"]["created"], len(pushed["results"]), pushed["userErrors"]) == (most, most, [])
    assert await caller.count() == most


async def test_an_edit_of_an_old_version_is_a_conflict(forty: Caller):
    (lead_id,) = await lead_ids(forty, 1)
    payload = (await forty.ask(OPERATIONS["Edit"], id=lead_id))["updateLead"]
    assert payload == {"lead": {"version": 2, "status": {"key": "qualified"}}, "userErrors": []}
    (error,) = (await forty.ask(OPERATIONS["Edit"], id=lead_id))["updateLead"]["userErrors"]
    assert (error["code"], error["currentVersion"]) == ("VERSION_CONFLICT", 2)
