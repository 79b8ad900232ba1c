"""What an organization changes of itself, through the API."""

import asyncio
from base64 import urlsafe_b64encode

import pytest

from domain.ids import IdKind, format_id, new_id
from domain.vocabulary import Permission, Role
from tests.resolvers.office import Desk, Office, uuid

ERRORS = "userErrors { code message path ... on InputError { allowedValues } }"
SETTINGS = f"""mutation($input: UpdateSettingsInput!) {{ updateSettings(input: $input) {{
  settings {{ defaultCountry timeZone duplicateScope exportRoles exportRetentionDays importRetentionDays
    conversationUrlTemplate masking {{ field mode exceptRoles }} }} {ERRORS} }} }}"""
COMPANY = f"""mutation($input: SaveCompanyInput!) {{ saveCompany(input: $input) {{
  company {{ id name externalId }} {ERRORS} }} }}"""
CHATBOT = f"""mutation($input: SaveChatbotInput!) {{ saveChatbot(input: $input) {{
  chatbot {{ id name company {{ id name }} }} {ERRORS} }} }}"""
USER = f"""mutation($input: SaveUserInput!) {{ saveUser(input: $input) {{
  user {{ id externalId name email role active }} {ERRORS} }} }}"""
STATUS = f"""mutation($input: SaveLeadStatusInput!) {{ saveLeadStatus(input: $input) {{
  status {{ id key label stage position color active leadCount {{ value exact }} }} {ERRORS} }} }}"""
DELETE = f"""mutation($id: ID!, $to: ID!) {{ deleteLeadStatus(id: $id, moveLeadsTo: $to) {{ deletedId {ERRORS} }} }}"""
STATUSES = "{ leadStatuses { id key stage position active leadCount { value } } }"


async def save(desk: Desk, document: str, **given: object) -> dict:
    (answer,) = (await desk.ask(document, input=given)).values()
    return answer


async def statuses(desk: Desk) -> dict[str, dict]:
    return {status["key"]: status for status in (await desk.ask(STATUSES))["leadStatuses"]}


def codes(answer: dict) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["path"]) for error in answer["userErrors"]]


async def test_settings_change_and_stay_as_they_were_where_left_out(desk: Desk):
    answer = await save(
        desk, SETTINGS, defaultCountry="IL", timeZone="Asia/Jerusalem", exportRoles=["OWNER"],
        masking=[{"field": "PHONE", "mode": "PARTIAL", "exceptRoles": ["OWNER"]}], exportRetentionDays=3,
        conversationUrlTemplate="https://crm.example/c/{id}?x=1",
    )  # fmt: skip
    assert answer["userErrors"] == []
    again = await save(desk, SETTINGS, importRetentionDays=60, clear=["exportRetentionDays", "exportRoles"])
    assert again["settings"] == {
        "defaultCountry": "IL", "timeZone": "Asia/Jerusalem", "duplicateScope": "ACTIVE",
        "exportRoles": ["OWNER", "ADMIN", "PRO"], "exportRetentionDays": 7, "importRetentionDays": 60,
        "conversationUrlTemplate": "https://crm.example/c/{id}?x=1",
        "masking": [{"field": "PHONE", "mode": "PARTIAL", "exceptRoles": ["OWNER"]}],
    }  # fmt: skip
    shown = await desk.ask("{ viewer { organization { settings { timeZone } } } }")
    assert shown["viewer"]["organization"]["settings"]["timeZone"] == "Asia/Jerusalem"


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"defaultCountry": "XX"}, "UNKNOWN_VALUE", ["defaultCountry"]),
        ({"defaultCountry": "fr"}, "UNKNOWN_VALUE", ["defaultCountry"]),
        ({"timeZone": "Mars/Olympus"}, "UNKNOWN_VALUE", ["timeZone"]),
        ({"exportRetentionDays": 0}, "OUT_OF_RANGE", ["exportRetentionDays"]),
        ({"importRetentionDays": 4000}, "OUT_OF_RANGE", ["importRetentionDays"]),
        ({"conversationUrlTemplate": "javascript:alert({id})"}, "INVALID", ["conversationUrlTemplate"]),
        ({"conversationUrlTemplate": "https://{id}.example/"}, "INVALID", ["conversationUrlTemplate"]),
        ({"conversationUrlTemplate": "https://crm.example/"}, "INVALID", ["conversationUrlTemplate"]),
        ({"conversationUrlTemplate": "https://crm.example/{id}/{id}"}, "INVALID", ["conversationUrlTemplate"]),
        ({"masking": [{"field": "STATUS", "mode": "REDACT", "exceptRoles": []}]}, "INVALID", ["masking", "0", "field"]),
        ({"exportRoles": []}, "INVALID", ["exportRoles"]),
        ({"clear": ["nothing"]}, "UNKNOWN_VALUE", ["clear", "0"]),
        ({"timeZone": "UTC", "clear": ["timeZone"]}, "INVALID", ["clear", "0"]),
    ],
)
async def test_a_wrong_setting_is_refused_with_its_path(desk: Desk, given: dict, code: str, path: list[str]):
    answer = await save(desk, SETTINGS, **given)
    assert answer["settings"] is None
    assert codes(answer) == [(code, ["input", *path])]


