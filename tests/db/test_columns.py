import pytest
from sqlalchemy import select
from sqlalchemy.dialects.postgresql.asyncpg import dialect

from db.columns import EXPRESSIONS, JOINS, lead_row, with_joins
from db.pool import Database
from domain.fields import FIELDS
from domain.vocabulary import LeadFieldKey
from tests.conftest import MakeOrganization
from tests.lead_rows import add_leads


@pytest.fixture(scope="module")
async def row(shared_database: Database, shared_organization: MakeOrganization):
    organization = await shared_organization()
    given = {
        "name": "Dana",
        "status": "contacted",
        "address_street": "12 Rue Longue",
        "address_postal_code": "69001",
        "address_city": "Lyon",
        "property_id": "A-1",
    }
    (lead_id,) = await add_leads(shared_database, organization, [given])
    async with shared_database.unit(organization.id) as connection:
        for second, text in ((2, "later"), (1, "first")):
            await connection.execute(
                "insert into app.notes (id, lead_id, text, created_at) "
                "values (gen_random_uuid(), $1, $2, now() + $3 * interval '1 second')",
                lead_id,
                text,
                second,
            )
    lead = lead_row()
    chosen = select(*(EXPRESSIONS[key](lead).label(key) for key in LeadFieldKey)).select_from(lead.lead)
    statement = chosen.select_from(with_joins(lead, dict.fromkeys(JOINS.values())))
    rows = await shared_database.read(organization.id, statement.compile(dialect=dialect()).string)
    assert len(rows) == 1
    return rows[0]


def test_every_key_of_the_registry_has_an_expression():
    assert set(EXPRESSIONS) == set(FIELDS) == set(LeadFieldKey)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (LeadFieldKey.NAME, "Dana"),
        (LeadFieldKey.ADDRESS, "12 Rue Longue, 69001 Lyon"),
        (LeadFieldKey.NOTES, "first\nlater"),
        (LeadFieldKey.STATUS, "contacted"),
        (LeadFieldKey.STATUS_ID, "contacted"),
        (LeadFieldKey.STATUS_NAME, "Contacted"),
        (LeadFieldKey.STAGE, "CONTACTED"),
        (LeadFieldKey.ANNONCE_ID, "A-1"),
        (LeadFieldKey.COMPANY_NAME, None),
        (LeadFieldKey.DELETED_AT, None),
        (LeadFieldKey.TAGS, []),
    ],
)
async def test_an_expression_reads_the_value_that_the_key_names(row: object, key: str, value: object):
    assert row[key] == value
