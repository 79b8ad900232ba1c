"""Single leads through the API: created, changed, noted, called."""

import asyncio

import pytest

from domain.ids import IdKind, format_id, new_id
from domain.settings import OrganizationSettings
from domain.vocabulary import DuplicateScope, Permission, Role
from tests.resolvers.office import Desk, Office, uuid

ERRORS = "userErrors { code message path ... on ConflictError { currentVersion } ... on InputError { allowedValues } }"
CREATE = f"""mutation($lead: LeadInput!, $on: MergeStrategy! = SKIP, $key: String) {{
  createLead(input: {{lead: $lead, onDuplicate: $on, idempotencyKey: $key}}) {{
    lead {{ id name version }} duplicateOf {{ id name }} {ERRORS} }}
}}"""
UPDATE = f"""mutation($id: ID!, $set: LeadInput! = {{}}, $clear: [LeadFieldKey!], $version: Int) {{
  updateLead(input: {{id: $id, set: $set, clear: $clear, expectedVersion: $version}}) {{
    lead {{ id version }} duplicateOf {{ id }} {ERRORS} }}
}}"""
NOTE = f"""mutation($id: ID!, $text: String!) {{
  addNote(input: {{leadId: $id, text: $text}}) {{ note {{ id text createdBy }} {ERRORS} }}
}}"""
CALL = f"""mutation($id: ID!, $at: DateTime!, $status: String!, $seconds: Int) {{
  recordCall(input: {{leadId: $id, at: $at, status: $status, durationSeconds: $seconds}}) {{
    lead {{ version lastCall {{ at status durationSeconds }} }} {ERRORS} }}
}}"""
RETIRE = """mutation($id: ID!) { saveLeadStatus(input: {id: $id, key: "contacted", label: "Contacted",
  stage: CONTACTED, active: false}) { status { active } } }"""
PHONE = "+12125550100"
FULL = {
    "externalId": "crm-1", "name": "Dana Levi", "phone": "(212) 555-0100", "email": "dana@example.com",
    "nationalId": "123456782", "policyOfInterest": "health", "preferredContactTime": "mornings",
    "address": {"street": "12 Main St", "city": "Lyon", "region": "ARA", "postalCode": "69001", "country": "FR"},
    "status": "Contacted", "statusCode": "c1", "source": "WEB", "leadSource": "Ads", "score": 80,
    "interestLevel": "HOT", "confidence": "HIGH", "category": "DEMO_REQUEST", "primaryLanguage": "he",
    "detectedLanguages": ["he", "en"], "companyName": "Acme, Inc.", "tags": ["vip", "a;b", "c,d"],
    "sessionId": "s1", "conversationId": "conv 1", "propertyId": "A-1", "caseType": "sale", "wonReason": "w",
    "lossReason": "l", "ai": {"legitimate": True, "confidenceScore": 92, "reasons": ["valid, really"]},
    "session": {"userAgent": "Firefox", "ipAddress": "192.0.2.9", "country": "FR", "city": "Lyon"},
    "engagement": {
        "messageCount": 14, "sessionDurationSeconds": 310, "firstInterestAt": "2024-01-15T10:00:00Z",
        "lastInterestAt": "2024-01-15T10:30:00Z", "conversationSummary": "Wants\na demo",
    },
    "conversion": {"at": "2024-02-01T00:00:00Z", "value": "1200.50", "currency": "EUR", "source": "call"},
    "createdAt": "2024-01-15T09:00:00Z", "customFields": {"policy_no": "P-9", "count": 3}, "notes": "Call back",
}  # fmt: skip
SHOWN = """{ lead(id: "%s") { externalId name phone phoneDisplay email nationalId policyOfInterest preferredContactTime
  address { street city region postalCode country } status { key } statusCode source leadSource score interestLevel
  confidence category primaryLanguage detectedLanguages company { name } tags propertyId caseType wonReason lossReason
  ai { legitimate confidenceScore reasons } customFields createdAt createdBy notes { nodes { text } } notesCount
  session { sessionId userAgent ipAddress country city conversationId }
  engagement { messageCount sessionDurationSeconds firstInterestAt lastInterestAt conversationSummary }
  conversion { at value currency source } } }"""


