"""server.py as people type it: every command in a process of its own, on a real database."""

import re
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt
import psycopg
import pytest

from db.dsn import as_role
from tests.conftest import cloned
from tests.serving import SECRET_KEYS, Server, clean_environment, demo_folder, run_command, wait_for_postgres_to_end


@pytest.fixture(scope="module")
def demo() -> Iterator[Server]:
    with demo_folder() as folder:
        server = Server(folder, {"LEADPORT_SECRET_KEYS": ""})
        try:
            yield server
        finally:
            assert server.stop() == 0


@pytest.fixture(scope="module")
def own_database(template_database: str) -> Iterator[str]:
    with cloned(template_database) as dsn:
        yield dsn


@pytest.fixture
def environment(own_database: str) -> dict[str, str]:
    return {**clean_environment(), "DATABASE_URL": own_database, "LEADPORT_SECRET_KEYS": SECRET_KEYS}


def test_the_demo_says_where_it_is_and_prints_a_token(demo: Server):
    claims = jwt.decode(demo.demo_token, options={"verify_signature": False})
    assert (claims["org"], claims["role"], claims["sub"]) == ("demo", "OWNER", "demo-owner")
    for path in ("/", "/graphql", "/graphiql/"):
        assert f"{demo.url}{path}\n" in demo.output
    assert httpx.get(demo.url).status_code == 200


def test_the_secret_of_the_demo_is_for_its_owner_alone(demo: Server):
    assert stat.S_IMODE((demo.data_dir / "secret-keys").stat().st_mode) == 0o600


def test_commands_beside_the_running_demo_use_its_database(demo: Server):
    made = demo.run("organization", "acme", "--name", "Acme", "--country", "IL")
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.startswith("The organization acme is made: org_")
    again = demo.run("organization", "acme")
    assert (again.returncode, again.stderr) == (1, "leadport: there is an organization acme already\n")
    assert jwt.decode(demo.token("acme", "viewer"), options={"verify_signature": False})["role"] == "VIEWER"
    assert demo.run("seed").stdout == "The organization demo had been seeded before.\n"
    assert demo.run("migrate").stdout == "The database is up to date.\n"


def test_check_finds_the_demo_well(demo: Server):
    ended = demo.run("check")
    assert ended.returncode == 0, ended.stdout
    assert [line[:2] for line in ended.stdout.splitlines()] == ["ok"] * 4


def test_a_port_that_is_taken_is_said_in_one_line(demo: Server):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = demo.run("serve", "--port", str(taken.getsockname()[1]))
    assert ended.returncode == 1
    assert re.fullmatch(r"leadport: .*in use.*\n", ended.stderr)


def test_a_database_of_ones_own_is_migrated_on_demand(environment: dict[str, str], tmp_path: Path):
    assert run_command(tmp_path, environment, "migrate").stdout == "The database is up to date.\n"
    ended = run_command(tmp_path, environment, "check")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "a database of yours" in ended.stdout


def test_a_server_on_a_database_of_ones_own_is_no_demo(environment: dict[str, str], tmp_path: Path):
    run_command(tmp_path, environment, "migrate")
    server = Server(tmp_path, environment)
    try:
        assert "Bearer" not in server.output
        assert httpx.get(f"{server.url}/graphiql/").status_code == 404
        assert not (tmp_path / "postgres").exists()
    finally:
        assert server.stop() == 0


def test_a_killed_server_leaves_no_postgres_behind():
    with demo_folder() as folder:
        server = Server(folder)
        server.kill()
        wait_for_postgres_to_end(folder / "postgres")
        assert not list((folder / "postgres").glob("pg*/postmaster.pid"))


def test_check_names_what_is_wrong(environment: dict[str, str], own_database: str, tmp_path: Path):
    run_command(tmp_path, environment, "migrate")
    with psycopg.connect(own_database, autocommit=True) as admin:
        admin.execute("revoke delete on app.leads from leadport_app")
        ended = run_command(tmp_path, {**environment, "LEADPORT_STORAGE_URL": "nowhere://"}, "check")
        assert ended.returncode == 1
        assert "FAIL  leadport_app lacks DELETE on app.leads" in ended.stdout
        assert re.search("^FAIL .*storage", ended.stdout, re.MULTILINE)
        run_command(tmp_path, environment, "migrate")
    assert run_command(tmp_path, environment, "check").returncode == 0


