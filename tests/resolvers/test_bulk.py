"""Bulk operations through the API, carried out by a real worker."""

import pytest

from domain.clearing import CLEARABLE
from domain.ids import IdKind, format_id, new_id
from domain.settings import Limits
from domain.vocabulary import Permission, Role
from tests.resolvers.office import Desk, Office, uuid

JOB = """job { id state dryRun matched changed unchanged failed
  results { totalCount { value } nodes { leadId outcome code message } } }
  userErrors { code message path }"""
UPDATE = f"""mutation($target: LeadTarget!, $set: LeadPatchInput!, $dry: Boolean! = false, $key: String) {{
  bulkUpdateLeads(input: {{target: $target, set: $set, dryRun: $dry, waitSeconds: 20, idempotencyKey: $key}}) {{
    {JOB} }}
}}"""
ASSIGN = f"""mutation($target: LeadTarget!, $users: [ID!]!, $dry: Boolean! = false) {{
  bulkAssignLeads(input: {{target: $target, assigneeIds: $users, dryRun: $dry, waitSeconds: 20}}) {{ {JOB} }}
}}"""
DELETE = f"""mutation($target: LeadTarget!, $dry: Boolean! = false) {{
  bulkDeleteLeads(input: {{target: $target, dryRun: $dry, waitSeconds: 20}}) {{ {JOB} }}
}}"""


async def update(desk: Desk, target: dict, set: dict, **variables: object) -> dict:  # noqa: A002 - the contract's name
    answer = await desk.ask(UPDATE, target=target, set=set, **variables)
    return answer["bulkUpdateLeads"]


def counts(job: dict) -> tuple[int, int, int, int]:
    return job["matched"], job["changed"], job["unchanged"], job["failed"]


async def test_leads_by_ids_change_and_each_has_a_result(desk: Desk):
    first, second = await desk.leads({"name": "A"}, {"name": "B", "status": "contacted", "tags": ["q4"]})
    unknown = format_id(IdKind.LEAD, new_id())
    answer = await update(desk, {"ids": [first, second, unknown, "nonsense", first]},
                          {"status": "contacted", "addTags": ["q4"]})  # fmt: skip
    job = answer["job"]
    assert (job["state"], counts(job)) == ("COMPLETED", (2, 1, 1, 0))
    assert [(row["leadId"], row["outcome"]) for row in job["results"]["nodes"]] == [
        (first, "CHANGED"), (second, "UNCHANGED"), (unknown, "NOT_FOUND"), ("nonsense", "NOT_FOUND"),
    ]  # fmt: skip
    rows = await desk.rows("select stage, tags, version, updated_by from app.leads order by name")
    assert rows == [
        {"stage": "CONTACTED", "tags": ["q4"], "version": 2, "updated_by": "Owner"},
        {"stage": "CONTACTED", "tags": ["q4"], "version": 1, "updated_by": None},
    ]


async def test_a_filter_needs_the_number_that_the_person_saw(desk: Desk):
    await desk.leads({"name": "A"}, {"name": "B"})
    missing = await update(desk, {"filter": {}}, {"score": 5})
    assert [error["code"] for error in missing["userErrors"]] == ["REQUIRED"]
    other = await update(desk, {"filter": {}, "expectedCount": 3}, {"score": 5})
    assert other["job"] is None
    assert other["userErrors"][0]["code"] == "COUNT_CHANGED"
    assert other["userErrors"][0]["path"] == ["input", "target", "expectedCount"]
    assert await desk.rows("select count(*) as n from app.jobs") == [{"n": 0}]
    right = await update(desk, {"filter": {"name": {"eq": "a"}}, "expectedCount": 1}, {"score": 5})
    assert counts(right["job"]) == (1, 1, 0, 0)


async def test_a_dry_run_counts_and_changes_nothing(desk: Desk):
    first, second = await desk.leads({"name": "A"}, {"name": "B", "score": 7})
    answer = await update(desk, {"ids": [first, second]}, {"score": 7, "addNote": "hello"}, dry=True)
    assert counts(answer["job"]) == (2, 2, 0, 0)
    plain = await update(desk, {"ids": [first, second]}, {"score": 7}, dry=True)
    assert counts(plain["job"]) == (2, 1, 1, 0)
    rows = await desk.rows("select score, version, notes_count from app.leads order by name")
    assert rows == [{"score": None, "version": 1, "notes_count": 0}, {"score": 7, "version": 1, "notes_count": 0}]