async def create(desk: Desk, lead: dict, **variables: object) -> dict:
    return (await desk.ask(CREATE, lead=lead, **variables))["createLead"]


async def change(desk: Desk, lead_id: str, **variables: object) -> dict:
    return (await desk.ask(UPDATE, id=lead_id, **variables))["updateLead"]


async def test_every_field_that_is_given_is_shown_again(desk: Desk):
    answer = await create(desk, FULL)
    assert answer["userErrors"] == []
    shown = (await desk.ask(SHOWN % answer["lead"]["id"]))["lead"]
    assert shown.pop("phone") == "+12125550100"
    assert shown.pop("phoneDisplay") == "+1 212-555-0100"
    assert shown.pop("notes") == {"nodes": [{"text": "Call back"}]}
    assert shown.pop("notesCount") == 1
    assert shown.pop("company") == {"name": "Acme, Inc."}
    assert shown.pop("status") == {"key": "contacted"}
    assert shown.pop("createdBy") == "Owner"
    assert shown.pop("customFields") == {"policy_no": "P-9", "count": "3"}
    session = shown.pop("session")
    assert (session.pop("sessionId"), session.pop("conversationId")) == ("s1", "conv 1")
    assert session == FULL["session"]
    for instant in ("firstInterestAt", "lastInterestAt"):
        shown["engagement"][instant] = shown["engagement"][instant].replace("+00:00", "Z").replace(" ", "T")
    shown["conversion"]["at"] = shown["conversion"]["at"].replace("+00:00", "Z").replace(" ", "T")
    shown["createdAt"] = shown["createdAt"].replace("+00:00", "Z").replace(" ", "T")
    assert shown.pop("conversion") == FULL["conversion"] | {"value": "1200.5000"}
    expected = {key: value for key, value in FULL.items() if key in shown}
    assert shown == expected


async def test_a_duplicate_is_told_skipped_overwritten_filled_or_made_again(desk: Desk):
    first = (await create(desk, {"name": "A", "phone": PHONE}))["lead"]
    skipped = await create(desk, {"name": "B", "phone": "212 555 0100"})
    assert skipped["lead"] is None
    assert skipped["duplicateOf"] == {"id": first["id"], "name": "A"}
    assert skipped["userErrors"][0]["code"] == "DUPLICATE"
    filled = await create(desk, {"name": "B", "phone": PHONE, "email": "b@example.com"}, on="FILL_BLANKS")
    assert (filled["lead"], filled["userErrors"]) == ({"id": first["id"], "name": "A", "version": 2}, [])
    overwritten = await create(desk, {"name": "B", "phone": PHONE}, on="OVERWRITE")
    assert overwritten["lead"] == {"id": first["id"], "name": "B", "version": 3}
    assert overwritten["duplicateOf"]["id"] == first["id"]
    again = await create(desk, {"name": "C", "phone": PHONE}, on="CREATE_NEW")
    assert again["lead"]["id"] != first["id"]
    assert again["duplicateOf"] is None
    unclear = await create(desk, {"name": "D", "phone": PHONE}, on="OVERWRITE")
    assert unclear["lead"] is None
    assert unclear["userErrors"][0]["code"] == "DUPLICATE"


async def test_twenty_at_once_make_one_lead(desk: Desk):
    answers = await asyncio.gather(*(create(desk, {"name": str(n), "phone": PHONE}) for n in range(20)))
    assert sum(answer["lead"] is not None for answer in answers) == 1
    assert await desk.rows("select count(*) as n from app.leads") == [{"n": 1}]


async def test_s29_an_idempotency_key_gives_the_same_lead(desk: Desk):
    lead = {"name": "A"}
    answers = await asyncio.gather(*(create(desk, lead, key="k") for _ in range(8)))
    assert len({answer["lead"]["id"] for answer in answers}) == 1
    assert await desk.rows("select count(*) as n from app.leads") == [{"n": 1}]
    other = await create(desk, {"name": "B"}, key="k")
    assert other["userErrors"][0]["code"] == "IDEMPOTENCY_MISMATCH"


