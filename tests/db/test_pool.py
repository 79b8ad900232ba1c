import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest

from db.pool import Database
from db.roles import app_dsn
from domain.records import OrganizationRecord
from tests.conftest import SECRET, MakeOrganization, opened
from tests.db.rows import add_leads


@pytest.fixture(scope="module")
async def acme(shared_organization: MakeOrganization) -> OrganizationRecord:
    return await shared_organization()


@pytest.fixture
async def single(shared_database_url: str) -> AsyncIterator[Database]:
    """A pool of one connection, so that a test meets the same one again."""
    database = await Database.open(app_dsn(shared_database_url, SECRET), max_size=1, statement_timeout=2)
    yield database
    await database.close()


async def backend(database: Database, organization: OrganizationRecord) -> int:
    (row,) = await database.read(organization.id, "select pg_backend_pid() pid")
    return row["pid"]


async def test_read_numbers_its_own_binds_from_two(shared_database: Database, acme: OrganizationRecord):
    rows = await shared_database.read(
        acme.id, "select slug, $2::int + $3::int as sum from organizations where slug = $4", 1, 2, acme.slug
    )
    assert [tuple(row) for row in rows] == [(acme.slug, 3)]


async def test_read_keeps_the_order_of_the_statement(shared_database: Database, shared_organization: MakeOrganization):
    organization = await shared_organization()
    ids = await add_leads(shared_database, organization, 300)
    rows = await shared_database.read(organization.id, "select id from leads order by created_at desc, id desc limit 9")
    assert [row["id"] for row in rows] == ids[:-10:-1]


async def test_s17_many_organizations_share_a_pool_and_see_themselves(
    shared_database: Database, shared_organization: MakeOrganization
):
    organizations = [await shared_organization() for _ in range(5)]

    async def sees_itself(organization: OrganizationRecord) -> bool:
        rows = await shared_database.read(organization.id, "select distinct organization_id o from statuses")
        async with shared_database.unit(organization.id) as connection:
            rows += await connection.fetch("select distinct organization_id o from statuses")
        return [row["o"] for row in rows] == [organization.id] * 2

    assert all(await asyncio.gather(*(sees_itself(organizations[number % 5]) for number in range(200))))


async def test_json_travels_as_python_objects(shared_database: Database, acme: OrganizationRecord):
    value = {"text": "שלום", "list": [1, None, True], "at": datetime(2024, 1, 2, tzinfo=UTC), "id": UUID(int=7)}
    (row,) = await shared_database.read(acme.id, "select $2::jsonb as b, $3::json as j", value, {"d": Decimal("1.50")})
    assert row["b"] == {**value, "at": "2024-01-02T00:00:00Z", "id": str(UUID(int=7))}
    assert row["j"] == {"d": "1.50"}


async def test_a_unit_commits_when_its_block_ends(single: Database, acme: OrganizationRecord):
    async with single.unit(acme.id) as connection:
        await connection.execute("insert into custom_fields (key, label) values ('committed', 'x')")
    assert await single.read(acme.id, "select key from custom_fields where key = 'committed'")


async def test_a_unit_rolls_back_when_its_block_raises(single: Database, acme: OrganizationRecord):
    with pytest.raises(LookupError):
        async with single.unit(acme.id) as connection:
            await connection.execute("insert into custom_fields (key, label) values ('undone', 'x')")
            raise LookupError
    assert not await single.read(acme.id, "select key from custom_fields where key = 'undone'")


async def test_a_unit_that_goes_on_after_a_failed_statement_says_that_nothing_is_written(
    single: Database, acme: OrganizationRecord
):
    with pytest.raises(asyncpg.InFailedSQLTransactionError):
        async with single.unit(acme.id) as connection:
            with suppress(asyncpg.DivisionByZeroError):
                await connection.execute("select 1 / 0")


async def test_a_snapshot_sees_one_state_and_writes_nothing(shared_database: Database, acme: OrganizationRecord):
    count = "select count(*) from custom_fields"
    async with shared_database.snapshot(acme.id) as snapshot:
        before = await snapshot.fetchval(count)
        async with shared_database.unit(acme.id) as connection:
            await connection.execute("insert into custom_fields (key, label) values ('meanwhile', 'x')")
            assert await connection.fetchval(count) == before + 1
        assert await snapshot.fetchval(count) == before
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with shared_database.snapshot(acme.id) as snapshot:
            await snapshot.execute("delete from custom_fields")


async def test_a_read_is_ended_by_its_time_out_and_a_unit_is_not(single: Database, acme: OrganizationRecord):
    with pytest.raises(asyncpg.QueryCanceledError):
        await single.read(acme.id, "select pg_sleep(60)")
    async with single.unit(acme.id) as connection:
        await connection.execute("select pg_sleep(0.4)")
    with pytest.raises(asyncpg.QueryCanceledError):
        async with single.unit(acme.id, timeout=0.2) as connection:
            await connection.execute("select pg_sleep(60)")


async def test_a_cancelled_read_leaves_a_connection_that_works(shared_database_url: str, acme: OrganizationRecord):
    async with opened(Database, app_dsn(shared_database_url, SECRET)) as database:
        task = asyncio.create_task(database.read(acme.id, "select pg_sleep(60)"))
        await asyncio.sleep(0.1)
        task.cancel()
        started = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await backend(database, acme)
        assert time.monotonic() - started < 30


async def test_a_cancelled_unit_writes_nothing(single: Database, acme: OrganizationRecord):
    async def write() -> None:
        async with single.unit(acme.id) as connection:
            await connection.execute("insert into custom_fields (key, label) values ('cancelled', 'x')")
            await connection.execute("select pg_sleep(60)")

    task = asyncio.create_task(write())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await single.read(acme.id, "select key from custom_fields where key = 'cancelled'")


async def test_a_connection_whose_protocol_is_lost_is_replaced(single: Database, acme: OrganizationRecord):
    before = await backend(single, acme)
    with pytest.raises(asyncpg.InternalClientError):
        async with single.unit(acme.id):
            raise asyncpg.InternalClientError
    assert await backend(single, acme) != before


async def test_a_connection_that_the_server_closed_is_replaced(
    single: Database, shared_database: Database, acme: OrganizationRecord
):
    before = await backend(single, acme)
    await shared_database.read(acme.id, "select pg_terminate_backend($2, 5000)", before)
    await asyncio.sleep(0.3)
    assert await backend(single, acme) != before


async def test_a_unit_that_loses_its_connection_fails_and_the_next_one_works(
    single: Database, shared_database: Database, acme: OrganizationRecord
):
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)):
        async with single.unit(acme.id) as connection:
            pid = await connection.fetchval("select pg_backend_pid()")
            await shared_database.read(acme.id, "select pg_terminate_backend($2)", pid)
            await connection.execute("select 1")
    async with single.unit(acme.id) as connection:
        assert await connection.fetchval("select pg_backend_pid()") != pid


async def test_the_pool_works_without_prepared_statements_as_behind_a_pooler(
    shared_database_url: str, acme: OrganizationRecord
):
    database = await Database.open(app_dsn(shared_database_url, SECRET), statement_cache_size=0)
    for _ in range(3):
        (row,) = await database.read(
            acme.id, "select slug, current_setting('application_name') name from organizations"
        )
        assert tuple(row) == (acme.slug, "")
    await database.close()
