"""One command brings any database to this version, and only to this version."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import NullPool, create_engine
from sqlalchemy.dialects.postgresql import base

from db import isolation
from db.dsn import as_role, with_database
from db.embedded import EmbeddedCluster
from db.migrate import MigrationError, differences, migrate
from db.partitions import create_partitions
from db.pool import Database
from db.roles import app_dsn
from db.system import SystemDatabase
from db.tables import STORE, metadata
from db.tables.leads import Xid8
from tests.conftest import QUICK, SECRET, administer, remove

REPOSITORY = Path(__file__).parents[2]
PARTITION = r"_(?:default|\d{4}_\d{2})$"


@pytest.fixture
def empty_database(template_database: str) -> Iterator[str]:
    name = f"empty_{uuid4().hex[:12]}"
    administrator = with_database(template_database, "postgres")
    administer(administrator, f"create database {name} strategy file_copy")
    yield with_database(template_database, name)
    administer(administrator, f"drop database {name} with (force)")


def test_the_migrations_make_exactly_the_tables(database_url: str):
    base.ischema_names["xid8"] = Xid8
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(database_url), poolclass=NullPool)
    with engine.connect() as connection:
        partitions = set(query(database_url, "select relname from pg_class where relispartition"))

        def is_ours(_object: object, name: str | None, kind: str, *_: object) -> bool:
            # Alembic does not read a collation within an expression
            return name not in {*partitions, "alembic_version", "leads_by_name"} or kind not in {"table", "index"}

        options = {
            "include_schemas": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == STORE,
            "include_object": is_ours,
            "compare_type": True,
            "compare_server_default": differs,
        }
        found = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    assert found == []


def test_the_index_by_name_is_the_declared_one(database_url: str):
    (made,) = query(database_url, "select pg_get_indexdef('store.leads_by_name'::regclass)")
    declared = next(index for index in metadata.tables["store.leads"].indexes if index.name == "leads_by_name")
    texts = [str(expression).removeprefix("leads.") for expression in declared.expressions]
    expressions = [text[1:-1] if text.startswith("(") else text for text in texts]
    assert str(made).partition("btree ")[2] == f"({', '.join(expressions)})"


def differs(_context: object, _inspected: object, _metadata: object, rendered: str | None, *_: object) -> bool | None:
    """What reads the organization is null in a comparison: its text is compared instead. None: Alembic compares."""
    if rendered is None or "organization_id" not in rendered:
        return None
    return rendered != "(NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid"


def query(dsn: str, statement: str) -> list[object]:
    with psycopg.connect(dsn) as connection:
        return [row[0] for row in connection.execute(statement.encode()).fetchall()]


def test_every_table_of_the_store_has_its_view(database_url: str):
    tables = query(
        database_url,
        f"""select relname from pg_class where relnamespace = 'store'::regnamespace and relkind in ('r', 'p')
        and relname !~ '{PARTITION}' and relname <> 'alembic_version'""",
    )
    views = query(database_url, "select relname from pg_class where relnamespace = 'app'::regnamespace")
    assert sorted(tables) == sorted(views) == sorted(table.name for table in metadata.sorted_tables)


def test_every_view_is_bound_to_the_organization_of_the_transaction(database_url: str):
    definitions = query(
        database_url,
        "select pg_get_viewdef(oid) from pg_class where relnamespace = 'app'::regnamespace and relkind = 'v'",
    )
    assert len(definitions) == len(metadata.sorted_tables)
    for definition in definitions:
        where = str(definition).partition("WHERE")[2]
        assert re.match(r" \((?:\w+\.)?(?:organization_id|id) = \( SELECT ", where), definition
        assert "current_setting('app.organization_id'::text, true)" in where


def test_every_view_checks_what_is_written_through_it(database_url: str):
    options = query(database_url, "select check_option from information_schema.views where table_schema = 'app'")
    assert set(options) == {"LOCAL"}


def test_every_unique_key_begins_with_the_organization(database_url: str):
    others = query(
        database_url,
        """select c.relname || '.' || i.relname from pg_index x
        join pg_class c on c.oid = indrelid join pg_class i on i.oid = indexrelid
        join pg_attribute a on a.attrelid = indrelid and a.attnum = indkey[0]
        where c.relnamespace = 'store'::regnamespace and indisunique and attname <> 'organization_id'""",
    )
    assert sorted(others) == [
        "alembic_version.alembic_version_pkc",
        "organizations.organizations_pkey",
        "organizations.organizations_slug_key",
    ]


def test_every_foreign_key_holds_the_organization(database_url: str):
    others = query(
        database_url,
        """select conname from pg_constraint join pg_attribute a on attrelid = conrelid and attnum = conkey[1]
        where contype = 'f' and connamespace = 'store'::regnamespace and attname <> 'organization_id'""",
    )
    assert others == []


def test_a_migrated_database_needs_nothing(database_url: str):
    with psycopg.connect(database_url) as admin:
        assert differences(admin) == []


@pytest.mark.parametrize(
    "damage",
    [
        "grant select on store.leads to leadport_app",
        "revoke update (score) on app.leads from leadport_app",
        "grant select on store.leads to leadport_system",
        "drop view app.leads",
        "set role leadport_owner; create table store.new (id uuid); grant select on store.new to leadport_app",
    ],
)
def test_migrating_again_mends_what_somebody_changed_by_hand(damage: str, database_url: str):
    administer(database_url, damage)
    with psycopg.connect(database_url) as admin:
        assert differences(admin)
    migrate(database_url, SECRET)
    with psycopg.connect(database_url) as admin:
        assert differences(admin) == []


def test_a_view_of_another_version_is_replaced(database_url: str):
    administer(database_url, "create or replace view app.notes as select * from store.notes")
    administer(database_url, "comment on schema app is 'an older version'")
    migrate(database_url, SECRET)
    (definition,) = query(database_url, "select pg_get_viewdef('app.notes'::regclass)")
    assert "current_setting" in str(definition)


MIGRATE = "import sys; from db.migrate import migrate; migrate(sys.argv[1], sys.argv[2])"


def test_processes_that_migrate_one_database_at_once_all_succeed(empty_database: str):
    assert run_at_once([empty_database] * 4) == [0] * 4


def test_processes_that_migrate_databases_of_one_cluster_at_once_all_succeed(template_database: str):
    names = [f"empty_{uuid4().hex[:12]}" for _ in range(3)]
    administrator = with_database(template_database, "postgres")
    for name in names:
        administer(administrator, f"create database {name} strategy file_copy")
    assert run_at_once([with_database(template_database, name) for name in names]) == [0] * 3
    for name in names:
        administer(administrator, f"drop database {name} with (force)")


def run_at_once(dsns: list[str]) -> list[int]:
    processes = [subprocess.Popen([sys.executable, "-c", MIGRATE, dsn, SECRET], cwd=REPOSITORY) for dsn in dsns]
    return [process.wait(60) for process in processes]


def test_a_database_of_a_newer_version_is_refused_in_one_line(database_url: str):
    administer(database_url, "update store.alembic_version set version_num = '9999'")
    with pytest.raises(MigrationError, match="newer version") as refused:
        migrate(database_url, SECRET)
    assert "\n" not in str(refused.value)


def test_an_address_that_nobody_answers_is_said_in_one_line():
    with pytest.raises(MigrationError, match="cannot be migrated") as refused:
        migrate("postgresql://nobody:secret-word@127.0.0.1:9/nothing?connect_timeout=2", SECRET)
    assert "\n" not in str(refused.value)
    assert "secret-word" not in str(refused.value)


def test_rows_that_came_before_their_partition_are_moved_into_it(database_url: str):
    with psycopg.connect(database_url) as admin:
        admin.execute(
            "insert into store.activity (organization_id, id, at, action, actor_kind, actor_name, summary) select"
            " gen_random_uuid(), gen_random_uuid(), now() + interval '5 months', 'a', 'USER', 'n', 's'"
            " from generate_series(1, 3)"
        )
        assert admin.execute("select count(*) from store.activity_default").fetchone() == (3,)
        assert admin.execute("select store.create_partitions(6)").fetchone() == (6,)
        assert admin.execute("select count(*) from store.activity_default").fetchone() == (0,)
        assert admin.execute("select count(*) from store.activity").fetchone() == (3,)
        assert admin.execute("select store.create_partitions(6)").fetchone() == (0,)


async def test_the_system_role_makes_the_next_partitions(system_database: SystemDatabase):
    assert await create_partitions(system_database, 5) == 4
    assert await create_partitions(system_database, 5) == 0


@pytest.fixture
def other_cluster(cluster: EmbeddedCluster) -> Iterator[EmbeddedCluster]:
    folder = Path(tempfile.mkdtemp(prefix="leadport-test-"))
    folder.chmod(0o711)
    other = EmbeddedCluster(folder / "cluster", binaries=cluster.binaries, settings=QUICK).acquire()
    yield other
    remove(other)
    shutil.rmtree(folder)


async def test_an_administrator_without_superuser_rights_can_migrate(other_cluster: EmbeddedCluster):
    administer(other_cluster.dsn(), "create role manager login createrole password 'x'")
    administer(other_cluster.dsn(), "create database crm owner manager")
    manager = as_role(with_database(other_cluster.dsn(), "crm"), "manager", "x")
    for secret in (SECRET, SECRET, "the next secret"):
        migrate(manager, secret)
        await (await Database.open(app_dsn(manager, secret))).close()


def test_the_statements_of_isolation_are_the_same_in_every_process():
    code = "from db import isolation; print(isolation.fingerprint())"
    printed = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONHASHSEED": "7"},
    ).stdout
    assert printed.strip() == isolation.fingerprint()
