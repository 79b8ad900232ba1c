"""The server refuses to start as a role that could do more, or less, than it may."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest

from db.dsn import as_role, with_database
from db.pool import Database
from db.role_check import RoleError
from db.roles import app_dsn, system_dsn
from db.system import SystemDatabase
from tests.conftest import SECRET, administer


@contextmanager
def role(dsn: str, *statements: str, attributes: str = "") -> Iterator[str]:
    """The address of a member of leadport_app that was given more by `statements`."""
    name = f"role_{uuid4().hex[:12]}"
    administer(dsn, f"create role {name} login password 'x' in role leadport_app {attributes}")
    try:
        administer(dsn, f"alter role {name} set search_path = app, pg_temp")
        for statement in statements:
            administer(dsn, statement.format(role=name))
        yield as_role(dsn, name, "x")
    finally:
        administer(dsn, f"drop owned by {name}")
        administer(dsn, f"drop role {name}")


async def test_the_servers_own_roles_may_start(database_url: str):
    await (await Database.open(app_dsn(database_url, SECRET))).close()
    await (await SystemDatabase.open(system_dsn(database_url, SECRET))).close()


async def test_a_role_of_another_name_with_the_same_rights_may_start(database_url: str):
    with role(database_url) as dsn:
        await (await Database.open(dsn)).close()


@pytest.mark.parametrize("attributes", ["superuser", "bypassrls", "createrole", "replication"])
async def test_s17_a_role_with_a_powerful_attribute_is_refused(attributes: str, database_url: str):
    with role(database_url, attributes=attributes) as dsn, pytest.raises(RoleError, match="too powerful"):
        await Database.open(dsn)


@pytest.mark.parametrize(
    "granted",
    ["leadport_owner", "leadport_system", "pg_read_all_data", "pg_write_all_data", "pg_execute_server_program"],
)
async def test_s17_a_member_of_a_powerful_role_is_refused(granted: str, database_url: str):
    with role(database_url, f"grant {granted} to {{role}}") as dsn, pytest.raises(RoleError, match="too powerful"):
        await Database.open(dsn)


@pytest.mark.parametrize(
    "statement",
    [
        "grant select (text) on store.notes to {role}",
        "grant insert (organization_id) on store.leads to {role}",
        "grant update (score) on store.leads to {role}",
        "grant truncate on store.leads to {role}",
        "grant update (organization_id) on app.leads to {role}",
        "grant update (limits) on app.organizations to {role}",
        "grant delete on app.activity to {role}",
        "grant execute on function store.create_partitions(integer) to {role}",
        "grant select on store.alembic_version to {role}",
    ],
)
async def test_s17_a_role_with_one_privilege_too_much_is_refused(statement: str, database_url: str):
    with role(database_url, statement) as dsn, pytest.raises(RoleError, match="too powerful"):
        await Database.open(dsn)


async def test_a_privilege_that_lacks_is_named(database_url: str):
    administer(database_url, "revoke insert (score) on app.leads from leadport_app")
    with pytest.raises(RoleError, match=r"lacks a privilege.*INSERT on app\.leads \(score\)"):
        await Database.open(app_dsn(database_url, SECRET))


async def test_s17_the_roles_cannot_be_exchanged(database_url: str):
    with pytest.raises(RoleError, match="too powerful"):
        await Database.open(system_dsn(database_url, SECRET))
    with pytest.raises(RoleError, match="too powerful"):
        await SystemDatabase.open(app_dsn(database_url, SECRET))


async def test_a_database_that_is_not_migrated_says_what_to_do(database_url: str):
    name = f"empty_{uuid4().hex[:12]}"
    administer(database_url, f"create database {name} strategy file_copy")
    with pytest.raises(RoleError, match=r"run server\.py migrate"):
        await Database.open(app_dsn(with_database(database_url, name), SECRET))
    administer(database_url, f"drop database {name} with (force)")


@pytest.mark.parametrize("table", ["leads", "notes", "calls", "import_issues", "import_changes", "webhook_endpoints"])
def test_s17_the_system_role_sees_no_lead(table: str, database_url: str):
    with (
        psycopg.connect(system_dsn(database_url, SECRET)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(f"select * from store.{table}".encode())
