from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from db.pool import Database
from domain.errors import BadInput, Forbidden
from domain.ids import new_id
from domain.settings import MaskingRule, OrganizationSettings
from domain.vocabulary import LeadFieldKey, MaskingMode, Permission, Role
from tests.conftest import MakeOrganization, actor_of
from tests.lead_rows import add_leads, statuses_of
from tests.resolvers.lead_schema import NATIONAL_IDS, Requester


async def one_lead(requester: Requester, **columns: object) -> str:
    (identity,) = await add_leads(requester.database, requester.organization, [columns])
    return f"lead_{identity}"


@pytest.fixture
async def requester(shared_database: Database, shared_organization: MakeOrganization) -> Requester:
    return Requester(shared_database, await shared_organization(zone="Asia/Jerusalem"))


async def test_a_lead_is_found_by_its_id_on_both_ways(requester: Requester):
    shown = await one_lead(requester, name="Dana")
    document = "query($id: ID!) { lead(id: $id) { id name } node(id: $id) { __typename ... on Lead { name } } }"
    data = await requester.ask(document, id=shown)
    assert data == {"lead": {"id": shown, "name": "Dana"}, "node": {"__typename": "Lead", "name": "Dana"}}


async def test_malformed_absent_foreign_and_other_ids_all_answer_null(
    requester: Requester, shared_organization: MakeOrganization
):
    foreign = await one_lead(Requester(requester.database, await shared_organization()), name="Foreign")
    own = await one_lead(requester, name="Own")
    for given in (foreign, f"lead_{new_id()}", "lead_1", "", own.replace("lead", "job"), own.upper(), f"{own}\n"):
        assert await requester.ask("query($id: ID!) { lead(id: $id) { name } }", id=given) == {"lead": None}


async def test_objects_are_null_where_nothing_of_them_is_known(requester: Requester):
    empty = await one_lead(requester)
    document = """query($id: ID!) { lead(id: $id) { address { city } ai { reasons } session { city } engagement
        { messageCount } conversion { value } lastCall { at } company { id } chatbot { id } assignee { id } } }"""
    data = await requester.ask(document, id=empty)
    assert set(data["lead"].values()) == {None}
    filled = await one_lead(requester, ai_verification_reasons=["x"], last_call_duration_seconds=0, address_city="Lyon")
    data = await requester.ask(document, id=filled)
    assert data["lead"]["ai"] == {"reasons": ["x"]}
    assert data["lead"]["lastCall"] == {"at": None}
    assert data["lead"]["address"] == {"city": "Lyon"}


async def test_s27_masks_hold_in_every_form_a_value_has(
    shared_database: Database, shared_organization: MakeOrganization
):
    keys = ("EMAIL", "PHONE", "NOTES", "CONVERSION_VALUE", "TAGS", "ADDRESS", "COMPANY_NAME", "SCORE")
    rules = tuple(MaskingRule(LeadFieldKey[key], MaskingMode.PARTIAL) for key in keys)
    settings = OrganizationSettings(masking=rules, conversation_url_template="https://crm.example/{id}")
    requester = Requester(shared_database, await shared_organization(settings=settings), Role.AGENT)
    company = new_id()
    async with shared_database.unit(requester.organization.id) as connection:
        await connection.execute("insert into app.companies (id, name, name_key) values ($1, 'Secret', 's')", company)
    shown = await one_lead(
        requester,
        phone="+33612345678",
        email="dana@example.com",
        conversion_value=Decimal(3),
        tags=["vip"],
        address_city="Lyon",
        company_id=company,
        score=7,
    )
    async with shared_database.unit(requester.organization.id) as connection:
        await connection.execute(
            "insert into app.notes (id, lead_id, text) values ($1, $2, 'secret')", new_id(), UUID(shown[5:])
        )
    document = """query($id: ID!) { lead(id: $id) { phone phoneDisplay email score tags conversion { value }
        address { city } company { id name } notes { nodes { text } } maskedFields } }"""
    lead = (await requester.ask(document, id=shown))["lead"]
    masked = lead.pop("maskedFields")
    assert lead == {
        "phone": "***5678",
        "phoneDisplay": "***6 78",
        "email": "d***@example.com",
        "score": None,
        "tags": [],
        "conversion": {"value": None},
        "address": {"city": "L***"},
        "company": None,
        "notes": {"nodes": [{"text": "s***"}]},
    }
    assert {"PHONE", "PHONE_DISPLAY", "COMPANY_ID", "ADDRESS_CITY", "NATIONAL_ID"} <= set(masked)
    requester.role = Role.ADMIN
    assert (await requester.ask(document, id=shown))["lead"]["email"] == "dana@example.com"