KEYED = {
    "createLead": 'createLead(input: {lead: {name: "A"}, idempotencyKey: $key})',
    "upsertLeads": "upsertLeads(input: {rows: [{}], idempotencyKey: $key})",
    "exportLeads": "exportLeads(input: {spec: {}, idempotencyKey: $key})",
    "importLeads": 'importLeads(input: {source: {uploadId: "none"}, idempotencyKey: $key})',
    "bulkDeleteLeads": 'bulkDeleteLeads(input: {target: {ids: ["none"]}, idempotencyKey: $key})',
}


@pytest.mark.parametrize("name", KEYED)
@pytest.mark.parametrize(("key", "code"), [("a\0b", "INVALID"), ("", "TOO_LONG"), ("k" * 201, "TOO_LONG")])
async def test_s29_an_idempotency_key_that_cannot_be_kept_is_refused_with_its_path(
    desk: Desk, name: str, key: str, code: str
):
    document = f"mutation($key: String) {{ {KEYED[name]} {{ userErrors {{ code path }} }} }}"
    answer = (await desk.ask(document, key=key))[name]
    assert answer["userErrors"] == [{"code": code, "path": ["input", "idempotencyKey"]}]


@pytest.mark.parametrize(
    ("lead", "code", "path"),
    [
        ({}, "REQUIRED", ["name"]),
        ({"name": "A", "status": "nowhere"}, "UNKNOWN_VALUE", ["status"]),
        ({"name": "A", "score": 101}, "OUT_OF_RANGE", ["score"]),
        ({"name": "x" * 501}, "TOO_LONG", ["name"]),
        ({"name": "A", "companyId": "company_x"}, "NOT_FOUND", ["companyId"]),
        ({"name": "A", "chatbotId": format_id(IdKind.CHATBOT, new_id())}, "NOT_FOUND", ["chatbotId"]),
        ({"name": "A", "assigneeId": format_id(IdKind.USER, new_id())}, "NOT_FOUND", ["assigneeId"]),
        ({"name": "A", "id": format_id(IdKind.LEAD, new_id())}, "INVALID", ["id"]),
        ({"name": "A", "customFields": {"k": [1]}}, "INVALID", ["customFields", "k"]),
        ({"name": "A", "ai": {"confidenceScore": -1}}, "OUT_OF_RANGE", ["ai", "confidenceScore"]),
    ],
)
async def test_what_is_wrong_with_a_lead_is_told_with_its_path(desk: Desk, lead: dict, code: str, path: list[str]):
    answer = await create(desk, lead)
    assert answer["lead"] is None
    assert [(error["code"], error["path"]) for error in answer["userErrors"]] == [(code, ["input", "lead", *path])]
    assert await desk.rows("select id from app.leads") == []


async def test_a_change_names_the_version_that_was_seen(desk: Desk):
    (lead,) = await desk.leads({"name": "A"})
    first = await change(desk, lead, set={"status": "qualified", "score": 90}, version=1)
    assert first == {"lead": {"id": lead, "version": 2}, "duplicateOf": None, "userErrors": []}
    second = await change(desk, lead, set={"score": 91}, version=1)
    assert second["lead"] is None
    (error,) = second["userErrors"]
    assert (error["code"], error["currentVersion"]) == ("VERSION_CONFLICT", 2)
    same = await change(desk, lead, set={"score": 90})
    assert same["lead"]["version"] == 2


async def test_twenty_changes_with_one_version_change_it_once(desk: Desk):
    (lead,) = await desk.leads({"name": "A"})
    answers = await asyncio.gather(*(change(desk, lead, set={"score": n}, version=1) for n in range(20)))
    assert sum(not answer["userErrors"] for answer in answers) == 1