async def test_every_field_of_a_patch_reaches_the_lead(desk: Desk):
    lead, = await desk.leads({
        "name": "A", "tags": ["old", "kept"], "custom": {"a": "1", "b": "2"}, "case_type": "x",
        "email": "a@example.com",
    })  # fmt: skip
    patch = {
        "source": "WEB", "leadSource": "Ads", "score": 9, "interestLevel": "HOT", "category": "PRICING_INQUIRY",
        "addTags": ["new"], "removeTags": ["old"], "wonReason": "price", "addNote": "Called twice",
        "customFields": {"a": None, "c": 3}, "clear": ["CASE_TYPE", "EMAIL"],
    }  # fmt: skip
    answer = await update(desk, {"ids": [lead]}, patch)
    assert counts(answer["job"]) == (1, 1, 0, 0), answer
    (row,) = await desk.rows(
        "select source, lead_source, score, interest_level, category, tags, won_reason, custom, case_type, email,"
        " email_key, notes_count, search_text from app.leads"
    )
    assert row == {
        "source": "WEB", "lead_source": "Ads", "score": 9, "interest_level": "HOT", "category": "PRICING_INQUIRY",
        "tags": ["kept", "new"], "won_reason": "price", "custom": {"b": "2", "c": "3"}, "case_type": None,
        "email": None, "email_key": None, "notes_count": 1, "search_text": "a called twice",
    }  # fmt: skip
    assert await desk.rows("select text, created_by from app.notes") == [
        {"text": "Called twice", "created_by": "Owner"}
    ]
    assert await desk.rows("select key from app.custom_fields") == [{"key": "c"}]
    again = await update(desk, {"ids": [lead]}, {"addNote": "Called twice", "customFields": {"c": "3"}})
    assert counts(again["job"]) == (1, 0, 1, 0)


async def test_whatever_a_lead_may_lack_can_be_emptied_in_many(desk: Desk):
    (lead,) = await desk.leads({"name": "A", "tags": ["old"], "score": 3, "detected_languages": ["he"]})
    answer = await update(desk, {"ids": [lead]}, {"clear": [key.name for key in CLEARABLE]})
    assert counts(answer["job"]) == (1, 1, 0, 0), answer
    tagged = await update(desk, {"ids": [lead]}, {"clear": ["TAGS"], "addTags": ["new"]})
    assert counts(tagged["job"]) == (1, 1, 0, 0), tagged
    (row,) = await desk.rows("select name, tags, score, detected_languages from app.leads")
    assert row == {"name": None, "tags": ["new"], "score": None, "detected_languages": []}


@pytest.mark.parametrize(
    ("patch", "code", "path"),
    [
        ({}, "REQUIRED", ["input", "set"]),
        ({"status": "nowhere"}, "UNKNOWN_VALUE", ["input", "set", "status"]),
        ({"score": 101}, "OUT_OF_RANGE", ["input", "set", "score"]),
        ({"addTags": [" "]}, "REQUIRED", ["input", "set", "addTags", "0"]),
        ({"clear": ["STATUS"]}, "INVALID", ["input", "set", "clear", "0"]),
        ({"score": 1, "clear": ["SCORE"]}, "INVALID", ["input", "set", "clear", "0"]),
        ({"customFields": {"k": {"nested": 1}}}, "INVALID", ["input", "set", "customFields", "k"]),
        ({"leadSource": "x" * 256}, "TOO_LONG", ["input", "set", "leadSource"]),
    ],
)
async def test_what_is_wrong_with_a_patch_is_told_with_its_path(desk: Desk, patch: dict, code: str, path: list[str]):
    (lead,) = await desk.leads({"name": "A"})
    answer = await update(desk, {"ids": [lead]}, patch)
    assert answer["job"] is None
    assert [(error["code"], error["path"]) for error in answer["userErrors"]] == [(code, path)]


async def test_a_lead_that_would_double_an_active_one_fails_alone(desk: Desk):
    ids = await desk.leads(
        {"name": "open", "phone": "+12025550101"},
        {"name": "twin of open", "phone": "+12025550101", "status": "lost"},
        {"name": "first", "phone": "+12025550102", "status": "lost"},
        {"name": "second", "phone": "+12025550102", "status": "won"},
        {"name": "alone", "status": "lost"},
    )
    for dry in (True, False):
        answer = await update(desk, {"ids": ids}, {"status": "contacted"}, dry=dry)
        job = answer["job"]
        assert (job["state"], counts(job)) == ("COMPLETED_WITH_ERRORS", (5, 3, 0, 2))
        failed = [row for row in job["results"]["nodes"] if row["outcome"] == "FAILED"]
        assert [(row["leadId"], row["code"]) for row in failed] == [(ids[1], "DUPLICATE"), (ids[3], "DUPLICATE")]
    rows = await desk.rows("select name from app.leads where stage in ('WON', 'LOST') order by name")
    assert [row["name"] for row in rows] == ["second", "twin of open"]


