import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.dialects.postgresql.asyncpg import dialect

from db import views
from db.filters import FilterContext, compile_filter
from db.pool import Database
from domain.errors import BadInput
from domain.filter_input import read_filter
from domain.ids import IdKind, format_id
from domain.records import OrganizationRecord
from domain.vocabulary import LeadFieldKey, MaskingMode
from tests.conftest import MakeOrganization
from tests.lead_rows import add_leads

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


LEADS = [
    {
        "name": "Dana Levi",
        "phone": "+33612345678",
        "email": "Dana@Example.com",
        "external_id": "CRM-1",
        "status": "new",
        "source": "WEB",
        "score": 85,
        "tags": ["vip", "renewal"],
        "ai_legitimate": True,
        "created_at": at("2026-03-30T12:00:00"),
        "conversion_value": Decimal("1200.50"),
        "custom": {"policy": "A-7", "branch": "Paris"},
        "conversation_summary": "Wants a demo in 100% French_style",
    },
    {
        "name": "דנה כהן",
        "phone": "050-234-5678",
        "status": "contacted",
        "source": "PHONE",
        "score": 40,
        "tags": ["vip"],
        "interest_level": "HOT",
        "ai_legitimate": False,
        "created_at": at("2026-03-01T00:30:00"),
        "location_city": "תל אביב",
        "custom": {"policy": "b-9"},
    },
    {
        "name": "ÉLODIE Durand",
        "email": "elodie@example.fr",
        "status": "lost",
        "source": "WEB",
        "interest_level": "LOW",
        "created_at": at("2025-03-31T12:00:00"),
        "location_city": "Paris",
        "status_code": "Code-1",
    },
    {"status": "new", "external_id": "x_y%z", "created_at": at("2024-01-01T00:00:00"), "_notes": "called back"},
]
DANA, COHEN, ELODIE, NAMELESS = range(4)


@pytest.fixture(scope="module")
async def found(shared_database: Database, shared_organization: MakeOrganization):
    organization = await shared_organization(country="IL")
    ids = await add_leads(shared_database, organization, LEADS)
    async with shared_database.unit(organization.id) as connection:
        await connection.execute(
            "insert into app.notes (id, lead_id, text) values (gen_random_uuid(), $1, 'Called back')", ids[NAMELESS]
        )
    other = await shared_organization()
    await add_leads(shared_database, other, LEADS)

    async def find(document: dict[str, object], masks: object = None, zone: object = "UTC"):
        text = json.dumps(document).replace("<dana>", format_id(IdKind.LEAD, ids[DANA]))
        return {
            ids.index(lead) for lead in await matching(shared_database, organization, json.loads(text), masks, zone)
        }

    return find


async def matching(
    database: Database,
    organization: OrganizationRecord,
    document: dict[str, object],
    masks: object = None,
    zone: str = "UTC",
) -> set[UUID]:
    context = FilterContext(now=NOW, zone=ZoneInfo(zone), country="IL", masks=masks or {})
    condition = compile_filter(read_filter(document), context)
    compiled = select(views.leads.c.id).where(condition).compile(dialect=dialect())
    async with database.unit(organization.id) as connection:
        rows = await connection.fetch(compiled.string, *(compiled.params[name] for name in compiled.positiontup))
    return {row["id"] for row in rows}


