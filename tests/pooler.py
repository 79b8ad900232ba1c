"""A real PgBouncer in transaction mode before the database of a test."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
POOL = 3
"""Server connections for each role: fewer than its clients, so that they are shared."""
CONFIG = """
[databases]
{database} = host={host} port={server_port} dbname={database}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
admin_users = watcher
pool_mode = transaction
default_pool_size = {pool}
max_client_conn = 200
server_reset_query =
"""


class Pooler:
    """`through(dsn)` is the same address by way of PgBouncer."""

    def __init__(self, port: int) -> None:
        self.port = port

    def through(self, dsn: str) -> str:
        return make_conninfo(dsn, host="127.0.0.1", port=self.port)

    def ask(self, command: str) -> list[dict[str, object]]:
        """What its console answers."""
        console = f"host=127.0.0.1 port={self.port} dbname=pgbouncer user=watcher password=watching"
        with psycopg.connect(console, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
            connection.row_factory = psycopg.rows.dict_row
            return connection.execute(command).fetchall()


@contextmanager
def pgbouncer(*dsns: str) -> Iterator[Pooler]:
    """Before the one database of these addresses, for their roles."""
    folder = Path(tempfile.mkdtemp(prefix="leadport-pgbouncer-"))
    folder.chmod(0o755)  # read by the user that it runs as
    parts = [conninfo_to_dict(dsn) for dsn in dsns]
    users = [(one["user"], one["password"]) for one in parts]
    (folder / "users").write_text("".join(f'"{user}" "{word}"\n' for user, word in (*users, ("watcher", "watching"))))
    port = _free_port()
    config = CONFIG.format(
        database=parts[0]["dbname"], host=parts[0]["host"], server_port=parts[0]["port"], port=port, folder=folder,
        pool=POOL,
    )  # fmt: skip
    (folder / "pgbouncer.ini").write_text(config)
    assert PROGRAM is not None
    owner = pwd.getpwuid(Path(str(parts[0]["host"])).stat().st_uid).pw_name  # who may pass to PostgreSQL's socket
    identity = ["-u", owner] if os.geteuid() == 0 else []
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([PROGRAM, *identity, str(folder / "pgbouncer.ini")], stdout=log, stderr=log)
    try:
        pooler = Pooler(port)
        _wait(pooler, process, folder / "log")
        yield pooler
    finally:
        process.kill()
        process.wait()
        sys.stdout.write((folder / "log").read_text(errors="replace"))
        shutil.rmtree(folder)


def _wait(pooler: Pooler, process: subprocess.Popen[bytes], log: Path, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        try:
            pooler.ask("show pools")
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"PgBouncer did not start:\n{log.read_text(errors='replace')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
