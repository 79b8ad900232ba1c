"""SECURITY-TESTS 17, 18 and 28: what the server's role can do, whatever its statements say."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import psycopg
import pytest
from sqlalchemy import Table

from db.connections import Connection
from db.isolation import APPEND_ONLY, LOADED_BY_COPY
from db.pool import Database
from db.roles import app_dsn
from db.tables import metadata, organizations
from domain.ids import new_id
from tests.conftest import SECRET, cloned, opened
from tests.db.rows import one_row_in_every_table

TABLES = [table for table in metadata.sorted_tables if table is not organizations]
CHANGEABLE = [table for table in TABLES if table.name not in APPEND_ONLY]
DENIED = asyncpg.InsufficientPrivilegeError


@dataclass(frozen=True, slots=True)
class Pair:
    ours: UUID
    theirs: UUID


@pytest.fixture(scope="module")
def made_up(template_database: str) -> Iterator[str]:
    """A database of rows that no worker should come upon."""
    with cloned(template_database) as dsn:
        yield dsn


@pytest.fixture(scope="module")
async def shared_database(made_up: str) -> AsyncIterator[Database]:
    async with opened(Database, app_dsn(made_up, SECRET)) as database:
        yield database


@pytest.fixture(scope="module")
def pair(made_up: str) -> Pair:
    made = Pair(new_id(), new_id())
    with psycopg.connect(made_up) as admin:
        one_row_in_every_table(admin, made.ours)
        one_row_in_every_table(admin, made.theirs)
    return made


@pytest.mark.parametrize("table", TABLES, ids=str)
async def test_s17_a_select_without_where_finds_its_own_rows_alone(table: Table, shared_database: Database, pair: Pair):
    rows = await shared_database.read(pair.ours, f"select organization_id from {table.name}")
    assert [row["organization_id"] for row in rows] == [pair.ours]
    async with shared_database.unit(pair.ours) as connection:
        rows = await connection.fetch(f"select organization_id from {table.name}")
    assert [row["organization_id"] for row in rows] == [pair.ours]


@pytest.mark.parametrize("table", CHANGEABLE, ids=str)
async def test_s17_an_update_without_where_changes_its_own_rows_alone(
    table: Table, shared_database: Database, pair: Pair
):
    column = next(column.name for column in table.columns if column.name != "organization_id")
    with pytest.raises(Undo):
        async with shared_database.unit(pair.ours) as connection:
            assert await connection.execute(f"update {table.name} set {column} = {column}") == "UPDATE 1"
            raise Undo


@pytest.mark.parametrize("table", CHANGEABLE, ids=str)
async def test_s17_a_delete_without_where_deletes_its_own_rows_alone(
    table: Table, shared_database: Database, pair: Pair
):
    with pytest.raises(Undo):
        async with shared_database.unit(pair.ours) as connection:
            for referring in ("leads", "chatbots"):  # their foreign keys
                if table.name in {"statuses", "users", "companies"}:
                    await connection.execute(f"delete from {referring}")
            assert await connection.execute(f"delete from {table.name}") == "DELETE 1"
            raise Undo


class Undo(Exception):
    pass


async def test_s17_an_organization_sees_itself_and_changes_its_settings_alone(shared_database: Database, pair: Pair):
    async with shared_database.unit(pair.ours) as connection:
        assert [row["id"] for row in await connection.fetch("select id from organizations")] == [pair.ours]
        assert await connection.execute("update organizations set settings = '{}'") == "UPDATE 1"
    for forbidden in (
        "update organizations set limits = '{}'",
        "update organizations set slug = 'theirs'",
        "delete from organizations",
        f"insert into organizations (id, slug, name) values ('{new_id()}', 'new', 'new')",
    ):
        with pytest.raises(DENIED):
            async with shared_database.unit(pair.ours) as connection:
                await connection.execute(forbidden)


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=str)
async def test_s17_without_an_organization_nothing_is_found(table: Table, shared_database: Database, pair: Pair):
    async with shared_database._pool.acquire() as connection:
        assert await connection.fetch(f"select * from {table.name}") == []


async def test_s17_an_empty_setting_finds_nothing(shared_database: Database, pair: Pair):
    async with shared_database.unit(pair.ours) as connection:
        await connection.execute("set local app.organization_id = ''")
        assert await connection.fetch("select id from leads") == []


async def test_s17_a_broken_setting_is_an_error(shared_database: Database, pair: Pair):
    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        async with shared_database.unit(pair.ours) as connection:
            await connection.execute("set local app.organization_id = 'nonsense'")
            await connection.fetch("select id from leads")


async def test_s17_without_an_organization_nothing_is_written(shared_database: Database, pair: Pair):
    async with shared_database._pool.acquire() as connection:
        with pytest.raises(asyncpg.NotNullViolationError):
            await connection.execute("insert into custom_fields (key, label) values ('k', 'k')")
        with pytest.raises(asyncpg.NotNullViolationError):
            await copy_custom_note(connection)
        assert await connection.execute("update leads set name = 'lost'") == "UPDATE 0"
        assert await connection.execute("delete from leads") == "DELETE 0"


async def test_s17_a_pooled_connection_forgets_the_organization_of_a_failed_transaction(
    database: Database, database_url: str
):
    ours = new_id()
    with psycopg.connect(database_url) as admin:
        one_row_in_every_table(admin, ours)
    for _ in range(3):
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with database.unit(ours) as connection:
                await connection.execute("select 1 / 0")
        async with database._pool.acquire() as connection:
            assert await connection.fetch("select * from leads") == []
        assert len(await database.read(ours, "select id from leads")) == 1
        async with database._pool.acquire() as connection:
            assert await connection.fetch("select * from leads") == []


@pytest.mark.parametrize(
    "statement",
    [
        "insert into notes (organization_id, id, lead_id, text) values ('{theirs}', '{new}', '{ours}', 'x')",
        "update notes set organization_id = '{theirs}'",
        "insert into store.notes (organization_id, id, lead_id, text) values ('{theirs}', '{new}', '{ours}', 'x')",
        "update store.notes set text = 'x'",
        "delete from store.notes",
        "select text from store.notes",
        "select count(*) from store.organizations",
        "truncate store.notes",
        "alter view app.notes owner to leadport_app",
        "create or replace view app.notes as select * from store.notes",
        "create table app.mine (id int)",
        "set role leadport_owner",
        "set role leadport_system",
        "select * from queue.procrastinate_jobs",
        "select store.create_partitions(1)",
        "update activity set summary = 'x'",
        "delete from activity",
        "delete from store.activity_default",
    ],
)
async def test_s17_the_database_refuses(statement: str, shared_database: Database, pair: Pair):
    with pytest.raises(DENIED):
        async with shared_database.unit(pair.ours) as connection:
            await connection.execute(statement.format(ours=pair.ours, theirs=pair.theirs, new=new_id()))


async def test_s18_an_insert_lands_in_the_organization_of_the_transaction(shared_database: Database, pair: Pair):
    key = f"k{new_id().hex}"
    async with shared_database.unit(pair.ours) as connection:
        await connection.execute("insert into custom_fields (key, label) values ($1, 'x')", key)
    assert await shared_database.read(pair.ours, "select key from custom_fields where key = $2", key)
    assert not await shared_database.read(pair.theirs, "select key from custom_fields where key = $2", key)


async def test_s17_a_conflict_with_a_foreign_key_of_the_same_name_is_none(shared_database: Database, pair: Pair):
    key = f"k{new_id().hex}"
    statement = "insert into custom_fields (key, label) values ($1, 'x') on conflict (organization_id, key) do nothing"
    for organization_id in (pair.ours, pair.theirs):
        async with shared_database.unit(organization_id) as connection:
            assert await connection.execute(statement, key) == "INSERT 0 1"


async def copy_custom_note(connection: Connection, **extra: UUID) -> str:
    columns = {"id": new_id(), "lead_id": new_id(), "text": "copied", **extra}
    return await connection.copy_records_to_table(
        "notes", schema_name="store", columns=list(columns), records=[tuple(columns.values())]
    )


async def test_s18_copy_lands_in_the_organization_of_the_transaction(shared_database: Database, pair: Pair):
    async with shared_database.unit(pair.ours) as connection:
        assert await copy_custom_note(connection) == "COPY 1"
        assert await connection.fetchval("select count(*) from notes where text = 'copied'") == 1
        await connection.execute("delete from notes where text = 'copied'")


async def test_s18_copy_cannot_name_an_organization(shared_database: Database, pair: Pair):
    for organization_id in (pair.ours, pair.theirs):
        with pytest.raises(DENIED):
            async with shared_database.unit(pair.ours) as connection:
                await copy_custom_note(connection, organization_id=organization_id)


async def test_s18_copy_is_for_the_tables_of_mass_data_alone(shared_database: Database, pair: Pair):
    for table in {table.name for table in TABLES} - LOADED_BY_COPY:
        with pytest.raises(DENIED):
            async with shared_database.unit(pair.ours) as connection:
                await connection.execute(f"insert into store.{table} default values")


async def test_s18_copy_reads_no_foreign_row(shared_database: Database, pair: Pair):
    taken: list[bytes] = []

    async def take(data: bytes) -> None:
        taken.append(bytes(data))

    async with shared_database.unit(pair.ours) as connection:
        await connection.copy_from_query("select organization_id from leads", output=take)
        with pytest.raises(DENIED):
            await connection.copy_from_table("leads", schema_name="store", output=take)
        await connection.execute("rollback; begin")
    assert b"".join(taken).decode().split() == [str(pair.ours)]


async def test_s17_a_temporary_table_does_not_stand_in_for_a_view(shared_database: Database, pair: Pair):
    with pytest.raises(Undo):
        async with shared_database.unit(pair.ours) as connection:
            await connection.execute("create temporary table leads (organization_id uuid)")
            assert await connection.fetchval("select organization_id from leads") == pair.ours
            raise Undo
