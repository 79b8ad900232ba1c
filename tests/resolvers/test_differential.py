"""Both ways of execution give the same bytes: the compiled one and graphql-core's own."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

import pytest
from graphql import parse, validate

from db.cursors import Place, write_cursor
from db.pool import Database
from domain.actors import Actor, ActorKind, ActorRef
from domain.ids import new_id
from domain.jobs import JobRecord
from domain.settings import MaskingRule, OrganizationSettings
from domain.vocabulary import JobKind, JobState, JobTrigger, LeadFieldKey, MaskingMode, Permission, Role
from tests.conftest import MakeOrganization
from tests.lead_rows import add_leads
from tests.resolvers.generated_queries import Generator
from tests.resolvers.lead_schema import NATIONAL_IDS, SCHEMA, Requester, build, encode
from tests.resolvers.reference import ReferenceExecutor

REFERENCE = build(ReferenceExecutor)
START = datetime(2026, 1, 1, 9, 30, tzinfo=UTC)
SETTINGS = OrganizationSettings(
    time_zone="Asia/Jerusalem",
    conversation_url_template="https://crm.example/c/{id}",
    masking=(
        MaskingRule(LeadFieldKey.EMAIL, MaskingMode.PARTIAL),
        MaskingRule(LeadFieldKey.PHONE, MaskingMode.REDACT, (Role.PRO,)),
        MaskingRule(LeadFieldKey.NOTES, MaskingMode.PARTIAL),
        MaskingRule(LeadFieldKey.COMPANY_NAME, MaskingMode.REDACT, (Role.PRO,)),
        MaskingRule(LeadFieldKey.CONVERSION_VALUE, MaskingMode.REDACT),
        MaskingRule(LeadFieldKey.TAGS, MaskingMode.REDACT),
    ),
)
FOUND_JOB, LOST_JOB, GONE_JOB = UUID(int=1), UUID(int=2), UUID(int=3)


class SomeJobs:
    """One job is there, one is gone, and one cannot be read."""

    async def job(self, job_id: UUID) -> JobRecord | None:
        if job_id == LOST_JOB:
            raise OSError("the job cannot be read")
        if job_id == GONE_JOB:
            return None
        return JobRecord(
            id=job_id,
            organization_id=UUID(int=9),
            kind=JobKind.IMPORT,
            state=JobState.COMPLETED,
            name="leads.csv",
            revision=1,
            epoch=1,
            actor=ActorRef(ActorKind.SYSTEM, None, "Leadport"),
            trigger=JobTrigger.API,
            created_at=START,
        )


def lead(index: int, random: Random, company: UUID, chatbot: UUID, user: UUID) -> dict[str, object]:
    """A lead with about half of its columns filled."""
    identity = new_id()
    some = {
        "name": f"Lead {index} é דנה",
        "phone": f"+3361234567{index % 10}",
        "email": f"lead{index}@example.com",
        "external_id": f"X-{index}",
        "national_id_cipher": NATIONAL_IDS.seal("123456782", str(identity)),
        "national_id_last4": "6782",
        "address_city": "Lyon",
        "score": index * 7 % 101,
        "interest_level": "HOT",
        "category": "DEMO_REQUEST",
        "primary_language": "he",
        "detected_languages": ["he", "en"],
        "ai_legitimate": True,
        "ai_verification_reasons": ["valid phone"],
        "conversation_id": f"c {index}",
        "message_count": index,
        "first_interest_detected": START,
        "company_id": company,
        "chatbot_id": chatbot,
        "assignee_id": user,
        "tags": ["vip", 'quo"te'],
        "conversion_value": Decimal("1200.5000"),
        "conversion_currency": random.choice(["EUR", "USD"]),
        "last_call_at": START + timedelta(microseconds=index),
        "last_call_duration_seconds": 0,
        "custom": {"policy": f"P-{index}", "ключ": "значение"},
        "import_job_id": random.choice([FOUND_JOB, LOST_JOB, GONE_JOB]),
        "updated_at": START + timedelta(days=index),
    }
    chosen = {name: value for name, value in some.items() if random.random() < 0.6}
    always = {
        "id": identity,
        "status": random.choice(["new", "contacted", "won"]),
        "created_at": START + timedelta(hours=index // 2),
    }
    return {**chosen, **always, "source": random.choice(["WEB", "PHONE"])}


@pytest.fixture(scope="module")
async def world(shared_database: Database, shared_organization: MakeOrganization):
    organization = await shared_organization(settings=SETTINGS)
    random = Random(1)
    company, chatbot, user = new_id(), new_id(), new_id()
    async with shared_database.unit(organization.id) as connection:
        await connection.execute("insert into app.companies (id, name, name_key) values ($1, 'Acme', 'acme')", company)
        await connection.execute(
            "insert into app.chatbots (id, name, name_key, company_id) values ($1, 'Bot', 'bot', $2)", chatbot, company
        )
        await connection.execute("insert into app.users (id, name, role) values ($1, 'Dana', 'AGENT')", user)
    rows = [lead(index, random, company, chatbot, user) for index in range(24)]
    ids = await add_leads(shared_database, organization, rows)
    async with shared_database.unit(organization.id) as connection:
        for number in range(40):
            await connection.execute(
                "insert into app.notes (id, lead_id, text, created_at, created_by) values ($1, $2, $3, $4, $5)",
                new_id(),
                ids[number % 9],
                f"note {number}",
                START + timedelta(minutes=number // 3),
                None if number % 2 else "Dana",
            )
    return organization, ids


async def compare(requester: Requester, document: str, variables: dict[str, object]) -> bytes:
    answers = list[bytes]()
    for schema in (SCHEMA, REFERENCE):
        result = await replace(requester, schema=schema).execute(document, variables)
        errors = sorted((error.formatted for error in result.errors or ()), key=repr)  # parallel fields have no order
        answers.append(encode({"data": result.data, "errors": errors}))
    if answers[0] != answers[1]:
        at = next(index for index, pair in enumerate(zip(*answers, strict=False)) if pair[0] != pair[1])
        ours, theirs = (answer[max(0, at - 200) : at + 200].decode(errors="replace") for answer in answers)
        pytest.fail(f"{document}\ncompiled:  ...{ours}\nreference: ...{theirs}", pytrace=False)
    return answers[0]


def variables_of(random: Random) -> dict[str, object]:
    cursor = write_cursor(b"notes.", Place(START + timedelta(minutes=7), UUID(int=random.getrandbits(128))))
    filters = [{"score": {"gte": 10}}, {"name": {"startsWith": "Lead 1"}}, {"tags": {"hasAny": ["vip"]}}]
    return {
        "yes": True,
        "no": False,
        "size": random.randint(1, 12),
        "noteCursor": cursor,
        **({"filter": random.choice(filters)} if random.random() < 0.7 else {}),
    }


SEEDS = 24
EACH = 14


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_generated_queries_are_answered_alike(shared_database: Database, world: object, seed: object):
    organization, ids = world
    random = Random(seed)
    shown = [*(f"lead_{identity}" for identity in ids[:6]), f"lead_{new_id()}"]
    generator = Generator(SCHEMA._schema.type_map, random, shown)
    role = random.choice([Role.ADMIN, Role.PRO, Role.VIEWER])
    requester = Requester(shared_database, organization, role, jobs=SomeJobs())
    answered = 0
    for _ in range(EACH):
        document = generator.document()
        invalid = validate(SCHEMA._schema, parse(document))
        assert not invalid, (document, invalid)
        answer = await compare(requester, document, variables_of(random))
        answered += not answer.startswith(b'{"data":null')
    assert answered >= EACH // 3, "too few of the documents have data to compare"


ACCEPTANCE = {
    "Board": "{ leadStatuses { id key label stage position active leadCount { value exact } } }",
    "List": """query List($after: String) {
        leads(filter: {or: [{score: {gte: 20}}, {interestLevel: {eq: HOT}}], not: {stage: {in: [WON, LOST]}},
                       createdAt: {gte: "2026-01-01T00:00:00"}, search: "lead"},
              orderBy: {field: SCORE}, first: 25, after: $after) {
          nodes { id name phoneDisplay email maskedFields status { key label stage } source score company { name }
                  chatbot { name } assignee { name } lastCall { at status } notesCount tags
                  ai { legitimate confidenceScore } engagement { messageCount } customFields createdAt }
          pageInfo { hasNextPage endCursor } totalCount { value exact } } }""",
    "Facets": """{ leadGroups(filter: {createdAt: {within: {last: 1, unit: YEAR}}}, by: [STATUS, SOURCE]) {
        keys { by value label } count averageScore conversionValue } }""",
    "everything": """{ leads(first: 20) { edges { cursor node { id ...L } } nodes { ...L } pageInfo { hasNextPage
        hasPreviousPage startCursor endCursor } } }
        fragment L on Lead { externalId version name phone phoneDisplay email nationalId policyOfInterest statusCode
        preferredContactTime source leadSource score interestLevel confidence category primaryLanguage caseType
        detectedLanguages tags notesCount propertyId wonReason lossReason customFields createdAt updatedAt createdBy
        updatedBy maskedFields
        address { street city region postalCode country } ai { legitimate confidenceScore reasons }
        session { sessionId userAgent ipAddress country city conversationId conversationUrl }
        engagement { messageCount sessionDurationSeconds firstInterestAt lastInterestAt conversationSummary }
        conversion { at value currency source } lastCall { at status durationSeconds }
        status { id key label stage position color active leadCount { value exact } }
        company { id name externalId } chatbot { id name company { id name } }
        assignee { id externalId name email role active }
        importJob { id state createdBy { __typename ... on SystemActor { name } ... on ApiKey { id } } }
        notes(first: 3) { edges { cursor node { id text createdAt createdBy } } nodes { text }
          pageInfo { endCursor } } }""",
}


@pytest.mark.parametrize("role", [Role.ADMIN, Role.PRO, Role.VIEWER])
@pytest.mark.parametrize("name", ACCEPTANCE)
async def test_what_clients_ask_every_day_is_answered_alike(
    shared_database: Database, world: object, name: str, role: object
):
    organization, _ = world
    requester = Requester(shared_database, organization, role, jobs=SomeJobs())
    answer = await compare(requester, ACCEPTANCE[name], {})
    assert b'{"data":{"lead' in answer


FORBIDDEN = {
    "a list": "{ leads { nodes { id } } }",
    "a lead beside what may be read": '{ lead(id: "$id") { id name } payloads(ids: ["$id"]) { lead { id name } } }',
    "statuses": "{ leadStatuses { key leadCount { value } } }",
    "groups": "{ leadGroups(by: [STATUS]) { count } }",
    "a node": '{ node(id: "$id") { __typename id ... on Lead { name } } }',
}


@pytest.mark.parametrize("name", FORBIDDEN)
async def test_whoever_may_not_read_leads_is_refused_alike(shared_database: Database, world: object, name: str):
    organization, ids = world
    may_write = frozenset({Permission.LEADS_WRITE})
    actor = Actor(ActorKind.API_KEY, organization.id, new_id(), "a program", None, may_write)
    requester = Requester(shared_database, organization, actor=actor, jobs=SomeJobs())
    answer = await compare(requester, FORBIDDEN[name].replace("$id", f"lead_{ids[0]}"), {})
    assert b"LEADS_READ" in answer
    assert str(ids[0]).encode() not in answer


async def test_a_lead_that_cannot_be_completed_is_null_where_its_type_allows(shared_database: Database, world: object):
    organization, ids = world
    document = """query($id: ID!) { ok: lead(id: $id) { name }
        bad: lead(id: $id) { name notes(first: 0) { nodes { text } } } }"""
    answer = await compare(Requester(shared_database, organization), document, {"id": f"lead_{ids[0]}"})
    assert b'"bad":null' in answer
    assert b'"path":["bad","notes"]' in answer
