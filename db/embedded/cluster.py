"""One PostgreSQL cluster that the processes of one data folder share without a service being installed."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from db.embedded import supervisor
from db.embedded.binaries import OLDEST_MAJOR, environment_of, find_binaries, major_of
from db.embedded.errors import EmbeddedPostgresError
from db.embedded.initialise import SUPERUSER, initialise, reason_in
from db.embedded.places import Places, reachable_binaries, settle
from db.embedded.server_settings import server_arguments
from db.embedded.supervisor import Account, Lock, Plan, is_ready, take_lock

SUPERVISOR = Path(supervisor.__file__).resolve()  # run by its path, from any folder
POLL_SECONDS = 0.01
STOP_SECONDS = 30  # to write what is in memory, 256 MB at most
LARGEST_LOG = 10 * 1024 * 1024  # bytes; then it is kept once as postgres.log.1
INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


class EmbeddedCluster:
    """A cluster in `root`, up from the first `acquire` in any process until the last process releases it or dies.

    For Linux and macOS. A child made by os.fork without exec counts as a user until it ends.

    Args:
        root: the cluster's folder; its data is in `pg<major>`. Root's may have to live under /var/lib: see `places`.
        binaries: the folder of PostgreSQL's programs; by default what `find_binaries` finds.
        settings: server settings that override the defaults, in force if this process starts the server.

    Raises:
        EmbeddedPostgresError: there is no usable PostgreSQL.
    """

    def __init__(self, root: Path, *, binaries: Path | None = None, settings: Mapping[str, str] = NO_SETTINGS) -> None:
        self.root = root
        self.binaries = (binaries or find_binaries()).absolute()
        self.settings = settings
        self.major = _require_major(self.binaries)
        self.places: Places | None = None
        self._users: int | None = None

    def acquire(self, timeout_seconds: float = 60) -> "EmbeddedCluster":
        """Join the cluster, which is made and started if need be; returns itself when the cluster answers queries.

        Acquiring again without a release makes sure that the cluster is up.

        Raises:
            EmbeddedPostgresError: one line that says why the cluster cannot be used.
        """
        deadline = time.monotonic() + timeout_seconds
        try:
            self.places = self.places or settle(self.root, self.major)
            self._bring_up(self.places, deadline)
        except OSError as error:
            self._leave()
            raise EmbeddedPostgresError(f"cannot use the database folder {self.root}: {error}") from error
        except EmbeddedPostgresError:
            self._leave()
            raise
        return self

    def release(self) -> None:
        """Leave the cluster, which stops within a second or two if nobody else uses it; harmless when repeated."""
        if self._users is not None and self.places is not None:
            with suppress(OSError):  # the folder is gone, and with it what could be left behind
                self._replace_killed_supervisor(self.places)
        self._leave()

    def dsn(self, database: str = "postgres") -> str:
        """The libpq URL of the bootstrap superuser; only of an acquired cluster.

        Raises:
            EmbeddedPostgresError: the cluster is not acquired.
        """
        if self._users is None or self.places is None:
            raise EmbeddedPostgresError("the cluster is not acquired")
        folder = quote(str(self.places.run), safe="/")
        password = quote(self.places.password.read_text(), safe="")
        return f"postgresql://{SUPERUSER}:{password}@/{quote(database, safe='')}?host={folder}&port=5432"

    def _bring_up(self, places: Places, deadline: float) -> None:
        if self._users is None:
            # a supervisor that is stopping the cluster holds this lock until it is down
            self._users = _wait_for(lambda: take_lock(places.root / Lock.USERS, shared=True), deadline, "stop")
        start_lock = _wait_for(lambda: take_lock(places.root / Lock.START), deadline, "start")
        try:
            binaries = reachable_binaries(self.binaries, places)
            account = _account(places, binaries)
            initialise(places, binaries, account, start_lock=start_lock, deadline=deadline)
            self._await_ready(places, deadline)
        finally:
            os.close(start_lock)

    def _await_ready(self, places: Places, deadline: float) -> None:
        """Until there are both a supervisor and an answering server; one without the other is what a SIGKILL leaves."""
        started: subprocess.Popen[bytes] | None = None
        beginning = places.log.stat().st_size if places.log.exists() else 0
        while True:
            lock = take_lock(places.root / Lock.SUPERVISOR)
            if lock is not None:
                if started is not None and started.wait() > 0:
                    os.close(lock)
                    raise self._failure(places, beginning)
                started = self._start_supervisor(places, lock)
            elif is_ready(places.data, places.run):
                return
            if time.monotonic() > deadline:
                raise self._failure(places, beginning)
            time.sleep(POLL_SECONDS)

    def _start_supervisor(self, places: Places, lock: int) -> subprocess.Popen[bytes]:
        """A supervisor that is born with its lock and survives this process; closes our descriptor of the lock."""
        command = [sys.executable, "-I", "-S", str(SUPERVISOR), self._plan(places).to_json()]
        log = _open_log(places.log)
        try:
            process = subprocess.Popen(
                command,
                cwd=places.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                start_new_session=True,
            )
        finally:
            os.close(log)
            os.close(lock)
        threading.Thread(target=process.wait, daemon=True).start()  # whenever it ends, it must not stay a zombie
        return process

    def _plan(self, places: Places) -> Plan:
        binaries = reachable_binaries(self.binaries, places)
        account = _account(places, binaries)
        data = ["-D", str(places.data)]
        settings = {**_wal_compression(binaries, account, data), **self.settings}
        return Plan(
            locks=str(places.root),
            data=str(places.data),
            start=[str(binaries / "postgres"), *data, *server_arguments(places.run, settings)],
            stop=[str(binaries / "pg_ctl"), "stop", *data, "-t", str(STOP_SECONDS)],
            account=account,
        )

    def _replace_killed_supervisor(self, places: Places) -> None:
        """Without one the server would outlive its last user."""
        start_lock = take_lock(places.root / Lock.START)
        if start_lock is None:  # whoever holds it will see to it
            return
        try:
            lock = take_lock(places.root / Lock.SUPERVISOR)
            if lock is not None:
                self._start_supervisor(places, lock)
        finally:
            os.close(start_lock)

    def _failure(self, places: Places, beginning: int) -> EmbeddedPostgresError:
        with places.log.open(errors="replace") as log:
            log.seek(beginning if beginning <= places.log.stat().st_size else 0)
            reason = reason_in(log.read())
        return EmbeddedPostgresError(f"PostgreSQL {self.major} did not start: {reason} ({places.log})")

    def _leave(self) -> None:
        if self._users is not None:
            os.close(self._users)
            self._users = None


def _require_major(binaries: Path) -> int:
    major = major_of(binaries)
    if major is None or major < OLDEST_MAJOR:
        raise EmbeddedPostgresError(f"{binaries} holds no PostgreSQL {OLDEST_MAJOR} or newer that runs here")
    return major


def _account(places: Places, binaries: Path) -> Account:
    """An environment of our own: the server would take defaults from variables such as PGCLIENTENCODING."""
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    environment.update(environment_of(binaries), LC_ALL="C")
    return Account(str(places.run), environment, places.uid, places.gid)


def _open_log(path: Path) -> int:
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.rename(path.with_name(path.name + ".1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _wal_compression(binaries: Path, account: Account, data: list[str]) -> dict[str, str]:
    """LZ4 pays at once, but a build may lack it and would refuse to start; the others cost too much CPU."""
    setting = {"wal_compression": "lz4"}
    question = [str(binaries / "postgres"), "-C", "wal_compression", *data, "-c", "wal_compression=lz4"]
    asked = account.spawn(question, output=subprocess.DEVNULL)
    return setting if asked.wait() == 0 else {}


def _wait_for(attempt: Callable[[], int | None], deadline: float, what: str) -> int:
    """The lock, as soon as others leave it to us."""
    while (lock := attempt()) is None:
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(f"another process did not {what} PostgreSQL in time")
        time.sleep(POLL_SECONDS)
    return lock