async def test_a_conversations_id_is_percent_encoded_in_its_link(
    shared_database: Database, shared_organization: MakeOrganization
):
    settings = OrganizationSettings(conversation_url_template="https://crm.example/{id}?x=1")
    requester = Requester(shared_database, await shared_organization(settings=settings), Role.AGENT)
    links = {"c-7._~A": "c-7._~A", "a b/é": "a%20b%2F%C3%A9", "?&#%": "%3F%26%23%25"}
    for text in links:
        await one_lead(requester, conversation_id=text)
    data = await requester.ask("{ leads { nodes { session { conversationId conversationUrl } } } }")
    sessions = [lead["session"] for lead in data["leads"]["nodes"]]
    assert {session["conversationId"]: session["conversationUrl"] for session in sessions} == {
        text: f"https://crm.example/{encoded}?x=1" for text, encoded in links.items()
    }


async def test_s27_a_national_id_is_opened_only_for_those_who_may_and_that_is_recorded(requester: Requester):
    identity = new_id()
    sealed = NATIONAL_IDS.seal("123456782", str(identity))
    await one_lead(requester, id=identity, national_id_cipher=sealed, national_id_last4="6782")
    await one_lead(requester, name="without")
    document = "{ leads { nodes { number: nationalId } } }"
    requester.role = Role.PRO
    numbers = {lead["number"] for lead in (await requester.ask(document))["leads"]["nodes"]}
    assert numbers == {"***6782", None}
    requester.role = Role.ADMIN
    numbers = {lead["number"] for lead in (await requester.ask(document))["leads"]["nodes"]}
    assert numbers == {"123456782", None}
    acts = await requester.database.read(
        requester.organization.id, "select action, lead_id, lead_count, details from app.activity"
    )
    assert [(act["action"], act["lead_id"], act["lead_count"]) for act in acts] == [("UNMASKED_READ", identity, 1)]


async def test_a_damaged_national_id_is_null_and_the_rest_of_the_lead_is_there(requester: Requester):
    shown = await one_lead(requester, name="Dana", national_id_cipher="k.broken")
    document = "query($id: ID!) { lead(id: $id) { name nationalId } }"
    assert (await requester.ask(document, id=shown))["lead"] == {"name": "Dana", "nationalId": None}


