import pytest

from db.lead_reads import LeadReader
from db.pool import Database
from db.roles import app_dsn
from db.statements import Statement
from domain.errors import BadInput
from tests.conftest import SECRET, MakeOrganization


async def test_a_statement_beyond_its_time_out_is_bad_input(
    shared_database_url: str, shared_organization: MakeOrganization
):
    organization = await shared_organization()
    database = await Database.open(app_dsn(shared_database_url, SECRET), statement_timeout=2)
    try:
        slow = Statement("select pg_sleep(10)::text as slept", "", ())
        with pytest.raises(BadInput, match="too long"):
            await LeadReader(database, organization.id).rows(slow, {})
        assert len(await LeadReader(database, organization.id).rows(Statement("select 1 as one", "", ()), {})) == 1
    finally:
        await database.close()