async def test_a_lead_whose_phone_is_emptied_doubles_none(desk: Desk):
    closed, _ = await desk.leads(
        {"name": "A", "phone": "+12125550100", "status": "lost"}, {"name": "B", "phone": "+12125550100"}
    )
    answer = await update(desk, {"ids": [closed]}, {"status": "new", "clear": ["PHONE"]})
    assert counts(answer["job"]) == (1, 1, 0, 0)
    assert await desk.rows("select stage, phone_key from app.leads where name = 'A'") == [
        {"stage": "NEW", "phone_key": None}
    ]


async def test_texts_are_kept_without_the_blanks_around_them(desk: Desk):
    ads, none = await desk.leads({"name": "A", "lead_source": "Ads"}, {"name": "B"})
    answer = await update(desk, {"ids": [ads, none]}, {"leadSource": " Ads "})
    assert counts(answer["job"]) == (2, 1, 1, 0)
    assert await desk.rows("select distinct lead_source from app.leads") == [{"lead_source": "Ads"}]


async def test_leads_are_shared_out_evenly(desk: Desk):
    leads = await desk.leads(*({"name": str(number)} for number in range(7)))
    users = [await desk.user(name) for name in ("Ann", "Bob", "Cem")]
    unknown = format_id(IdKind.LEAD, new_id())
    target = {"ids": [unknown, *leads]}
    dry = (await desk.ask(ASSIGN, target=target, users=users, dry=True))["bulkAssignLeads"]
    assert counts(dry["job"]) == (7, 7, 0, 0)
    answer = (await desk.ask(ASSIGN, target=target, users=users))["bulkAssignLeads"]
    assert counts(answer["job"]) == (7, 7, 0, 0)
    rows = await desk.rows("select assignee_id from app.leads order by name")
    assert [row["assignee_id"] for row in rows] == [uuid(users[place % 3]) for place in range(7)]


async def test_leads_go_to_active_users_of_the_organization_alone(desk: Desk):
    (lead,) = await desk.leads({"name": "A"})
    gone = await desk.user("Gone", active=False)
    foreign = await (await desk.office.desk()).user("Foreign")
    answer = (await desk.ask(ASSIGN, target={"ids": [lead]}, users=[gone, foreign, "user_x"]))["bulkAssignLeads"]
    assert [error["code"] for error in answer["userErrors"]] == ["NOT_FOUND"]


async def test_deleted_leads_leave_a_tombstone_and_nothing_else(desk: Desk):
    first, second = await desk.leads({"name": "A", "external_id": "x1"}, {"name": "B"})
    await update(desk, {"ids": [first, second]}, {"addNote": "bye"})
    dry = (await desk.ask(DELETE, target={"ids": [first]}, dry=True))["bulkDeleteLeads"]
    assert counts(dry["job"]) == (1, 1, 0, 0)
    assert await desk.rows("select count(*) as n from app.leads") == [{"n": 2}]
    answer = (await desk.ask(DELETE, target={"ids": [first]}))["bulkDeleteLeads"]
    assert counts(answer["job"]) == (1, 1, 0, 0)
    assert await desk.rows("select name from app.leads") == [{"name": "B"}]
    assert await desk.rows("select count(*) as n from app.notes") == [{"n": 1}]
    assert await desk.rows("select lead_id, external_id from app.lead_deletions") == [
        {"lead_id": uuid(first), "external_id": "x1"}
    ]
    again = (await desk.ask(DELETE, target={"ids": [first]}))["bulkDeleteLeads"]
    assert counts(again["job"]) == (0, 0, 0, 0)
    assert again["job"]["results"]["nodes"][0]["outcome"] == "NOT_FOUND"


async def test_s15_leads_of_another_organization_are_not_found(desk: Desk):
    (foreign,) = await (await desk.office.desk()).leads({"name": "theirs"})
    answer = await update(desk, {"ids": [foreign]}, {"score": 1})
    assert counts(answer["job"]) == (0, 0, 0, 0)
    assert answer["job"]["results"]["nodes"] == [
        {"leadId": foreign, "outcome": "NOT_FOUND", "code": None, "message": None}
    ]
    assert await desk.rows("select count(*) as n from app.leads") == [{"n": 0}]


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.VIEWER, (False, False, False)), (Role.AGENT, (False, False, False)), (Role.PRO, (True, True, False)),
        (Role.ADMIN, (True, True, True)), (Role.OWNER, (True, True, True)), (Role.SYSTEM_ADMIN, (True, True, True)),
    ],
)  # fmt: skip
async def test_s16_roles_may_do_what_the_table_says(desk: Desk, role: Role, may: tuple[bool, ...]):
    (lead,) = await desk.leads({"name": "A"})
    user = await desk.user("Ann")
    seat, target = desk.seat(role), {"ids": [lead]}
    answers = [
        await seat.execute(UPDATE,
                           target=target, set={"score": 1}),
        await seat.execute(ASSIGN, target=target, users=[user]),
        await seat.execute(DELETE, target=target),
    ]  # fmt: skip
    assert tuple(not answer["errors"] for answer in answers) == may
    refused = {error["extensions"]["code"] for answer in answers for error in answer["errors"]}
    assert refused <= {"FORBIDDEN"}