async def test_s27_a_program_cannot_unmask_fields_for_itself(desk: Desk):
    program = desk.program(Permission.SETTINGS_MANAGE)
    assert await program.refusal(SETTINGS, input={"masking": []}) == "FORBIDDEN"
    assert await program.refusal(SETTINGS, input={"clear": ["masking"]}) == "FORBIDDEN"
    assert (await save(program, SETTINGS, timeZone="Europe/Paris"))["userErrors"] == []


async def test_a_change_is_recorded_with_what_changed(desk: Desk):
    await save(desk, SETTINGS, timeZone="Europe/Paris")
    await save(desk, SETTINGS, timeZone="Europe/Paris")
    rows = await desk.rows("select action, details, ip_address from app.activity")
    assert rows == [{"action": "SETTINGS_CHANGED", "details": {"timeZone": "Europe/Paris"}, "ip_address": None}]


async def test_companies_are_saved_under_names_that_are_unique_whatever_the_case(desk: Desk):
    made = (await save(desk, COMPANY, name=" Acme ", externalId="x"))["company"]
    assert (made["name"], made["externalId"]) == ("Acme", "x")
    other = (await save(desk, COMPANY, name="Other"))["company"]
    assert codes(await save(desk, COMPANY, name="ACME")) == [("DUPLICATE", ["input", "name"])]
    assert codes(await save(desk, COMPANY, id=other["id"], name="acme")) == [("DUPLICATE", ["input", "name"])]
    renamed = await save(desk, COMPANY, id=made["id"], name="Acme Ltd")
    assert renamed["company"] == {"id": made["id"], "name": "Acme Ltd", "externalId": "x"}


async def test_chatbots_belong_to_companies_of_the_organization(desk: Desk):
    company = (await save(desk, COMPANY, name="Acme"))["company"]
    bot = (await save(desk, CHATBOT, name="Bot", companyId=company["id"]))["chatbot"]
    assert bot["company"] == {"id": company["id"], "name": "Acme"}
    assert (await save(desk, CHATBOT, id=bot["id"], name="Bot 2"))["chatbot"]["company"]["id"] == company["id"]
    foreign = (await save(await desk.office.desk(), COMPANY, name="Theirs"))["company"]["id"]
    assert codes(await save(desk, CHATBOT, name="B3", companyId=foreign)) == [("NOT_FOUND", ["input", "companyId"])]


@pytest.mark.parametrize(("document", "kind"), [(COMPANY, IdKind.COMPANY), (CHATBOT, IdKind.CHATBOT)])
async def test_s15_what_another_organization_has_is_absent(desk: Desk, document: str, kind: IdKind):
    other = await desk.office.desk()
    theirs = (await save(other, document, name="Theirs"))[kind.value]["id"]
    for given in (theirs, format_id(kind, new_id()), "x"):
        assert codes(await save(desk, document, id=given, name="Mine")) == [("NOT_FOUND", ["input", "id"])]


