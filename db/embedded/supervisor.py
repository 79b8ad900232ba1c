"""The small process that owns the postmaster: starts it, restarts it after a crash, stops it when nobody uses it.

It is run by its path (`python -I -S supervisor.py PLAN`) and imports the standard library alone, so that it works from
any folder and starts in milliseconds. Who is alive is never read from a pid: the kernel drops a file lock with the last
process that holds it, SIGKILL included.

| lock             | held by                                                              |
|------------------|----------------------------------------------------------------------|
| users.lock       | each process that uses the cluster, shared; supervisor while stopping |
| start.lock       | the one process that initialises or starts the cluster                |
| supervisor.lock  | the supervisor, from birth (inherited from its starter)               |
| postmaster.lock  | the postmaster and all its children (inherited from the supervisor)   |
"""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from types import FrameType

TICK_SECONDS = 0.2
START_TICK_SECONDS = 0.02
SOCKET = ".s.PGSQL.5432"


class Lock(StrEnum):
    """File names of the locks, in the cluster's folder."""

    USERS = "users.lock"
    START = "start.lock"
    SUPERVISOR = "supervisor.lock"
    POSTMASTER = "postmaster.lock"


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system user that runs PostgreSQL, where and with which environment; no uid means our own."""

    folder: str
    environment: dict[str, str]
    uid: int | None = None
    gid: int | None = None

    def spawn(
        self, command: Sequence[str], *, pass_fds: Sequence[int] = (), output: int | None = None
    ) -> subprocess.Popen[str]:
        """The started command; `output` is subprocess.PIPE to capture, None to inherit. Raises OSError."""
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output and subprocess.STDOUT,
            pass_fds=pass_fds,
            text=True,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a supervisor is told: absolute paths and complete commands."""

    locks: str
    data: str
    start: list[str]
    stop: list[str]
    account: Account

    def to_json(self) -> str:
        """The plan as one argument."""
        return json.dumps(asdict(self))

    @classmethod
    def of_json(cls, text: str) -> "Plan":
        """The plan that `to_json` wrote."""
        fields = json.loads(text)
        return cls(account=Account(**fields.pop("account")), **fields)


def take_lock(path: Path, *, shared: bool = False) -> int | None:
    """A descriptor that holds the lock until it is closed everywhere, None while others hold it. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_listening(folder: Path) -> bool:
    """Whether a postmaster accepts connections on the socket in this folder, ready for queries or not."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(2)
        try:
            client.connect(str(folder / SOCKET))
        except (BlockingIOError, TimeoutError):  # its queue of new connections is full
            return True
        except OSError:
            return False
        return True


def is_ready(data: Path, folder: Path) -> bool:
    """Whether the cluster answers queries: the eighth line of postmaster.pid is the postmaster's state."""
    try:
        state = (data / "postmaster.pid").read_text().split("\n")[7]
    except (FileNotFoundError, IndexError):
        return False
    return state.strip() == "ready" and is_listening(folder)


def supervise(plan: Plan) -> int:
    """Keep the cluster up while anybody holds users.lock, then stop it.

    Returns:
        The exit code: 0 after stopping the cluster, 1 when the server ended before it was ready.
    """
    while take_lock(Path(plan.locks, Lock.USERS)) is None:
        if not is_listening(Path(plan.account.folder)):
            lock = take_lock(Path(plan.locks, Lock.POSTMASTER))
            if lock is not None and not _start(plan, lock):
                return 1
        time.sleep(TICK_SECONDS)
    _stop(plan)
    return 0


def _start(plan: Plan, lock: int) -> bool:
    """Whether the server became ready or was killed, which is worth another try; False if it gave up by itself."""
    _forget_dead_postmaster(plan)
    server = plan.account.spawn(plan.start, pass_fds=(lock,))
    os.close(lock)
    while server.poll() is None:
        if is_ready(Path(plan.data), Path(plan.account.folder)):
            return True
        time.sleep(START_TICK_SECONDS)
    return server.returncode < 0


def _forget_dead_postmaster(plan: Plan) -> None:
    """Unlock a cluster whose postmaster was killed and whose pid, say after a reboot, is a stranger's now.

    PostgreSQL refuses to start while the pid in its file is alive, but for its parent's: ours. The other lines stay,
    because PostgreSQL checks the shared memory that they name before it believes that the cluster is free.
    """
    Path(plan.account.folder, SOCKET + ".lock").unlink(missing_ok=True)
    try:
        descriptor = os.open(Path(plan.data, "postmaster.pid"), os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    with os.fdopen(descriptor, "r+") as file:
        _, separator, rest = file.read().partition("\n")
        file.seek(0)
        file.write(f"{os.getpid()}{separator}{rest}")
        file.truncate()


def _stop(plan: Plan) -> None:
    """Over when the last process of the server has ended: fast, so that the next start needs no recovery, if it can."""
    mode = "fast"
    while is_listening(Path(plan.account.folder)) or take_lock(Path(plan.locks, Lock.POSTMASTER)) is None:
        plan.account.spawn([*plan.stop, "-m", mode], output=subprocess.DEVNULL).wait()
        mode = "immediate"  # a server that is damaged may hang otherwise; no committed row is lost by it
        time.sleep(START_TICK_SECONDS)


def _stay(_signal: int, _frame: FrameType | None) -> None:
    pass


def main() -> int:
    """Supervise by the plan in the first argument; the terminal's and the service manager's signals are not for us."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stay)  # a handler, not SIG_IGN, which PostgreSQL would inherit
    return supervise(Plan.of_json(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