ALL = {DANA, COHEN, ELODIE, NAMELESS}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, ALL),
        ({"id": {"eq": "<dana>"}}, {DANA}),
        ({"id": {"notIn": ["<dana>"]}}, ALL - {DANA}),
        ({"externalId": {"eq": "CRM-1"}}, {DANA}),
        ({"externalId": {"eq": "crm-1"}}, set()),
        ({"externalId": {"ne": "CRM-1"}}, ALL - {DANA}),
        ({"externalId": {"in": ["CRM-1", "x_y%z"]}}, {DANA, NAMELESS}),
        ({"externalId": {"notIn": ["CRM-1"]}}, ALL - {DANA}),
        ({"externalId": {"isNull": True}}, {COHEN, ELODIE}),
        ({"externalId": {"isNull": False}}, {DANA, NAMELESS}),
        ({"locationCity": {"in": ["PARIS", "תל אביב"]}}, {COHEN, ELODIE}),
        ({"locationCity": {"notIn": ["paris"]}}, ALL - {ELODIE}),
        ({"not": {"locationCity": {"in": ["PARIS"]}}}, ALL - {ELODIE}),
        ({"not": {"locationCity": {"notIn": ["PARIS"]}}}, {ELODIE}),
        ({"name": {"eq": "élodie durand"}}, {ELODIE}),
        ({"name": {"ne": "DANA levi"}}, ALL - {DANA}),
        ({"name": {"in": ["DANA LEVI", "דנה כהן"]}}, {DANA, COHEN}),
        ({"name": {"notIn": ["dana levi"]}}, ALL - {DANA}),
        ({"name": {"contains": "A L"}}, {DANA}),
        ({"name": {"startsWith": "ÉLO"}}, {ELODIE}),
        ({"name": {"startsWith": "דנה"}}, {COHEN}),
        ({"locationCity": {"startsWith": "par"}}, {ELODIE}),
        ({"phone": {"eq": "06 12 34 56 78"}}, set()),
        ({"phone": {"eq": "+33 6 12 34 56 78"}}, {DANA}),
        ({"phone": {"eq": "0502345678"}}, {COHEN}),
        ({"phone": {"in": ["+33 612345678", "+972 50 234 5678"]}}, {DANA, COHEN}),
        ({"phone": {"ne": "0502345678"}}, ALL - {COHEN}),
        ({"phone": {"contains": "61234"}}, {DANA}),
        ({"email": {"eq": " dana@example.COM"}}, {DANA}),
        ({"email": {"startsWith": "ELODIE@"}}, {ELODIE}),
        ({"email": {"isNull": True}}, {COHEN, NAMELESS}),
        ({"status": {"eq": "NEW"}}, {DANA, NAMELESS}),
        ({"status": {"ne": "new"}}, {COHEN, ELODIE}),
        ({"status": {"in": ["new", "Lost"]}}, ALL - {COHEN}),
        ({"status": {"notIn": ["new", "lost"]}}, {COHEN}),
        ({"status": {"isNull": True}}, set()),
        ({"statusCode": {"eq": "Code-1"}}, {ELODIE}),
        ({"stage": {"in": ["WON", "LOST"]}}, {ELODIE}),
        ({"source": {"eq": "WEB"}}, {DANA, ELODIE}),
        ({"source": {"notIn": ["WEB"]}}, {COHEN, NAMELESS}),
        ({"interestLevel": {"notIn": ["HOT"]}}, ALL - {COHEN}),
        ({"interestLevel": {"isNull": True}}, {DANA, NAMELESS}),
        ({"score": {"eq": 85}}, {DANA}),
        ({"score": {"in": [40, 70000]}}, {COHEN}),
        ({"score": {"gt": 40}}, {DANA}),
        ({"score": {"gte": 40, "lt": 85}}, {COHEN}),
        ({"score": {"lte": 2147483647}}, {DANA, COHEN}),
        ({"aiLegitimate": {"eq": False}}, {COHEN}),
        ({"aiLegitimate": {"isNull": True}}, {ELODIE, NAMELESS}),
        ({"conversionValue": {"eq": "1200.5"}}, {DANA}),
        ({"conversionValue": {"gt": "1200.5"}}, set()),
        ({"tags": {"hasAny": ["renewal", "x"]}}, {DANA}),
        ({"tags": {"hasAll": ["vip", "renewal"]}}, {DANA}),
        ({"tags": {"hasNone": ["renewal"]}}, ALL - {DANA}),
        ({"tags": {"isEmpty": True}}, {ELODIE, NAMELESS}),
        ({"tags": {"isEmpty": False}}, {DANA, COHEN}),
        ({"createdAt": {"gte": "2026-03-01T00:30:00Z", "lt": "2026-03-30T12:00:00Z"}}, {COHEN}),
        ({"createdAt": {"within": {"last": 1, "unit": "DAY"}}}, {DANA}),
        ({"createdAt": {"within": {"last": 1, "unit": "YEAR"}}}, {DANA, COHEN, ELODIE}),
        ({"importJobId": {"isNull": False}}, set()),
        ({"custom": [{"key": "policy", "eq": "A-7"}]}, {DANA}),
        ({"custom": [{"key": "policy", "in": ["A-7", "b-9"]}]}, {DANA, COHEN}),
        ({"custom": [{"key": "policy", "contains": "B"}]}, {COHEN}),
        ({"custom": [{"key": "branch", "isNull": True}]}, ALL - {DANA}),
        ({"custom": [{"key": "policy", "isNull": False}, {"key": "branch", "eq": "Paris"}]}, {DANA}),
        ({"search": "dana"}, {DANA}),
        ({"search": "DANA@EXAMPLE"}, {DANA}),
        ({"search": "דנה"}, {COHEN}),
        ({"search": "élodie"}, {ELODIE}),
        ({"search": "called  back"}, {NAMELESS}),
        ({"search": "+33 6 12"}, {DANA}),
        ({"search": "050-234"}, {COHEN}),
        ({"search": "100%"}, {DANA}),
        ({"search": "100_"}, set()),
        ({"search": "x_y%"}, {NAMELESS}),
        ({"search": "da"}, {DANA}),
        ({"search": "דנ"}, {COHEN}),
        ({"search": "l"}, set()),
        ({"search": "%"}, set()),
        ({"search": "   "}, ALL),
        ({"not": {"score": {"gt": 40}}}, ALL - {DANA}),
        ({"not": {"or": [{"source": {"eq": "WEB"}}, {"score": {"lt": 50}}]}}, {NAMELESS}),
        ({"or": [{"score": {"gte": 80}}, {"interestLevel": {"eq": "HOT"}}]}, {DANA, COHEN}),
        ({"and": [{"source": {"eq": "WEB"}}, {"not": {"stage": {"in": ["WON", "LOST"]}}}]}, {DANA}),
        ({"name": {"eq": "'; drop table store.leads; --"}}, set()),
    ],
    ids=str,
)
async def test_a_filter_finds_exactly_its_leads(found: object, document: dict[str, object], expected: object):
    assert await found(document) == expected