async def test_an_owner_gives_roles_and_an_admin_does_not(desk: Desk):
    made = (await save(desk, USER, externalId="ann", name="Ann", email="ann@example.com", role="AGENT"))["user"]
    assert made["active"] is True
    admin = desk.seat(Role.ADMIN)
    assert codes(await save(admin, USER, id=made["id"], name="Ann", role="OWNER")) == [("FORBIDDEN", ["input", "role"])]
    assert codes(await save(admin, USER, name="New", role="VIEWER")) == [("FORBIDDEN", ["input", "role"])]
    assert codes(await save(admin, USER, id=made["id"], externalId="me", name="Ann", role="AGENT")) == [
        ("FORBIDDEN", ["input", "externalId"])
    ]
    renamed = await save(admin, USER, id=made["id"], name="Ann B.", role="AGENT", active=False)
    assert (renamed["user"]["name"], renamed["user"]["active"]) == ("Ann B.", False)
    promoted = await save(desk, USER, id=made["id"], name="Ann B.", role="ADMIN")
    assert (promoted["user"]["role"], promoted["user"]["active"]) == ("ADMIN", False)
    assert codes(await save(desk, USER, name="Root", role="SYSTEM_ADMIN")) == [("FORBIDDEN", ["input", "role"])]


async def test_an_admin_does_not_touch_an_owner(desk: Desk):
    owner = (await save(desk, USER, externalId="o", name="Olga", role="OWNER"))["user"]["id"]
    admin = desk.seat(Role.ADMIN)
    for given in ({"role": "OWNER", "active": False}, {"role": "AGENT"}, {"role": "OWNER", "externalId": "me"}):
        answer = await save(admin, USER, id=owner, name="Olga", **given)
        assert {code for code, _ in codes(answer)} == {"FORBIDDEN"}


async def test_the_last_active_owner_stays(desk: Desk):
    first = (await save(desk, USER, name="A", role="OWNER"))["user"]["id"]
    assert codes(await save(desk, USER, id=first, name="A", role="ADMIN")) == [("INVALID", ["input", "role"])]
    assert codes(await save(desk, USER, id=first, name="A", role="OWNER", active=False)) == [
        ("INVALID", ["input", "active"])
    ]
    second = (await save(desk, USER, name="B", role="OWNER"))["user"]["id"]
    answers = await asyncio.gather(*(save(desk, USER, id=user, name="X", role="ADMIN") for user in (first, second)))
    assert sorted(len(answer["userErrors"]) for answer in answers) == [0, 1]


async def test_the_subject_of_a_token_is_one_user(desk: Desk):
    await save(desk, USER, externalId="ann", name="Ann", role="AGENT")
    assert codes(await save(desk, USER, externalId="ann", name="B", role="AGENT")) == [
        ("DUPLICATE", ["input", "externalId"])
    ]
    assert codes(await save(desk, USER, name="C", email="nonsense", role="AGENT")) == [("INVALID", ["input", "email"])]


async def test_a_status_keeps_its_place_when_it_is_saved_after_another_one_was_deleted(desk: Desk):
    before = await statuses(desk)
    ids, keys = {key: status["id"] for key, status in before.items()}, list(before)
    await desk.ask(DELETE, id=ids[keys[1]], to=ids[keys[0]])
    rest = [keys[0], *keys[2:]]
    assert [status["position"] for status in (await statuses(desk)).values()] == list(range(len(rest)))
    await save(desk, STATUS, id=ids[rest[1]], key=rest[1], label="Renamed", stage=before[rest[1]]["stage"])
    assert list(await statuses(desk)) == rest