async def test_a_program_without_leads_assign_cannot_take_assignees_away(desk: Desk):
    (lead,) = await desk.leads({"name": "A"})
    program = desk.program(Permission.LEADS_READ, Permission.BULK_OPERATE)
    assert await program.refusal(UPDATE, target={"ids": [lead]}, set={"clear": ["ASSIGNEE"]}) == "FORBIDDEN"


async def test_s29_the_same_key_and_input_are_one_job(desk: Desk):
    await desk.leads({"name": "A"})
    target = {"filter": {}, "expectedCount": 1}
    first = await update(desk, target, {"score": 1}, key="k1")
    await desk.leads({"name": "B"})
    again = await update(desk, target, {"score": 1}, key="k1")
    assert again["job"]["id"] == first["job"]["id"]
    other = await update(desk, target, {"score": 2}, key="k1")
    assert other["userErrors"][0]["code"] == "IDEMPOTENCY_MISMATCH"


async def test_too_many_ids_are_refused_with_the_limit(office: Office):
    desk = await office.desk(limits=Limits(max_bulk_ids=2))
    ids = await desk.leads({"name": "A"}, {"name": "B"}, {"name": "C"})
    document = UPDATE.replace(
        "userErrors { code message path }", "userErrors { code ... on LimitError { limit actual } }"
    )
    answer = (await desk.ask(document, target={"ids": ids}, set={"score": 1}))["bulkUpdateLeads"]
    assert answer["userErrors"] == [{"code": "LIMIT_EXCEEDED", "limit": "2", "actual": "3"}]


async def test_an_unknown_status_or_a_masked_field_in_a_filter_has_its_path(desk: Desk):
    answer = await update(desk, {"filter": {"status": {"eq": "nowhere"}}, "expectedCount": 0}, {"score": 1})
    assert answer["job"] is None
    assert answer["userErrors"][0]["code"] == "UNKNOWN_VALUE"


async def test_results_are_paged_and_narrowed_by_outcome(desk: Desk):
    ids = await desk.leads(*({"name": str(number)} for number in range(5)))
    answer = await update(desk, {"ids": [*ids, "lead_x"]}, {"score": 1})
    job_id = answer["job"]["id"]
    page = """query($id: ID!, $after: String) { job(id: $id) { ... on BulkJob {
      results(outcome: [CHANGED], first: 2, after: $after) {
        nodes { leadId } pageInfo { hasNextPage endCursor } totalCount { value exact } } } } }"""
    seen, after = [], None
    while True:
        variables = {"id": job_id} | ({"after": after} if after else {})
        results = (await desk.ask(page, **variables))["job"]["results"]
        seen += [node["leadId"] for node in results["nodes"]]
        assert results["totalCount"] == {"value": 5, "exact": True}
        after = results["pageInfo"]["endCursor"]
        if not results["pageInfo"]["hasNextPage"]:
            break
    assert seen == ids
    assert await desk.refusal(page, id=job_id, after="garbage") == "BAD_USER_INPUT"


async def test_the_act_is_recorded_when_it_begins_and_when_it_ends(desk: Desk):
    (lead,) = await desk.leads({"name": "A"})
    await update(desk, {"ids": [lead]}, {"score": 1})
    rows = await desk.rows("select action, actor_name, lead_count, details from app.activity order by at, id")
    assert [(row["action"], row["actor_name"], row["lead_count"]) for row in rows] == [
        ("BULK_STARTED", "Owner", None), ("BULK_FINISHED", "Owner", 1),
    ]  # fmt: skip
    assert rows[0]["details"]["fields"] == ["score"]


async def test_a_deletion_is_an_act_of_its_own_and_a_dry_run_is_none(desk: Desk):
    leads = await desk.leads({"name": "Ida"}, {"name": "Bo"})
    sql = "select lead_count, job_id, summary from app.activity where action = 'LEAD_DELETED'"
    await desk.ask(DELETE, target={"ids": leads}, dry=True)
    assert await desk.rows(sql) == []
    job = (await desk.ask(DELETE, target={"ids": leads}))["bulkDeleteLeads"]["job"]
    assert await desk.rows(sql) == [{"lead_count": 2, "job_id": uuid(job["id"]), "summary": "2 leads deleted"}]


async def test_an_id_that_cannot_be_stored_is_refused_where_it_stands(desk: Desk):
    answer = (await desk.ask(DELETE, target={"ids": [*await desk.leads({"name": "Ann"}), "a\0"]}))["bulkDeleteLeads"]
    assert [(error["code"], error["path"]) for error in answer["userErrors"]] == [
        ("INVALID", ["input", "target", "ids", "1"])
    ]