@pytest.mark.parametrize(
    "document", [{"name": {"startsWith": "İzmi"}}, {"name": {"startsWith": "izm"}}, {"search": "İz"}]
)
async def test_a_name_is_found_by_its_beginning_with_a_dotted_capital_i(
    shared_database: Database, shared_organization: MakeOrganization, document: dict[str, object]
):
    organization = await shared_organization()
    izmir, _ = await add_leads(shared_database, organization, [{"name": "İzmir Evleri"}, {"name": "Ankara"}])
    assert await matching(shared_database, organization, document) == {izmir}


async def test_an_instant_without_offset_is_in_the_organization_s_zone(found: object):
    document = {"createdAt": {"gte": "2026-03-01T02:30:00", "lt": "2026-03-02T00:00:00"}}
    assert await found(document) == set()
    assert await found(document, zone="Asia/Jerusalem") == {COHEN}


MASKED = {
    LeadFieldKey.PHONE: MaskingMode.PARTIAL,
    LeadFieldKey.EMAIL: MaskingMode.PARTIAL,
    LeadFieldKey.NOTES: MaskingMode.REDACT,
    LeadFieldKey.TAGS: MaskingMode.REDACT,
}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"phone": {"eq": "0502345678"}}, {COHEN}),
        ({"email": {"isNull": True}}, {COHEN, NAMELESS}),
        ({"search": "050-234"}, set()),
        ({"search": "dana@example"}, set()),
        ({"search": "called back"}, set()),
        ({"search": "dana"}, {DANA}),
        ({"search": "crm-1"}, {DANA}),
        ({"search": "demo"}, {DANA}),
    ],
    ids=str,
)
async def test_search_and_filters_do_not_tell_a_masked_value(
    found: object, document: dict[str, object], expected: object
):
    assert await found(document, MASKED) == expected


async def test_a_short_search_finds_nothing_where_the_name_is_masked(found: object):
    assert await found({"search": "da"}, {LeadFieldKey.NAME: MaskingMode.REDACT}) == set()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Anna Groß", "groß"),
        ("Anna Groß", "GROẞ"),
        ("Οδυσσεύς", "οδυσσεύς"),
        ("Οδυσσεύς", "ΟΔΥΣΣΕΎΣ"),
        ("İzmir", "İzmir"),
    ],
)
async def test_a_search_finds_a_name_as_it_is_written_where_another_field_is_masked(
    shared_database: Database, shared_organization: MakeOrganization, name: str, text: str
):
    organization = await shared_organization()
    (lead,) = await add_leads(shared_database, organization, [{"name": name}])
    masks = {LeadFieldKey.EMAIL: MaskingMode.PARTIAL}
    assert await matching(shared_database, organization, {"search": text}, masks) == {lead}


async def test_search_looks_through_notes_that_are_not_masked(found: object):
    assert await found({"search": "called back"}, {LeadFieldKey.EMAIL: MaskingMode.REDACT}) == {NAMELESS}


@pytest.mark.parametrize(
    ("document", "masks"),
    [
        ({"phone": {"in": ["1"]}}, MASKED),
        ({"phone": {"startsWith": "+33"}}, MASKED),
        ({"email": {"contains": "a"}}, MASKED),
        ({"email": {"ne": "a"}}, MASKED),
        ({"tags": {"hasAny": ["vip"]}}, MASKED),
        ({"tags": {"isEmpty": True}}, MASKED),
        ({"score": {"gt": 3}}, {LeadFieldKey.SCORE: MaskingMode.REDACT}),
        ({"companyId": {"in": [f"company_{NOW:%Y}"]}}, {LeadFieldKey.COMPANY_ID: MaskingMode.REDACT}),
        ({"id": {"eq": "lead_1"}}, {}),
        ({"companyId": {"eq": "<dana>"}}, {}),
        ({"score": {"gt": 2147483648}}, {}),
        ({"conversionValue": {"gt": "1E+400"}}, {}),
    ],
    ids=str,
)
async def test_what_no_filter_may_say_is_bad_input(found: object, document: dict[str, object], masks: object):
    with pytest.raises(BadInput) as refused:
        await found(document, masks)
    assert refused.value.path[0] == "filter"