async def test_what_is_left_out_stays_and_what_is_cleared_is_empty(desk: Desk):
    lead = (await create(desk, FULL))["lead"]["id"]
    clear = ["PHONE", "NATIONAL_ID", "TAGS", "DETECTED_LANGUAGES", "COMPANY_NAME", "ADDRESS", "CONVERSION_VALUE"]
    answer = await change(desk, lead, set={"score": 81, "customFields": {"policy_no": None, "x": "y"}}, clear=clear)
    assert answer["userErrors"] == []
    (row,) = await desk.rows(
        "select phone, phone_display, phone_key, national_id_cipher, national_id_last4, tags, detected_languages,"
        " company_id, address_street, address_city, address_country, conversion_value, score, custom, name, version"
        " from app.leads"
    )
    assert row == {
        **dict.fromkeys(("phone", "phone_display", "phone_key", "national_id_cipher", "national_id_last4", "company_id",
                         "address_street", "address_city", "address_country", "conversion_value")),
        "tags": [], "detected_languages": [], "score": 81, "custom": {"count": "3", "x": "y"}, "name": "Dana Levi",
        "version": 2,
    }  # fmt: skip
    found = await desk.ask('{ leads(filter: {search: "2125550100"}) { nodes { id } } }')
    assert found["leads"]["nodes"] == []


async def test_clearing_a_national_id_alone_is_a_change(desk: Desk):
    lead = (await create(desk, {"name": "A", "nationalId": "123456782"}))["lead"]["id"]
    assert (await change(desk, lead, clear=["NATIONAL_ID"]))["lead"]["version"] == 2
    assert (await change(desk, lead, clear=["NATIONAL_ID"]))["lead"]["version"] == 2


@pytest.mark.parametrize(
    ("change_of", "code", "path"),
    [
        ({}, "REQUIRED", ["input", "set"]),
        ({"clear": ["STATUS"]}, "INVALID", ["input", "clear", "0"]),
        ({"set": {"score": 1}, "clear": ["SCORE"]}, "INVALID", ["input", "clear", "0"]),
        ({"set": {"score": -1}}, "OUT_OF_RANGE", ["input", "set", "score"]),
    ],
)
async def test_what_is_wrong_with_a_change_is_told(desk: Desk, change_of: dict, code: str, path: list[str]):
    (lead,) = await desk.leads({"name": "A"})
    answer = await change(desk, lead, **change_of)
    assert [(error["code"], error["path"]) for error in answer["userErrors"]] == [(code, path)]


async def test_somebody_who_is_not_there_and_an_unknown_status_are_told_for_what_they_are(desk: Desk):
    (lead,) = await desk.leads({"name": "A"})
    absent = format_id(IdKind.USER, new_id())
    document = """mutation($id: ID!, $set: LeadInput!) { updateLead(input: {id: $id, set: $set}) {
      userErrors { __typename code path ... on NotFoundError { ids } ... on InputError { allowedValues } } } }"""
    answer = await desk.ask(document, id=lead, set={"assigneeId": absent, "status": "nowhere"})
    known = (await desk.ask("{ leadStatuses { key } }"))["leadStatuses"]
    path = ["input", "set"]
    assert sorted(answer["updateLead"]["userErrors"], key=lambda error: error["__typename"]) == [
        {
            "__typename": "InputError", "code": "UNKNOWN_VALUE", "path": [*path, "status"],
            "allowedValues": [status["key"] for status in known],
        },
        {"__typename": "NotFoundError", "code": "NOT_FOUND", "path": [*path, "assigneeId"], "ids": [absent]},
    ]  # fmt: skip


async def test_a_lead_keeps_a_status_that_is_no_longer_in_use_and_no_other_gets_it(desk: Desk):
    kept, other = await desk.leads({"name": "A", "status": "contacted"}, {"name": "B"})
    (status,) = await desk.rows("select id from app.statuses where key = 'contacted'")
    await desk.ask(RETIRE, id=format_id(IdKind.STATUS, status["id"]))
    assert (await change(desk, kept, set={"name": "A2", "status": "Contacted"}))["lead"]["version"] == 2
    assert (await change(desk, other, set={"status": "contacted"}))["userErrors"][0]["code"] == "UNKNOWN_VALUE"


