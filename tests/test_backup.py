"""A backup made and restored as docs/operations.md says serves what was there."""

import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from db.dsn import with_database
from db.embedded.binaries import find_binaries
from tests.acceptance.calling import Caller
from tests.conftest import administer, running
from tests.serving import Server, demo_folder, run_command, wait_for_postgres_to_end

FILE = "name,phone,source,nationalId\nNoa Sample,+33612345678,web,123456782\nZoé Muster,+33612345679,web,\n"
LEADS = """{ leads(orderBy: {field: NAME, direction: ASC}) { totalCount { value }
  nodes { id name phone nationalId importJob { id state } } } }"""
FILES = "query ($id: ID!) { job(id: $id) { files { role name download { url } } } }"
SPEC = {"columns": [{"field": "NAME"}, {"field": "NATIONAL_ID"}], "unmask": True}


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The administrator's address of another, empty PostgreSQL."""
    with running(None) as cluster:
        yield cluster.dsn()


def _run(program: str | Path, *arguments: str | Path) -> None:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _command(folder: Path, environment: dict[str, str], *arguments: str) -> None:
    done = run_command(folder, environment, *arguments)
    assert done.returncode == 0, done.stderr


async def _fill(caller: Caller) -> tuple[dict, str, bytes]:
    """Leads, one of them with a national id, and an export of them: what is listed, the job, and its file."""
    imported = await caller.import_file(FILE.encode())
    assert imported["userErrors"] == [], imported
    job, data = await caller.export(SPEC)
    assert b"123456782" in data
    return await caller.ask(LEADS), job["id"], data


async def _assert_same(caller: Caller, leads: dict, job: str, data: bytes) -> None:
    assert await caller.ask(LEADS) == leads
    files = (await caller.ask(FILES, id=job))["job"]["files"]
    (url,) = [file["download"]["url"] for file in files if file["role"] == "DATA"]
    assert (await caller.download(url)).content == data
    assert (await caller.export(SPEC))[1] == data, "national ids are read by the keys that were backed up"


async def test_a_dumped_database_serves_from_another_postgresql(
    database_url: str, elsewhere: str, http: httpx.AsyncClient, tmp_path: Path
):
    files, dump = tmp_path / "files", tmp_path / "leads.dump"
    before = {"DATABASE_URL": database_url, "LEADPORT_STORAGE_URL": f"file://{files}"}
    server = Server(tmp_path / "first", before)
    try:
        _command(server.data_dir, server.environment, "organization", "acme", "--country", "FR")
        filled = await _fill(Caller(server.url, server.token("acme", "OWNER"), http))
    finally:
        server.stop()
    _run(find_binaries() / "pg_dump", "--format=custom", f"--file={dump}", database_url)
    shutil.move(files, tmp_path / "restored")
    for name in ("scratch", "restored"):
        administer(elsewhere, f"create database {name}")
    there = {
        "LEADPORT_STORAGE_URL": f"file://{tmp_path}/restored",
        "DATABASE_URL": with_database(elsewhere, "restored"),
    }
    commands = {**server.environment, **there}
    _command(tmp_path / "scratch", {**commands, "DATABASE_URL": with_database(elsewhere, "scratch")}, "migrate")
    _run(find_binaries() / "pg_restore", "--exit-on-error", f"--dbname={there['DATABASE_URL']}", str(dump))
    for command in ("migrate", "check"):
        _command(tmp_path / "second", commands, command)
    server = Server(tmp_path / "second", there)
    try:
        await _assert_same(Caller(server.url, server.token("acme", "OWNER"), http), *filled)
    finally:
        server.stop()


async def test_a_copied_folder_of_the_embedded_database_serves(http: httpx.AsyncClient):
    own_keys = {"LEADPORT_SECRET_KEYS": ""}
    with demo_folder() as folder, demo_folder() as copy:
        server = Server(folder, own_keys)
        try:
            filled = await _fill(Caller(server.url, server.token("demo", "OWNER"), http))
        finally:
            server.stop()
        wait_for_postgres_to_end(folder / "postgres")
        _run("cp", "-a", folder, copy)
        (copy / "server.log").unlink()  # it names the address of the first
        server = Server(copy, own_keys)
        try:
            await _assert_same(Caller(server.url, server.token("demo", "OWNER"), http), *filled)
        finally:
            server.stop()