@pytest.mark.parametrize(
    ("command", "changes", "line"),
    [
        ("serve", {"LEADPORT_PORT": "eighty"}, r"LEADPORT_PORT: .*\(it is 'eighty'\)"),
        (
            "worker",
            {"DATABASE_URL": "mysql://me:hidden@db/crm"},
            r"DATABASE_URL: a database address is postgresql://\S+",
        ),
        ("serve", {"LEADPORT_SECRET_KEYS": ""}, r"LEADPORT_SECRET_KEYS: needed beside the address of a database"),
        ("serve", {"DATABASE_URL": "postgresql://me:hidden@127.0.0.1:9/crm"}, r"the database cannot be opened: .*"),
        ("migrate", {"DATABASE_URL": "postgresql://me:hidden@127.0.0.1:9/crm"}, r"the database cannot be migrated: .*"),
        (
            "worker",
            {"DATABASE_URL": "", "LEADPORT_APP_DATABASE_URL": "postgresql://db/crm"},
            r"LEADPORT_SYSTEM_DATABASE_URL: needed beside .*",
        ),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(
    command: str, changes: dict[str, str], line: str, environment: dict[str, str], tmp_path: Path
):
    ended = run_command(tmp_path, {**environment, **changes}, command)
    assert ended.returncode == 1
    assert re.fullmatch(f"leadport: {line}\n", ended.stderr)
    assert "hidden" not in ended.stderr + ended.stdout


def test_a_role_that_may_do_too_much_does_not_serve(environment: dict[str, str], own_database: str, tmp_path: Path):
    ended = run_command(tmp_path, {**environment, "LEADPORT_APP_DATABASE_URL": own_database}, "serve", "--port", "0")
    assert ended.returncode == 1
    assert ended.stderr == "leadport: the database role is too powerful to run the server: it is a superuser\n"


def test_a_mistyped_setting_is_pointed_out(environment: dict[str, str], tmp_path: Path):
    ended = run_command(tmp_path, {**environment, "LEADPORT_PRT": "80"}, "migrate")
    assert ended.stderr == "leadport: LEADPORT_PRT is not a setting: did you mean LEADPORT_PORT?\n"


@pytest.mark.parametrize("arguments", [["fly"], ["token", "--organization", "a", "--role", "king"]])
def test_what_is_not_understood_is_answered_with_the_usage(
    arguments: list[str], environment: dict[str, str], tmp_path: Path
):
    ended = run_command(tmp_path, environment, *arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith("usage: server.py")


def test_with_addresses_of_both_roles_no_administrator_is_needed(
    environment: dict[str, str], own_database: str, tmp_path: Path
):
    run_command(tmp_path, environment, "migrate")
    with psycopg.connect(own_database, autocommit=True) as admin:
        for name in ("app", "system"):
            admin.execute(f"create role my_{name} login password 'x' in role leadport_{name}")
        admin.execute("alter role my_app set search_path = app; alter role my_system set search_path = store, queue")
    try:
        roles = {
            "DATABASE_URL": "",
            "LEADPORT_APP_DATABASE_URL": as_role(own_database, "my_app", "x"),
            "LEADPORT_SYSTEM_DATABASE_URL": as_role(own_database, "my_system", "x"),
        }
        ended = run_command(tmp_path, {**environment, **roles}, "check")
        assert ended.returncode == 0, ended.stdout
        refused = run_command(tmp_path, {**environment, **roles}, "migrate")
        assert refused.stderr == "leadport: DATABASE_URL: migrate needs it\n"
    finally:
        with psycopg.connect(own_database, autocommit=True) as admin:
            admin.execute("drop role my_app; drop role my_system")