async def test_clearing_the_last_call_leaves_nothing_of_it(desk: Desk):
    (lead,) = await desk.leads({"name": "A"})
    await desk.ask(CALL, id=lead, at="2024-05-01T10:00:00Z", status="answered", seconds=30)
    assert (await change(desk, lead, clear=["LAST_CALL_AT", "LAST_CALL_STATUS"]))["userErrors"] == []
    assert (await desk.ask(f'{{ lead(id: "{lead}") {{ lastCall {{ at }} }} }}'))["lead"] == {"lastCall": None}


async def test_a_lead_cannot_become_the_double_of_another(desk: Desk):
    first, second, closed = await desk.leads(
        {"name": "A", "phone": PHONE, "external_id": "x1"}, {"name": "B"},
        {"name": "C", "phone": PHONE, "status": "lost"},
    )  # fmt: skip
    for lead, given in ((second, {"phone": PHONE}), (second, {"externalId": "x1"}), (closed, {"status": "new"})):
        answer = await change(desk, lead, set=given)
        assert answer["lead"] is None
        assert answer["duplicateOf"] == {"id": first}
        assert answer["userErrors"][0]["code"] == "DUPLICATE"
    rows = await desk.rows("select phone, external_id, stage, version from app.leads order by name offset 1")
    assert rows[0] == {"phone": None, "external_id": None, "stage": "NEW", "version": 1}
    assert rows[1]["stage"] == "LOST"
    assert (await change(desk, closed, set={"name": "C2"}))["userErrors"] == []


async def test_with_the_scope_all_closed_leads_count_as_duplicates(office: Office):
    desk = await office.desk(settings=OrganizationSettings(duplicate_scope=DuplicateScope.ALL))
    closed, other = await desk.leads({"name": "A", "phone": PHONE, "status": "lost"}, {"name": "B"})
    assert (await change(desk, other, set={"phone": PHONE}))["duplicateOf"] == {"id": closed}
    assert (await create(desk, {"name": "C", "phone": PHONE}))["duplicateOf"]["id"] == closed
    assert (await change(desk, closed, set={"status": "new"}))["userErrors"] == []


async def test_s15_a_lead_of_another_organization_is_absent(desk: Desk):
    (foreign,) = await (await desk.office.desk()).leads({"name": "theirs"})
    absent = format_id(IdKind.LEAD, new_id())
    for lead in (foreign, absent, "lead_x", "job_x"):
        answers = [
            await change(desk, lead, set={"score": 1}),
            (await desk.ask(NOTE, id=lead, text="x"))["addNote"],
            (await desk.ask(CALL, id=lead, at="2024-01-01T00:00:00Z", status="ok"))["recordCall"],
        ]
        assert [[error["code"] for error in answer["userErrors"]] for answer in answers] == [["NOT_FOUND"]] * 3


async def test_a_note_is_added_and_found(desk: Desk):
    (lead,) = await desk.leads({"name": "A"})
    answer = (await desk.ask(NOTE, id=lead, text=" Asked for Tuesday "))["addNote"]
    assert answer["note"]["text"] == "Asked for Tuesday"
    assert answer["note"]["createdBy"] == "Owner"
    found = await desk.ask('{ leads(filter: {search: "tuesday"}) { nodes { id notesCount version } } }')
    assert found["leads"]["nodes"] == [{"id": lead, "notesCount": 1, "version": 2}]
    blank = (await desk.ask(NOTE, id=lead, text="  "))["addNote"]
    assert blank["userErrors"][0]["code"] == "REQUIRED"