@pytest.mark.parametrize(
    ("document", "role"),
    [
        ("query($after: String) { viewer { organization { users(after: $after) { nodes { id } } } } }", Role.OWNER),
        ("query($after: String) { organizations(after: $after) { nodes { id } } }", Role.SYSTEM_ADMIN),
    ],
)
async def test_s06_a_cursor_with_the_nul_character_is_bad_user_input(desk: Desk, document: str, role: Role):
    cursor = urlsafe_b64encode(rb'["a\u0000b","01a1fef4-9568-7214-8fb8-d31da3d72cb2"]').decode()
    assert await desk.seat(role).refusal(document, after=cursor) == "BAD_USER_INPUT"


async def test_a_status_is_saved_at_its_place(desk: Desk):
    made = await save(desk, STATUS, key="call_back", label="לחזור", stage="CONTACTED", position=1, color="#ff0000")
    assert made["status"]["position"] == 1
    assert made["status"]["leadCount"] == {"value": 0, "exact": True}
    found = await statuses(desk)
    assert [status["position"] for status in found.values()] == list(range(len(found)))
    assert list(found)[:3] == ["new", "call_back", "contacted"]
    moved = await save(
        desk, STATUS, id=made["status"]["id"], key="call_back", label="x", stage="CONTACTED", position=99
    )
    assert moved["status"]["position"] == len(found) - 1
    assert moved["status"]["color"] == "#ff0000"


@pytest.mark.parametrize(
    ("given", "code", "name"),
    [
        ({"key": "NEW"}, "DUPLICATE", "key"), ({"key": "no blanks"}, "INVALID", "key"),
        ({"key": "x" * 65}, "INVALID", "key"), ({"key": "new2\n"}, "INVALID", "key"),
        ({"color": "red"}, "INVALID", "color"),
        ({"label": " "}, "REQUIRED", "label"), ({"position": -1}, "OUT_OF_RANGE", "position"),
        ({"id": "status_x"}, "NOT_FOUND", "id"),
    ],
)  # fmt: skip
async def test_a_wrong_status_is_refused_with_its_path(desk: Desk, given: dict, code: str, name: str):
    answer = await save(desk, STATUS, **({"key": "fine", "label": "Fine", "stage": "NEW"} | given))
    assert codes(answer) == [(code, ["input", name])]


async def test_the_last_status_in_use_stays_in_use(desk: Desk):
    found = list((await statuses(desk)).values())
    for status in found[1:]:
        answer = await save(desk, STATUS, id=status["id"], key=status["key"], label="x", stage="NEW", active=False)
        assert answer["userErrors"] == []
    last = found[0]
    answer = await save(desk, STATUS, id=last["id"], key=last["key"], label="x", stage="NEW", active=False)
    assert codes(answer) == [("INVALID", ["input", "active"])]


async def test_another_stage_moves_the_leads_of_the_status(desk: Desk):
    await desk.leads({"name": "A"}, {"name": "B", "status": "contacted"})
    status = (await statuses(desk))["contacted"]
    answer = await save(desk, STATUS, id=status["id"], key="contacted", label="Contacted", stage="WON")
    assert answer["status"]["leadCount"]["value"] == 1
    rows = await desk.rows("select name, stage, version from app.leads order by name")
    assert rows == [{"name": "A", "stage": "NEW", "version": 1}, {"name": "B", "stage": "WON", "version": 2}]


async def test_leads_that_would_be_doubles_keep_their_status_closed(desk: Desk):
    phone = "+12125550100"
    await desk.leads({"name": "A", "phone": phone, "status": "lost"}, {"name": "B", "phone": phone})
    lost = (await statuses(desk))["lost"]["id"]
    reopened = await save(desk, STATUS, id=lost, key="lost", label="Lost", stage="NEW")
    assert codes(reopened) == [("INVALID", ["input", "stage"])]
    assert (await statuses(desk))["lost"]["stage"] == "LOST"
    assert codes(await save(desk, STATUS, id=lost, key="lost", label="Lost", stage="WON")) == []


