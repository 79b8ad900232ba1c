"""SIGKILL to any of a cluster's processes loses no row that its writer was told is committed."""

import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from db.embedded import EmbeddedCluster
from db.embedded.supervisor import is_listening

REPOSITORY = Path(__file__).parents[2]
SEED = 20240115
WRITER = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import psycopg
from db.embedded import EmbeddedCluster
cluster = EmbeddedCluster(Path(sys.argv[2])).acquire()
connection = psycopg.connect(cluster.dsn(), autocommit=True)
connection.execute("create table if not exists written (number bigint primary key)")
number = connection.execute("select coalesce(max(number), 0) from written").fetchone()[0]
print(number, flush=True)
while True:
    number += 1
    connection.execute("insert into written values (%s)", (number,))
    print(number, flush=True)
"""
STARTER = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from db.embedded import EmbeddedCluster
print("begin", flush=True)
EmbeddedCluster(Path(sys.argv[2])).acquire()
"""


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    with passable_folder() as folder:
        EmbeddedCluster(folder / "cluster").acquire().release()
        wait_until_stopped(folder / "cluster")
        yield folder / "cluster"


@pytest.fixture
def root(template: Path) -> Iterator[Path]:
    """The folder of a cluster that was made before and is stopped."""
    with passable_folder() as folder:
        subprocess.run(["cp", "-a", template, folder], check=True)
        yield folder / "cluster"


@contextmanager
def passable_folder() -> Iterator[Path]:
    """Others may pass it: tmp_path is hidden from the user as whom root runs PostgreSQL."""
    folder = Path(tempfile.mkdtemp(prefix="leadport-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def run(script: str, root: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, str(REPOSITORY), str(root)]
    return subprocess.Popen(command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def supervisors_of(root: Path) -> list[psutil.Process]:
    return [each for each in processes() if f'"locks": "{root}"' in " ".join(each.info["cmdline"] or [])]


def processes() -> Iterator[psutil.Process]:
    return psutil.process_iter(["cmdline"])


def postmaster_of(root: Path) -> psutil.Process:
    (file,) = root.glob("pg*/postmaster.pid")
    return psutil.Process(int(file.read_text().split()[0]))


def kill_user(writer: subprocess.Popen[str], _root: Path) -> None:
    writer.kill()


def kill_supervisor(_writer: subprocess.Popen[str], root: Path) -> None:
    (supervisor,) = supervisors_of(root)
    supervisor.kill()


def kill_postmaster(_writer: subprocess.Popen[str], root: Path) -> None:
    postmaster_of(root).kill()


def kill_user_and_supervisor(writer: subprocess.Popen[str], root: Path) -> None:
    kill_supervisor(writer, root)
    kill_user(writer, root)


def kill_everything(writer: subprocess.Popen[str], root: Path) -> None:
    writer.kill()
    kill_servers(root)


def kill_servers(root: Path) -> None:
    postmaster = postmaster_of(root)
    for process in [*supervisors_of(root), postmaster, *postmaster.children()]:
        with suppress(psutil.NoSuchProcess):  # children end by themselves when they miss the postmaster
            process.kill()


def wait_until_stopped(root: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while is_listening(root / "run") or supervisors_of(root):
        assert time.monotonic() < deadline, "the server or its supervisor is still up"
        time.sleep(0.02)


@pytest.mark.parametrize(
    "kill", [kill_user, kill_supervisor, kill_postmaster, kill_user_and_supervisor, kill_everything]
)
def test_no_acknowledged_row_is_lost(root: Path, kill: Callable[[subprocess.Popen[str], Path], None]):
    pauses = random.Random(f"{SEED} {kill.__name__}")
    writer = run(WRITER, root)
    assert writer.stdout is not None
    writer.stdout.readline()
    time.sleep(pauses.uniform(0.05, 0.4))
    before = writer.stdout.readline()
    kill(writer, root)
    time.sleep(pauses.uniform(0, 0.2))
    writer.kill()
    printed = [before, *writer.communicate()[0].splitlines(keepends=True)]
    acknowledged = [int(line) for line in printed if line.endswith("\n")]
    cluster = EmbeddedCluster(root).acquire()
    with psycopg.connect(cluster.dsn()) as connection:
        found = connection.execute("select count(*), max(number) from written").fetchone()
    assert found is not None
    assert found[0] == found[1] >= acknowledged[-1] > 0
    cluster.release()
    wait_until_stopped(root)


def test_the_server_stops_when_its_last_user_is_killed(root: Path):
    writer = run(WRITER, root)
    assert writer.stdout is not None
    writer.stdout.readline()
    writer.kill()
    writer.communicate()
    wait_until_stopped(root)


def test_a_killed_postmaster_is_replaced_for_those_who_still_use_it(root: Path):
    cluster = EmbeddedCluster(root).acquire()
    killed = postmaster_of(root)
    killed.kill()
    deadline = time.monotonic() + 10
    while True:
        try:
            psycopg.connect(cluster.dsn()).close()
            break
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert postmaster_of(root).pid != killed.pid
    cluster.release()
    wait_until_stopped(root)


def test_a_killed_supervisor_does_not_let_the_server_outlive_its_last_user(root: Path):
    cluster = EmbeddedCluster(root).acquire()
    (supervisor,) = supervisors_of(root)
    supervisor.kill()
    supervisor.wait()
    assert is_listening(root / "run")
    cluster.release()
    wait_until_stopped(root)


def test_a_server_without_supervisor_is_adopted_by_the_next_user(root: Path):
    first = EmbeddedCluster(root).acquire()
    (supervisor,) = supervisors_of(root)
    supervisor.kill()
    supervisor.wait()
    postmaster = postmaster_of(root)
    second = EmbeddedCluster(root).acquire()
    assert postmaster_of(root) == postmaster
    assert len(supervisors_of(root)) == 1
    first.release()
    second.release()
    wait_until_stopped(root)


def test_a_stale_pid_that_is_a_strangers_now_does_not_block_the_start(root: Path):
    cluster = EmbeddedCluster(root).acquire()
    assert cluster.places is not None
    kill_servers(root)
    cluster.release()
    wait_until_stopped(root)
    owner = {"user": cluster.places.uid, "group": cluster.places.gid} if cluster.places.uid else {}
    with subprocess.Popen(["sleep", "60"], **owner) as stranger:
        for file in (cluster.places.data / "postmaster.pid", cluster.places.run / ".s.PGSQL.5432.lock"):
            file.write_text("\n".join([str(stranger.pid), *file.read_text().split("\n")[1:]]))
        cluster.acquire(timeout_seconds=15)
        assert stranger.poll() is None
        stranger.kill()
    cluster.release()
    wait_until_stopped(root)


def test_a_start_killed_at_any_moment_leaves_nothing_in_the_way():
    moments = random.Random(SEED)
    with passable_folder() as folder:
        root = folder / "cluster"
        for _ in range(6):
            starter = run(STARTER, root)
            assert starter.stdout is not None
            starter.stdout.readline()
            time.sleep(moments.uniform(0, 0.45))
            for process in [*psutil.Process(starter.pid).children(recursive=True), psutil.Process(starter.pid)]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()  # initdb and its children, too
            starter.communicate()
        cluster = EmbeddedCluster(root).acquire()
        psycopg.connect(cluster.dsn()).close()
        cluster.release()
        wait_until_stopped(root)