async def test_the_lead_shows_its_latest_call(office: Office):
    desk = await office.desk(zone="Asia/Jerusalem")
    (lead,) = await desk.leads({"name": "A"})
    first = (await desk.ask(CALL, id=lead, at="2024-01-15T10:00:00", status="no_answer"))["recordCall"]["lead"]
    assert first["lastCall"]["at"].replace(" ", "T") == "2024-01-15T08:00:00+00:00"
    older = (await desk.ask(CALL, id=lead, at="2024-01-14T10:00:00Z", status="busy", seconds=3))["recordCall"]["lead"]
    assert (older["lastCall"]["status"], older["version"]) == ("no_answer", 2)
    newer = (await desk.ask(CALL, id=lead, at="2024-01-16T10:00:00Z", status="answered", seconds=60))["recordCall"]
    assert newer["lead"]["lastCall"]["durationSeconds"] == 60
    assert await desk.rows("select count(*) as n from app.calls") == [{"n": 3}]
    wrong = (await desk.ask(CALL, id=lead, at="2024-01-16T10:00:00Z", status=" ", seconds=-1))["recordCall"]
    assert [error["code"] for error in wrong["userErrors"]] == ["REQUIRED", "OUT_OF_RANGE"]


@pytest.mark.parametrize(("role", "may"), [(Role.VIEWER, False), (Role.AGENT, True), (Role.PRO, True)])
async def test_s16_agents_write_leads_and_viewers_do_not(desk: Desk, role: Role, may: bool):  # noqa: FBT001 - a case
    (lead,) = await desk.leads({"name": "A"})
    seat = desk.seat(role)
    answers = [
        await seat.execute(CREATE, lead={"name": "B"}),
        await seat.execute(UPDATE, id=lead, set={"score": 1}),
        await seat.execute(NOTE, id=lead, text="x"),
        await seat.execute(CALL, id=lead, at="2024-01-01T00:00:00Z", status="ok"),
    ]
    assert [not answer["errors"] for answer in answers] == [may] * 4


async def test_s16_an_agent_does_not_assign_leads(desk: Desk):
    (lead,) = await desk.leads({"name": "A"})
    user = await desk.user("Ann")
    agent = desk.seat(Role.AGENT)
    assert await agent.refusal(CREATE, lead={"name": "B", "assigneeId": user}) == "FORBIDDEN"
    assert await agent.refusal(UPDATE, id=lead, set={"assigneeId": user}) == "FORBIDDEN"
    assert await agent.refusal(UPDATE, id=lead, clear=["ASSIGNEE"]) == "FORBIDDEN"
    assert (await change(desk, lead, set={"assigneeId": user}))["userErrors"] == []
    assert await desk.rows("select assignee_id from app.leads") == [{"assignee_id": uuid(user)}]
    assert (await change(desk, lead, clear=["ASSIGNEE"]))["userErrors"] == []
    assert await desk.rows("select assignee_id from app.leads") == [{"assignee_id": None}]


async def test_a_program_that_may_not_read_sees_no_lead(desk: Desk):
    program = desk.program(Permission.LEADS_WRITE)
    answer = await create(program, {"name": "A", "phone": PHONE})
    assert (answer["lead"], answer["userErrors"]) == (None, [])
    assert (await create(program, {"name": "A", "phone": PHONE}))["duplicateOf"] is None


async def test_s27_acts_name_fields_and_never_values(desk: Desk):
    lead = (await create(desk, {"name": "Secret Person", "customFields": {"k": "hidden"}}))["lead"]["id"]
    await change(desk, lead, set={"email": "secret@example.com"}, clear=["SCORE"])
    await change(desk, lead, set={"email": "secret@example.com"})
    rows = await desk.rows("select action, lead_id, summary, details::text from app.activity order by at, id")
    assert [(row["action"], row["lead_id"]) for row in rows] == [
        ("LEAD_CREATED", uuid(lead)), ("LEAD_UPDATED", uuid(lead)),
    ]  # fmt: skip
    assert "email" in rows[1]["details"]
    assert "ecret" not in str(rows)
    assert "hidden" not in str(rows)


async def test_a_call_at_a_local_time_after_the_last_year_is_told_with_its_path(office: Office):
    desk = await office.desk(zone="America/New_York")
    (lead,) = await desk.leads({"name": "Dana"})
    answer = (await desk.ask(CALL, id=lead, at="9999-12-31T23:00:00", status="ended"))["recordCall"]
    assert [error["path"] for error in answer["userErrors"]] == [["input", "at"]]