async def test_a_status_is_deleted_once_its_leads_have_another(desk: Desk):
    await desk.leads({"name": "A", "status": "contacted"})
    found = await statuses(desk)
    answer = await desk.ask(DELETE, id=found["contacted"]["id"], to=found["won"]["id"])
    assert answer["deleteLeadStatus"] == {"deletedId": found["contacted"]["id"], "userErrors": []}
    assert "contacted" not in await statuses(desk)
    assert await desk.rows("select status_id, stage from app.leads") == [
        {"status_id": uuid(found["won"]["id"]), "stage": "WON"}
    ]
    (act,) = (await desk.ask("{ activity(first: 1) { nodes { summary leadCount } } }"))["activity"]["nodes"]
    assert act == {"summary": "Status contacted deleted", "leadCount": 1}


async def test_a_status_needs_another_one_for_its_leads(desk: Desk):
    found, absent = await statuses(desk), format_id(IdKind.STATUS, new_id())
    foreign = (await statuses(await desk.office.desk()))["won"]["id"]
    new = found["new"]["id"]
    for id_, to, code, path in (
        (new, new, "INVALID", ["moveLeadsTo"]), (new, foreign, "NOT_FOUND", ["moveLeadsTo"]),
        (absent, new, "NOT_FOUND", ["id"]), (foreign, new, "NOT_FOUND", ["id"]), ("x", new, "NOT_FOUND", ["id"]),
    ):  # fmt: skip
        answer = (await desk.ask(DELETE, id=id_, to=to))["deleteLeadStatus"]
        assert codes(answer) == [(code, path)]


async def test_deleting_a_status_makes_no_doubles(desk: Desk):
    phone = "+12125550100"
    await desk.leads({"name": "A", "phone": phone, "status": "lost"}, {"name": "B", "phone": phone})
    found = await statuses(desk)
    answer = (await desk.ask(DELETE, id=found["lost"]["id"], to=found["new"]["id"]))["deleteLeadStatus"]
    assert codes(answer) == [("INVALID", ["moveLeadsTo"])]
    assert (await desk.ask(DELETE, id=found["lost"]["id"], to=found["won"]["id"]))["deleteLeadStatus"][
        "userErrors"
    ] == []


async def test_more_than_ten_thousand_leads_follow_their_status_by_a_job(desk: Desk):
    found = await statuses(desk)
    contacted = found["contacted"]["id"]
    async with desk.runtime.database.unit(desk.organization.id) as connection:
        await connection.execute(
            "insert into app.leads (id, name, status_id, stage) "
            "select gen_random_uuid(), n::text, $1, 'CONTACTED' from generate_series(1, 10001) n",
            uuid(contacted),
        )
    await save(desk, STATUS, id=contacted, key="contacted", label="x", stage="WON")
    await _quiet(desk)
    assert await desk.rows("select distinct stage from app.leads") == [{"stage": "WON"}]
    await desk.ask(DELETE, id=contacted, to=found["new"]["id"])
    await _quiet(desk)
    assert "contacted" not in await statuses(desk)
    assert await desk.rows("select distinct stage, status_id from app.leads") == [
        {"stage": "NEW", "status_id": uuid(found["new"]["id"])}
    ]


async def _quiet(desk: Desk) -> None:
    """Until every job of the organization has ended."""
    for _ in range(1200):
        states = {row["state"] for row in await desk.rows("select state from app.jobs")}
        if states <= {"COMPLETED"}:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(states)


MUTATIONS = {
    SETTINGS: {"timeZone": "UTC"},
    COMPANY: {"name": "A"},
    CHATBOT: {"name": "A"},
    USER: {"name": "A", "role": "VIEWER"},
    STATUS: {"key": "k", "label": "L", "stage": "NEW"},
}


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SYSTEM_ADMIN])
async def test_s16_admins_and_owners_manage_settings(office: Office, role: Role):
    desk = await office.desk()
    seat, found = desk.seat(role), await statuses(desk)
    answers = [await seat.execute(document, input=given) for document, given in MUTATIONS.items()]
    answers.append(await seat.execute(DELETE, id=found["won"]["id"], to=found["new"]["id"]))
    refused = [[error["extensions"]["code"] for error in answer["errors"]] for answer in answers]
    assert refused == [[] if role in (Role.ADMIN, Role.OWNER) else ["FORBIDDEN"]] * len(answers)