async def test_notes_come_newest_first_in_pages(requester: Requester):
    shown = await one_lead(requester, name="Dana")
    async with requester.database.unit(requester.organization.id) as connection:
        for number in range(5):
            await connection.execute(
                "insert into app.notes (id, lead_id, text, created_at) values ($1, $2, $3, $4)",
                new_id(),
                UUID(shown[5:]),
                f"note {number}",
                datetime(2026, 1, 1, number // 2, tzinfo=UTC),
            )
    document = """query($id: ID!, $after: String = "") { lead(id: $id) { notes(first: 2, after: $after) {
        nodes { text createdAt } pageInfo { hasNextPage endCursor } } } }"""
    texts, cursor, more = list[str](), None, True
    while more:
        declared = document if cursor else document.replace(", after: $after", "").replace(', $after: String = ""', "")
        variables = {"id": shown} | ({"after": cursor} if cursor else {})
        notes = (await requester.ask(declared, **variables))["lead"]["notes"]
        texts += [note["text"] for note in notes["nodes"]]
        cursor, more = notes["pageInfo"]["endCursor"], notes["pageInfo"]["hasNextPage"]
    assert texts == ["note 4", "note 3", "note 2", "note 1", "note 0"]


async def test_leads_of_a_list_of_payloads_are_read_by_one_statement(requester: Requester):
    shown = [await one_lead(requester, name=f"n{index}") for index in range(5)]
    statements = list[str]()
    original = requester.database.read

    class Counting:
        async def read(self, organization_id: UUID, sql: str, *args: object) -> object:
            statements.append(sql)
            return await original(organization_id, sql, *args)

    counting = Requester(Counting(), requester.organization)
    given = [*shown, shown[0], f"lead_{new_id()}"]
    data = await counting.ask("query($ids: [ID!]!) { payloads(ids: $ids) { lead { name } } }", ids=given)
    names = [payload["lead"] and payload["lead"]["name"] for payload in data["payloads"]]
    assert names == ["n0", "n1", "n2", "n3", "n4", "n0", None]
    assert len(statements) == 1


async def test_whoever_may_not_read_leads_is_told_which_permission_lacks(requester: Requester):
    actor = actor_of(Role.VIEWER, requester.organization)
    requester.actor = type(actor)(actor.kind, actor.organization_id, None, "key", None, frozenset())
    for document in ("{ leads { nodes { id } } }", "{ leadStatuses { id } }", "{ leadFields { key } }"):
        refused = await requester.refusal(document)
        assert isinstance(refused, Forbidden)
        assert refused.permission is Permission.LEADS_READ


async def test_statuses_count_their_leads_in_the_organization_s_order(requester: Requester):
    await add_leads(
        requester.database,
        requester.organization,
        [{"status": "new", "score": 1}, {"status": "new"}, {"status": "won"}],
    )
    await add_leads(requester.database, requester.organization, [{"status": "lost", "score": 90}])
    data = await requester.ask(
        "{ leadStatuses { key all: leadCount { value } high: leadCount(filter: {score: {gt: 50}}) { value } } }"
    )
    counts = {status["key"]: (status["all"]["value"], status["high"]["value"]) for status in data["leadStatuses"]}
    assert counts["new"] == (2, 0)
    assert counts["lost"] == (1, 1)
    statuses = await statuses_of(requester.database, requester.organization)
    assert set(counts) == set(statuses)


async def test_groups_count_sum_and_average_by_what_leads_have_in_common(requester: Requester):
    day = datetime(2026, 1, 31, 23, tzinfo=UTC)
    rows = [
        {"source": "WALK_IN", "score": 10, "conversion_value": Decimal("1.5"), "conversion_currency": "EUR"},
        {"source": "WALK_IN", "score": 20, "conversion_value": Decimal(2), "conversion_currency": "EUR"},
        {"source": "WEB", "conversion_value": Decimal(1), "conversion_currency": "EUR"},
        {"source": "WEB", "conversion_value": Decimal(1), "conversion_currency": "USD"},
        {"source": "WEB", "primary_language": "he"},
    ]
    await add_leads(requester.database, requester.organization, [{**row, "created_at": day} for row in rows])
    data = await requester.ask(
        "{ leadGroups(by: [SOURCE, CREATED_DAY]) { keys { by value label } count averageScore conversionValue } }"
    )
    february = {"by": "CREATED_DAY", "value": "2026-02-01", "label": "2026-02-01"}
    assert data["leadGroups"] == [
        {
            "keys": [{"by": "SOURCE", "value": "WEB", "label": "Web"}, february],
            "count": 3,
            "averageScore": None,
            "conversionValue": None,
        },
        {
            "keys": [{"by": "SOURCE", "value": "WALK_IN", "label": "Walk in"}, february],
            "count": 2,
            "averageScore": 15.0,
            "conversionValue": "3.5000",
        },
    ]
    data = await requester.ask("{ leadGroups(by: [LANGUAGE]) { keys { value label } count } }")
    assert data["leadGroups"][0] == {"keys": [{"value": None, "label": None}], "count": 4}
    data = await requester.ask("{ leadGroups(by: [CREATED_WEEK, CREATED_MONTH]) { keys { value } } }")
    assert data["leadGroups"] == [{"keys": [{"value": "2026-01-26"}, {"value": "2026-02"}]}]


async def test_groups_name_statuses_companies_chatbots_and_people(requester: Requester):
    company, chatbot, user = new_id(), new_id(), new_id()
    async with requester.database.unit(requester.organization.id) as connection:
        await connection.execute("insert into app.companies (id, name, name_key) values ($1, 'Acme', 'a')", company)
        await connection.execute("insert into app.chatbots (id, name, name_key) values ($1, 'Bot', 'b')", chatbot)
        await connection.execute("insert into app.users (id, name, role) values ($1, 'Dana', 'AGENT')", user)
    await one_lead(requester, company_id=company, chatbot_id=chatbot, assignee_id=user)
    data = await requester.ask("{ leadGroups(by: [STATUS, COMPANY, CHATBOT, ASSIGNEE]) { keys { value label } } }")
    assert data["leadGroups"][0]["keys"] == [
        {"value": "new", "label": "New"},
        {"value": f"company_{company}", "label": "Acme"},
        {"value": f"chatbot_{chatbot}", "label": "Bot"},
        {"value": f"user_{user}", "label": "Dana"},
    ]


async def test_groups_by_time_hold_leads_whose_local_day_is_before_the_first_year_or_after_the_last(
    shared_database: Database, shared_organization: MakeOrganization
):
    edges = [datetime(1, 1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC)]
    days = [{"0001-01-01", "9999-12-31"}, {"0001-01-01", "9999-12-27"}, {"0001-01", "9999-12"}]
    for zone in ("America/New_York", "Asia/Tokyo"):
        requester = Requester(shared_database, await shared_organization(zone=zone))
        await add_leads(shared_database, requester.organization, [{"created_at": edge} for edge in edges])
        found = []
        for by in ("CREATED_DAY", "CREATED_WEEK", "CREATED_MONTH"):
            data = await requester.ask(f"{{ leadGroups(by: [{by}]) {{ keys {{ value }} }} }}")
            found.append({group["keys"][0]["value"] for group in data["leadGroups"]})
        assert found == days, zone


@pytest.mark.parametrize("by", ["", "STATUS, STATUS", "STATUS, STAGE, SOURCE, CATEGORY, COMPANY"])
async def test_groups_need_one_to_four_different_dimensions(requester: Requester, by: str):
    refused = await requester.refusal(f"{{ leadGroups(by: [{by}]) {{ count }} }}")
    assert isinstance(refused, BadInput)
    assert refused.path == ("by",)


async def test_s27_a_masked_field_is_neither_grouped_by_nor_averaged(
    shared_database: Database, shared_organization: MakeOrganization
):
    rules = tuple(MaskingRule(key, MaskingMode.REDACT) for key in (LeadFieldKey.CATEGORY, LeadFieldKey.SCORE))
    requester = Requester(
        shared_database, await shared_organization(settings=OrganizationSettings(masking=rules)), Role.AGENT
    )
    await one_lead(requester, score=3)
    refused = await requester.refusal("{ leadGroups(by: [STATUS, CATEGORY]) { count } }")
    assert isinstance(refused, BadInput)
    assert refused.path == ("by", "1")
    data = await requester.ask("{ leadGroups(by: [STATUS]) { averageScore } }")
    assert data["leadGroups"] == [{"averageScore": None}]


async def test_ids_are_sorted_into_those_that_name_leads_and_those_that_do_not(
    requester: Requester, shared_organization: MakeOrganization
):
    own, absent = await one_lead(requester), f"lead_{new_id()}"
    foreign = await one_lead(Requester(requester.database, await shared_organization()))
    document = """query($ids: [ID!]!) { validateLeadIds(ids: $ids) { total valid duplicates malformed notFound } }"""
    data = await requester.ask(document, ids=[own, absent, own, "x", foreign])
    assert data["validateLeadIds"] == {
        "total": 5,
        "valid": [own],
        "duplicates": [own],
        "malformed": ["x"],
        "notFound": [absent, foreign],
    }
    assert isinstance(await requester.refusal(document, ids=[]), BadInput)


async def test_fields_describe_themselves_with_the_organization_s_own(requester: Requester):
    async with requester.database.unit(requester.organization.id) as connection:
        await connection.execute("insert into app.custom_fields (key, label) values ('policy', 'Policy no.')")
    requester.role = Role.VIEWER
    data = await requester.ask(
        "{ leadFields { key label type importable exportable requiredForImport masked enumValues } }"
    )
    fields = {field["key"]: field for field in data["leadFields"]}
    assert {key.value for key in LeadFieldKey} <= set(fields)
    assert fields["national_id"]["masked"]
    assert not fields["name"]["masked"]
    assert fields["name"]["requiredForImport"]
    assert fields["custom.policy"]["label"] == "Policy no."
    assert "WALK_IN" in fields["source"]["enumValues"]
    statuses = (await requester.ask("{ leadStatuses { key label } }"))["leadStatuses"]
    assert fields["status"]["enumValues"] == [status["key"] for status in statuses]
    assert fields["status_name"]["enumValues"] == [status["label"] for status in statuses]
    assert all(field["enumValues"] for field in fields.values() if field["type"] == "ENUM")


async def test_a_count_passes_its_bound_as_an_estimate(
    shared_database: Database, shared_organization: MakeOrganization
):
    requester = Requester(shared_database, await shared_organization())
    await many_leads(requester, 10_400)
    document = "{ leads(first: 1) { totalCount { value exact } } leadStatuses { key leadCount { value exact } } }"
    data = await requester.ask(document)
    total = data["leads"]["totalCount"]
    assert not total["exact"]
    assert total["value"] >= 10_001
    counts = {status["key"]: status["leadCount"] for status in data["leadStatuses"]}
    assert not counts["new"]["exact"]
    assert counts["new"]["value"] >= 10_001
    assert counts["won"] == {"value": 0, "exact": True}
    data = await requester.ask('{ leads(filter: {name: {startsWith: "lead 1"}}) { totalCount { value exact } } }')
    assert data["leads"]["totalCount"] == {"value": 1 + 10 + 100 + 1000 + 401, "exact": True}


async def many_leads(requester: Requester, count: int) -> None:
    statuses = await statuses_of(requester.database, requester.organization)
    status_id, stage = statuses["new"]
    async with requester.database.unit(requester.organization.id) as connection:
        await connection.execute(
            "insert into app.leads (id, name, status_id, stage) "
            "select gen_random_uuid(), 'Lead ' || n, $1, $2 from generate_series(1, $3) n",
            status_id,
            stage,
            count,
        )
