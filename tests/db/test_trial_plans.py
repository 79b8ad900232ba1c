"""A plan of many rows costs each row the same, although nothing has told PostgreSQL how large the plan has become."""

import pytest

from db.connections import Connection
from db.merge_match import LEAD_STATE, look_up_sql
from db.merge_rules import KIND_OF
from db.pool import Database
from domain.ids import new_id
from domain.vocabulary import MatchKey
from tests.conftest import MakeOrganization

ROWS, LOOKED_UP = 5_000, 100
MOST_PAGES = 40
"""A key: a few levels of three indexes."""


@pytest.mark.parametrize("kind", [MatchKey.LEAD_ID, MatchKey.EXTERNAL_ID, MatchKey.PHONE, MatchKey.EMAIL])
async def test_a_key_is_looked_up_in_a_trial_without_reading_the_others(
    shared_database: Database, shared_organization: MakeOrganization, kind: MatchKey
):
    organization, job_id = await shared_organization(), new_id()
    leads = [new_id() for _ in range(ROWS)]
    keys = [str(lead) if kind is MatchKey.LEAD_ID else f"{kind} {number}" for number, lead in enumerate(leads)]
    async with shared_database.unit(organization.id) as connection:
        letter = KIND_OF[kind]
        if kind is not MatchKey.LEAD_ID:
            await remember(connection, [(job_id, letter, key, lead) for key, lead in zip(keys, leads, strict=True)])
        await remember(connection, [(job_id, LEAD_STATE, str(lead), lead) for lead in leads])
        sql = look_up_sql(kind, active_only=kind in {MatchKey.PHONE, MatchKey.EMAIL}, trial=True)
        explained = f"explain (analyze, buffers, format json) {sql}"
        plan = (await connection.fetchval(explained, keys[:LOOKED_UP], job_id))[0]["Plan"]
    assert plan["Actual Rows"] == LOOKED_UP
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < LOOKED_UP * MOST_PAGES


async def remember(connection: Connection, keys: list[tuple[object, ...]]) -> None:
    records = [(*key, 0, {"version": 1}) for key in keys]
    columns = ("job_id", "kind", "key", "lead_id", "row", "state")
    await connection.copy_records_to_table("import_keys", schema_name="store", columns=columns, records=records)
