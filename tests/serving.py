"""A real server in a process of its own, for any test that wants to talk to one."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import SECRET

REPOSITORY = Path(__file__).parents[1]
SECRET_KEYS = f"tests:{SECRET}"


class Server:
    """`server.py serve` on a free port; `url` without a slash at its end, `output` what it printed.

    Without `DATABASE_URL` in `environment` it is the demo, with its data in `data_dir`.
    """

    def __init__(self, data_dir: Path, environment: Mapping[str, str] | None = None, *, seconds: float = 180) -> None:
        self.data_dir = data_dir
        self.environment = {**clean_environment(), "LEADPORT_SECRET_KEYS": SECRET_KEYS, **(environment or {})}
        data_dir.mkdir(parents=True, exist_ok=True)
        self.log = data_dir / "server.log"
        command = [sys.executable, "server.py", "serve", "--port", "0", "--data-dir", str(data_dir)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=REPOSITORY, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        try:
            self.url = self._printed(r"start page +(http://\S+)/", seconds)
        except TimeoutError:
            self.kill()
            raise

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8")

    @property
    def demo_token(self) -> str:
        """The token that the demo prints."""
        return self._printed(r"^(eyJ\S+)$", 5)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command beside the server, with the same settings."""
        return run_command(self.data_dir, self.environment, *arguments)

    def token(self, organization: str = "demo", role: str = "ADMIN", *more: str) -> str:
        """A bearer token."""
        ended = self.run("token", "--organization", organization, "--role", role, *more)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    def stop(self, seconds: float = 40) -> int:
        """Ask it to stop, wait; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def kill(self) -> None:
        """As a crash does; harmless when it has ended."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def _printed(self, pattern: str, seconds: float) -> str:
        deadline = time.monotonic() + seconds
        while (found := re.search(pattern, self.output, re.MULTILINE)) is None:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise TimeoutError(f"the server did not print {pattern!r}:\n{self.output}")
            time.sleep(0.02)
        return found[1]


@contextmanager
def demo_folder() -> Iterator[Path]:
    """A data folder that the user as whom root runs PostgreSQL may pass, deleted in the end with its database."""
    folder = Path(tempfile.mkdtemp(prefix="leadport-test-"))
    folder.chmod(0o711)
    try:
        yield folder / "data"
    finally:
        wait_for_postgres_to_end(folder / "data" / "postgres")
        shutil.rmtree(folder, ignore_errors=True)  # the supervisor of PostgreSQL may still look at its lock


def wait_for_postgres_to_end(cluster: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while any(cluster.glob("pg*/postmaster.pid")) and time.monotonic() < deadline:
        time.sleep(0.05)


def run_command(data_dir: Path, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """`server.py` with these arguments, to its end."""
    command = [sys.executable, "server.py", *arguments, "--data-dir", str(data_dir)]
    return subprocess.run(
        command, cwd=REPOSITORY, env=dict(environment), capture_output=True, text=True, timeout=90, check=False
    )


def clean_environment() -> dict[str, str]:
    """Ours without any setting of the server."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("LEADPORT_", "DATABASE_"))}
