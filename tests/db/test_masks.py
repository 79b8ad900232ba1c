import pytest
from sqlalchemy import Text, cast, literal, null, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.types import Integer

from db.columns import lead_row
from db.masks import masked, masked_national_id
from db.pool import Database
from domain.masking import mask_text
from domain.vocabulary import LeadFieldKey, MaskingMode
from tests.conftest import MakeOrganization
from tests.lead_rows import add_leads

TEXTS = ["", "a", "@", "ab", "@x", "a@", "dana@example.com", "a@b@c", "+33612345678", "1234567", "12345678", "דנה", "é"]


@pytest.mark.parametrize("mode", MaskingMode)
@pytest.mark.parametrize("key", [LeadFieldKey.NAME, LeadFieldKey.EMAIL, LeadFieldKey.PHONE, LeadFieldKey.PHONE_DISPLAY])
async def test_s27_a_text_is_masked_alike_by_the_database_and_by_the_domain(
    shared_database: Database, shared_organization: MakeOrganization, key: str, mode: object
):
    organization = await shared_organization()
    texts = [*(literal(text, Text()) for text in TEXTS), cast(null(), Text())]
    columns = [masked(key, mode, text).label(f"c{index}") for index, text in enumerate(texts)]
    compiled = select(*columns).compile(dialect=dialect(), compile_kwargs={"literal_binds": True})
    (row,) = await shared_database.read(organization.id, compiled.string)
    assert list(row) == [mask_text(key, mode, text) for text in [*TEXTS, None]]


async def test_s27_a_list_is_masked_as_empty_and_a_number_as_null(
    shared_database: Database, shared_organization: MakeOrganization
):
    organization = await shared_organization()
    tags = masked(LeadFieldKey.TAGS, MaskingMode.PARTIAL, literal(["vip"], ARRAY(Text)))
    score = masked(LeadFieldKey.SCORE, MaskingMode.PARTIAL, literal(3, Integer()))
    compiled = select(tags.label("tags"), score.label("score")).compile(dialect=dialect())
    (row,) = await shared_database.read(organization.id, compiled.string)
    assert (row["tags"], row["score"]) == ([], None)


async def test_s27_a_national_id_shows_its_end_or_nothing_of_itself(
    shared_database: Database, shared_organization: MakeOrganization
):
    organization = await shared_organization()
    given = [{"national_id_cipher": "k.x", "national_id_last4": "6782"}, {"national_id_cipher": "k.y"}, {}]
    await add_leads(shared_database, organization, given)
    row = lead_row()
    columns = (masked_national_id(row, mode).label(mode) for mode in MaskingMode)
    statement = select(*columns).order_by(row.lead.c.id)
    rows = await shared_database.read(organization.id, statement.compile(dialect=dialect()).string)
    assert [(found["PARTIAL"], found["REDACT"]) for found in rows] == [("***6782", "***"), ("***", "***"), (None, None)]
