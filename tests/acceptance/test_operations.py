"""The operations of the five systems that the main job needs, against a running server."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.acceptance.calling import Caller, csv_of, rows_of, table_of
from tests.acceptance.files import OPERATIONS, content, import_input, needs_folder

pytestmark = needs_folder

CHATBOT = (
    "Lead ID,Chatbot Name,Company Name,Session ID,Email,Phone,Lead Score,Interest Level,Confidence,Category,"
    "Primary Language,Detected Languages,AI Legitimate,AI Confidence Score,AI Verification Reasons,Status,Created At,"
    "Updated At,User Agent,IP Address,Location Country,Location City,Message Count,Session Duration (seconds),"
    "First Interest Detected,Last Interest Detected,Conversation Summary,Tags,Notes Count,Converted At,"
    "Conversion Value,Conversion Source"
)
LEADS = "id name phone email source lead_source status score notes created_at updated_at"
FULL = (
    "Full Name,Phone Number,Email,National ID (masked),Address,Policy of Interest,Preferred Contact Time,Notes,Status,"
    "Created Date,Updated Date,Conversation ID (link)"
)
OUTBOUND = "status_id status_name lead_id full_name phone email created_at last_call_at last_call_status source notes"
UTF8_BOM = b"\xef\xbb\xbf"


@pytest.fixture(scope="module")
async def chatbots(found: Callable[..., Caller]) -> Caller:
    """An organization whose chatbot found two leads that asked for a demo, and two others."""
    caller, lately = found(), (datetime.now(UTC) - timedelta(days=3)).isoformat(timespec="seconds")
    wanted = {
        "name": "Asha Verma", "phone": "+919812345001", "source": "chatbot", "company_name": "Neem Suraksha",
        "confidence": "high", "category": "demo_request", "primary_language": "hi_transliterated",
        "detected_languages": "hi_transliterated;en", "ai_legitimate": "yes",
        "ai_verification_reasons": "asked twice;real number", "tags": "vip;demo",
        "conversation_summary": "Would like a demo, please", "created_at": lately,
    }  # fmt: skip
    second = {**wanted, "name": "Ravi Demo", "phone": "+919812345002", "conversation_summary": "", "tags": ""}
    sure = {**wanted, "name": "Mira Demo", "phone": "+919812345003", "confidence": "low"}
    foreign = {**wanted, "name": "Ola Demo", "phone": "+919812345004", "company_name": "Northwind Clinics"}
    made = await caller.import_file(csv_of(wanted, second, sure, foreign))
    assert made["job"]["counts"]["created"] == 4, made
    return caller


async def company(caller: Caller, name: str) -> str:
    companies = (await caller.ask("{ viewer { organization { companies { id name } } } }"))["viewer"]["organization"]
    return next(one["id"] for one in companies["companies"] if one["name"] == name)


async def test_the_chatbot_export_has_exactly_its_columns_and_leads(chatbots: Caller):
    neem = await company(chatbots, "Neem Suraksha")
    payload = (await chatbots.ask(OPERATIONS["ChatbotExport"], company=neem))["exportLeads"]
    assert payload["userErrors"] == []
    job = payload["job"]
    assert (job["state"], job["rowCount"], job["progress"]["percent"]) == ("COMPLETED", 2, 100)
    assert ",".join(column["header"] for column in job["columns"]) == CHATBOT
    assert re.fullmatch(r"leads-export-\d{4}-\d\d-\d\d\.csv", job["file"]["name"])
    assert payload["download"]["method"] == "GET"
    file = await chatbots.download(payload["download"]["url"])
    assert ",".join(rows_of(file.content)[0]) == CHATBOT
    assert len(file.content) == int(job["file"]["bytes"])
    by_phone = {row["Phone"]: row for row in table_of(file.content)}
    assert set(by_phone) == {"+919812345001", "+919812345002"}
    asha = by_phone["+919812345001"]
    assert asha["Detected Languages"] == "hi_transliterated;en"
    assert asha["AI Legitimate"] == "Yes"
    assert asha["AI Verification Reasons"] == "asked twice;real number"
    assert sorted(asha["Tags"].split(",")) == ["demo", "vip"]


async def test_a_download_answers_ranges_and_names_its_file(chatbots: Caller):
    neem = await company(chatbots, "Neem Suraksha")
    payload = (await chatbots.ask(OPERATIONS["ChatbotExport"], company=neem))["exportLeads"]
    url, name = payload["download"]["url"], payload["job"]["file"]["name"]
    whole = await chatbots.download(url)
    assert f'filename="{name}"' in whole.headers["content-disposition"]
    assert whole.headers["content-disposition"].startswith("attachment")
    assert whole.headers["content-type"].startswith("text/csv")
    assert "no-store" in whole.headers["cache-control"]
    assert whole.headers["accept-ranges"] == "bytes"
    part = await chatbots.download(url, Range="bytes=3-9")
    assert (part.status_code, part.content) == (206, whole.content[3:10])
    assert part.headers["content-range"] == f"bytes 3-9/{len(whole.content)}"
    last = await chatbots.download(url, Range="bytes=-5")
    assert last.content == whole.content[-5:]
    beyond = await chatbots.http.get(url, headers={"Range": f"bytes={len(whole.content)}-"})
    assert beyond.status_code == 416
    head = await chatbots.http.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))


async def test_a_changed_link_opens_nothing(chatbots: Caller):
    neem = await company(chatbots, "Neem Suraksha")
    url = (await chatbots.ask(OPERATIONS["ChatbotExport"], company=neem))["exportLeads"]["download"]["url"]
    place = len(url) // 2
    changed = url[:place] + ("A" if url[place] != "A" else "B") + url[place + 1 :]
    assert (await chatbots.http.get(changed)).status_code in {403, 404}


@pytest.fixture(scope="module")
async def outbound(found: Callable[..., Caller]) -> Caller:
    """An outbound-call organization with Hebrew names in two statuses."""
    caller = found("--country", "IL", "--preset", "OUTBOUND")
    rows = [
        {"name": "נועה לוי", "phone": "052-3456781", "status": "new", "source": "phone",
         "notes": "ביקשה שיחה חוזרת", "created_at": "2026-01-02 10:00:00"},
        {"name": "דוד כהן", "phone": "052-3456782", "status": "new", "source": "phone",
         "notes": "=1+1", "created_at": "2026-02-03 10:00:00"},
        {"name": "Amit Peled", "phone": "052-3456783", "status": "call_back", "source": "phone",
         "notes": "", "created_at": "2026-01-05 10:00:00"},
    ]  # fmt: skip
    made = await caller.import_file(csv_of(*rows))
    assert made["job"]["counts"]["created"] == 3, made
    return caller


async def test_the_board_counts_the_leads_of_each_status(outbound: Caller):
    board = {one["key"]: one for one in (await outbound.ask(OPERATIONS["Board"]))["leadStatuses"]}
    assert {key: one["leadCount"]["value"] for key, one in board.items() if one["leadCount"]["value"]} == {
        "new": 2,
        "call_back": 1,
    }
    assert board["won"]["leadCount"] == {"value": 0, "exact": True}
    assert [one["position"] for one in board.values()] == sorted(one["position"] for one in board.values())


async def test_a_status_export_is_newest_first_and_opens_in_excel_with_hebrew(outbound: Caller):
    payload = (await outbound.ask(OPERATIONS["StatusExport"], status="new"))["exportLeads"]
    assert payload["userErrors"] == []
    assert re.fullmatch(r"outbound_leads_status_new_\d{4}-\d\d-\d\d\.csv", payload["job"]["file"]["name"])
    data = (await outbound.download(payload["download"]["url"])).content
    assert data.startswith(UTF8_BOM)
    assert " ".join(rows_of(data)[0]) == OUTBOUND
    first, second = table_of(data)
    assert [first["full_name"], second["full_name"]] == ["דוד כהן", "נועה לוי"]
    assert first["created_at"] == "2026-02-03 10:00:00"
    assert first["notes"] == "'=1+1"
    assert second["phone"] == "+972523456781"


async def test_the_leads_export_takes_its_filter_and_columns(found: Callable[..., Caller]):
    caller = found("--country", "FR", "--preset", "REAL_ESTATE")
    kept = {"name": "Léa", "phone": "06 12 34 56 78", "email": "lea@example.com", "status": "qualified",
            "source": "web", "score": 70, "created_at": "2024-05-06 07:08:09"}  # fmt: skip
    others = [
        {**kept, "phone": "06 12 34 56 79", "created_at": "2025-01-01 00:00:01"},
        {**kept, "phone": "06 12 34 56 80", "source": "phone"},
        {**kept, "phone": "06 12 34 56 81", "status": "new"},
    ]
    await caller.import_file(csv_of(kept, *others))
    payload = (await caller.ask(OPERATIONS["LeadsExport"]))["exportLeads"]
    assert payload["userErrors"] == []
    assert re.fullmatch(r"leads_export_[A-Za-z0-9._-]+\.csv", payload["job"]["file"]["name"])
    (row,) = table_of((await caller.download(payload["download"]["url"])).content)
    assert list(row) == ["Lead ID", "Name", "Phone", "Email", "Score"]
    assert list(row.values())[1:] == ["Léa", "+33612345678", "lea@example.com", "70"]


async def test_without_template_and_columns_the_file_is_the_one_of_the_real_estate_system(demo: Caller):
    job, data = await demo.export({"limit": 3})
    assert re.fullmatch(r"leads_export_\d{8}_\d{6}\.csv", job["file"]["name"])
    assert " ".join(rows_of(data)[0]) == LEADS


@pytest.mark.parametrize(
    ("template", "header"),
    [
        ("BASIC", "Name,Phone,Email,Status,Created Date"),
        ("CRM", "Name,Phone,Email,Policy"),
        ("FULL", FULL),
    ],
)
async def test_a_template_of_the_back_office_has_its_columns_and_name(demo: Caller, template: str, header: str):
    job, data = await demo.export({"template": template, "limit": 20})
    assert re.fullmatch(r"leads_export_\d{4}-\d\d-\d\d_\d{6}\.csv", job["file"]["name"])
    rows = rows_of(data)
    assert ",".join(rows[0]) == header
    assert len(rows) == 21


async def test_an_upload_is_put_where_the_server_says(demo: Caller):
    payload = (await demo.ask(OPERATIONS["StartUpload"]))["createUpload"]
    assert payload["userErrors"] == []
    assert payload["upload"]["state"] == "OPEN"
    await demo.put(payload["upload"]["put"], b"name,phone,source\nAda,+12025550123,web\n")
    state = await demo.ask("query ($id: ID!) { upload(id: $id) { state bytes } }", id=payload["upload"]["id"])
    assert state["upload"] == {"state": "COMPLETE", "bytes": "39"}


async def test_an_import_reports_every_row(found: Callable[..., Caller]):
    caller = found()
    file = b"name,phone,source\nAda,202-555-0123,web\nBo,,web\nCy,202-555-0124,fax\nDi,(202) 555-0123,web\n"
    upload = await caller.upload(file)
    payload = (await caller.ask(OPERATIONS["Import"], upload=upload, strategy="SKIP"))["importLeads"]
    assert payload["userErrors"] == []
    job = payload["job"]
    assert job["state"] == "COMPLETED_WITH_ERRORS"
    assert (job["totalRows"], job["successCount"], job["errorCount"], job["skippedCount"]) == (4, 1, 2, 1)
    assert job["counts"] == {
        "created": 1, "updated": 0, "unchanged": 0, "skipped": 1, "failed": 2, "unprocessed": 0,
    }  # fmt: skip
    issues = [(one["row"], one["line"], one["field"], one["code"]) for one in job["validationErrors"]]
    assert (3, 3, "phone", "REQUIRED") in issues
    assert (4, 4, "source", "UNKNOWN_VALUE") in issues
    assert "Row 3: phone is required" in job["errorReport"].splitlines()
    errors = next(file for file in job["files"] if file["role"] == "ERRORS")
    failed = table_of((await caller.download(errors["download"]["url"])).content)
    assert [(row["name"], row["_row"], row["_line"]) for row in failed] == [("Bo", "3", "3"), ("Cy", "4", "4")]
    assert all(row["_errors"] for row in failed)


async def test_the_history_lists_exports_with_links(demo: Caller):
    _, data = await demo.export({"template": "BASIC", "limit": 5, "filter": {"source": {"eq": "WEB"}}})
    jobs = (await demo.ask(OPERATIONS["ExportHistory"]))["jobs"]
    assert jobs["totalCount"]["value"] >= 1
    last = jobs["nodes"][0]
    assert (last["state"], last["format"], last["rowCount"]) == ("COMPLETED", "CSV", 5)
    assert last["createdBy"]["__typename"] == "User"
    assert last["filterDescription"]
    assert last["file"]["available"]
    assert (await demo.download(last["file"]["download"]["url"])).content == data


async def test_progress_comes_over_websocket_and_over_server_sent_events(demo: Caller):
    started = await demo.ask("mutation { exportLeads(input: {spec: {template: FULL}}) { job { id } } }")
    job_id = started["exportLeads"]["job"]["id"]
    for follow in (demo.follow, demo.follow_by_sse):
        events = [event["job"] async for event in follow(OPERATIONS["Progress"], id=job_id)]
        assert events[0]["type"] == "SNAPSHOT"
        revisions = [event["revision"] for event in events]
        assert revisions == sorted(set(revisions))
        assert events[-1]["job"]["state"] == "COMPLETED"
        assert events[-1]["job"]["progress"]["percent"] == 100
        assert [file["role"] for file in events[-1]["job"]["files"]].count("DATA") == 1


async def test_a_job_is_cancelled_where_it_stands(found: Callable[..., Caller]):
    caller = found()
    upload = await caller.upload(content("p8"))
    given = {"source": {"uploadId": upload}, **import_input("p8", "S1")}
    document = (
        "mutation ($input: ImportLeadsInput!) { importLeads(input: $input) { job { id } userErrors { message } } }"
    )
    job_id = (await caller.ask(document, input=given))["importLeads"]["job"]["id"]
    async for event in caller.follow(OPERATIONS["Progress"], id=job_id):
        if event["job"]["job"]["progress"]["processed"]:
            break
    payload = (await caller.ask(OPERATIONS["Cancel"], id=job_id))["cancelJob"]
    assert payload["userErrors"] == []
    assert payload["job"]["state"] in {"CANCELLING", "CANCELLED"}
    job = await caller.ended(job_id)
    counts = job["counts"]
    assert job["state"] == "CANCELLED"
    assert counts["unprocessed"] > 0
    assert sum(counts.values()) == job["totalRows"]
    assert await caller.count() == counts["created"]
    (again,) = (await caller.ask(OPERATIONS["Cancel"], id=job_id))["cancelJob"]["userErrors"]
    assert (again["code"], again["state"]) == ("WRONG_STATE", "CANCELLED")


async def test_a_list_is_paged_to_its_end(demo: Caller):
    seen: list[str] = []
    after = None
    while True:
        variables = {"after": after} if after else {}
        leads = (await demo.ask(OPERATIONS["List"], **variables))["leads"]
        seen += [lead["id"] for lead in leads["nodes"]]
        scores = [lead["score"] for lead in leads["nodes"] if lead["score"] is not None]
        assert scores == sorted(scores, reverse=True)
        assert all("vip" in lead["tags"] for lead in leads["nodes"])
        after = leads["pageInfo"]["endCursor"]
        if not leads["pageInfo"]["hasNextPage"]:
            break
    assert len(set(seen)) == len(seen) == leads["totalCount"]["value"]


async def test_the_list_finds_leads_that_match(found: Callable[..., Caller]):
    caller = found()
    rows = [
        {"name": f"Paris {number}", "phone": f"+1202555{1000 + number}", "source": "web", "tags": "vip",
         "score": 80 + number % 20}
        for number in range(30)
    ]  # fmt: skip
    lost = {**rows[0], "phone": "+12025559999", "name": "Paris lost", "status": "lost"}
    await caller.import_file(
        csv_of({**rows[0], "status": "new"}, *({**row, "status": "new"} for row in rows[1:]), lost)
    )
    first = (await caller.ask(OPERATIONS["List"]))["leads"]
    assert first["totalCount"] == {"value": 30, "exact": True}
    assert len(first["nodes"]) == 25
    assert first["nodes"][0]["score"] == 99
    second = (await caller.ask(OPERATIONS["List"], after=first["pageInfo"]["endCursor"]))["leads"]
    assert len(second["nodes"]) == 5
    assert not second["pageInfo"]["hasNextPage"]


def test_every_operation_of_the_folder_is_called_by_a_test():
    sources = "\n".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert [name for name in OPERATIONS if f'OPERATIONS["{name}"]' not in sources] == []
