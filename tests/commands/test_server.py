"""server.py as people type it, on a real database: servers in processes of their own, short commands in this one."""

import logging
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import jwt
import pytest

import server
from db.dsn import as_role
from tests.conftest import SECRET, administer, cloned
from tests.serving import (
    REPOSITORY,
    SECRET_KEYS,
    Server,
    clean_environment,
    demo_folder,
    wait_for_postgres_to_end,
)


@pytest.fixture(scope="module")
def demo() -> Iterator[Server]:
    with demo_folder() as folder:
        served = Server(folder, {"LEADPORT_SECRET_KEYS": ""})
        try:
            yield served
        finally:
            assert served.stop() == 0


@pytest.fixture(scope="module")
def own_database(template_database: str) -> Iterator[str]:
    with cloned(template_database) as dsn:
        yield dsn


@pytest.fixture
def environment(own_database: str) -> dict[str, str]:
    return {**clean_environment(), "DATABASE_URL": own_database, "LEADPORT_SECRET_KEYS": SECRET_KEYS}


@dataclass(frozen=True)
class Ended:
    returncode: int
    stdout: str
    stderr: str


Type = Callable[..., Ended]


@pytest.fixture
def typed(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Type]:
    """`typed("check", LEADPORT_PORT="x")` runs a command with these settings besides `environment`."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def run(*arguments: str, **changes: str) -> Ended:
        with monkeypatch.context() as patch:
            for name in [name for name in os.environ if name.startswith(("LEADPORT_", "DATABASE_"))]:
                patch.delenv(name)
            for name, value in {**environment, **changes}.items():
                patch.setenv(name, value)
            capsys.readouterr()
            try:
                code = server.main([*arguments, "--data-dir", str(tmp_path)])
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 1
            return Ended(code, *capsys.readouterr())

    yield run
    root.handlers[:], root.level = handlers, level


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


def test_a_database_of_ones_own_is_migrated_on_demand(typed: Type):
    assert typed("migrate").stdout == "The database is up to date.\n"
    ended = typed("check")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "a database of yours" in ended.stdout


def test_a_server_on_a_database_of_ones_own_is_no_demo(typed: Type, environment: dict[str, str], tmp_path: Path):
    typed("migrate")
    served = Server(tmp_path, environment)
    try:
        assert "Bearer" not in served.output
        assert httpx.get(f"{served.url}/graphiql/").status_code == 404
        assert not (tmp_path / "postgres").exists()
    finally:
        assert served.stop() == 0


def test_a_worker_alone_ends_well_on_a_signal(typed: Type, environment: dict[str, str], tmp_path: Path):
    typed("migrate")
    command = [sys.executable, "server.py", "worker", "--data-dir", str(tmp_path)]
    environment = {**environment, "LEADPORT_LOG_LEVEL": "debug"}
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True) as worker:
        assert worker.stderr is not None
        assert any("Starting worker" in line for line in worker.stderr)
        worker.send_signal(signal.SIGTERM)
        worker.stderr.read()
        assert worker.wait(40) == 0


def test_a_killed_server_leaves_no_postgres_behind():
    with demo_folder() as folder:
        served = Server(folder)
        served.kill()
        wait_for_postgres_to_end(folder / "postgres")
        assert not list((folder / "postgres").glob("pg*/postmaster.pid"))


def test_check_names_what_is_wrong(typed: Type, own_database: str):
    typed("migrate")
    administer(own_database, "revoke delete on app.leads from leadport_app")
    ended = typed("check", LEADPORT_STORAGE_URL="nowhere://")
    assert ended.returncode == 1
    assert "FAIL  leadport_app lacks DELETE on app.leads" in ended.stdout
    assert re.search("^FAIL .*storage", ended.stdout, re.MULTILINE)
    typed("migrate")
    assert typed("check").returncode == 0


@pytest.mark.parametrize("keys", [f"demo:{SECRET}", f"k1:{'changeme' * 5}", f"k1:{SECRET},k2:{'x' * 40}"])
def test_check_warns_of_secrets_that_are_not_a_servers_own(typed: Type, keys: str):
    ended = typed("check", LEADPORT_SECRET_KEYS=keys)
    (warning,) = [line for line in ended.stdout.splitlines() if line.startswith("warn")]
    assert warning.startswith("warn  LEADPORT_SECRET_KEYS: ")
    assert not [secret for item in keys.split(",") if (secret := item.partition(":")[2]) in ended.stdout]
    assert "warn" not in typed("check").stdout


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
        ("worker", {"DATABASE_URL": "postgresql://me:hidden@127.0.0.1:9/crm"}, r"the database cannot be opened: .*"),
        ("migrate", {"DATABASE_URL": "postgresql://me:hidden@127.0.0.1:9/crm"}, r"the database cannot be migrated: .*"),
        (
            "serve",
            {"LEADPORT_STORAGE_URL": "ftp://x"},
            r"LEADPORT_STORAGE_URL, .* ftp://x .*",
        ),
        ("worker", {"LEADPORT_STORAGE_URL": "files"}, r"LEADPORT_STORAGE_URL, .* files .*"),
        ("worker", {"LEADPORT_STORAGE_URL": "file:///proc/x"}, r"LEADPORT_STORAGE_URL, .* No such file .*"),
        (
            "worker",
            {"LEADPORT_STORAGE_URL": "s3://leads", "LEADPORT_STORAGE_OPTIONS": '{"endpiont": "https://s3.test"}'},
            r"LEADPORT_STORAGE_URL, LEADPORT_STORAGE_OPTIONS: .*'endpiont'.*",
        ),
        (
            "worker",
            {"DATABASE_URL": "", "LEADPORT_APP_DATABASE_URL": "postgresql://db/crm"},
            r"LEADPORT_SYSTEM_DATABASE_URL: needed beside .*",
        ),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(command: str, changes: dict[str, str], line: str, typed: Type):
    ended = typed(command, **changes)
    assert ended.returncode == 1
    assert re.fullmatch(f"leadport: {line}\n", ended.stderr)
    assert "hidden" not in ended.stderr + ended.stdout


def test_s17_a_role_that_may_do_too_much_does_not_serve(typed: Type, own_database: str):
    ended = typed("serve", "--port", "0", LEADPORT_APP_DATABASE_URL=own_database)
    assert ended.returncode == 1
    assert ended.stderr == "leadport: the database role is too powerful to run the server: it is a superuser\n"


def test_a_mistyped_setting_is_pointed_out(typed: Type):
    ended = typed("migrate", LEADPORT_PRT="80")
    assert ended.stderr == "leadport: LEADPORT_PRT is not a setting: did you mean LEADPORT_PORT?\n"


@pytest.mark.parametrize("arguments", [["fly"], ["token", "--organization", "a", "--role", "king"]])
def test_what_is_not_understood_is_answered_with_the_usage(arguments: list[str], typed: Type):
    ended = typed(*arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith("usage: server.py")


def test_a_host_that_is_none_is_named_in_one_line(demo: Server):
    ended = demo.run("serve", "--host", "999.1.1.1", "--port", "0")
    assert ended.returncode == 1
    assert ended.stderr.startswith("leadport: LEADPORT_HOST: 999.1.1.1 is no address to listen at (")


def test_a_mistyped_role_is_answered_with_those_that_there_are(typed: Type):
    ended = typed("token", "--organization", "a", "--role", "king")
    assert ended.stderr.rstrip().endswith("king is none of SYSTEM_ADMIN, OWNER, ADMIN, PRO, AGENT, VIEWER")


def test_with_addresses_of_both_roles_no_administrator_is_needed(typed: Type, own_database: str):
    typed("migrate")
    for name in ("app", "system"):
        administer(own_database, f"create role my_{name} login password 'x' in role leadport_{name}")
    administer(own_database, "alter role my_app set search_path = app")
    roles = {
        "DATABASE_URL": "",
        "LEADPORT_APP_DATABASE_URL": as_role(own_database, "my_app", "x"),
        "LEADPORT_SYSTEM_DATABASE_URL": as_role(own_database, "my_system", "x"),
    }
    try:
        ended = typed("check", **roles)
        assert ended.returncode == 0, ended.stdout
        assert typed("migrate", **roles).stderr == "leadport: DATABASE_URL: migrate needs it\n"
    finally:
        administer(own_database, "drop role my_app")
        administer(own_database, "drop role my_system")
