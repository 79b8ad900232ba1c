"""Make a new cluster: initdb under a temporary name, then a rename, so that a killed initdb leaves no half cluster."""

import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path

from db.embedded.errors import EmbeddedPostgresError
from db.embedded.places import Places
from db.embedded.supervisor import Account

SUPERUSER = "leadport"
BUILTIN_LOCALES_SINCE = 17


def initialise(places: Places, binaries: Path, account: Account, *, start_lock: int, deadline: float) -> None:
    """Make the cluster unless it exists.

    Args:
        places: where; `places.data` appears complete or not at all.
        binaries: the folder of initdb.
        account: as whom initdb runs.
        start_lock: descriptor of the held start lock; an initdb that outlives us keeps it until it ends, too.
        deadline: by time.monotonic().

    Raises:
        OSError: a file cannot be written.
        EmbeddedPostgresError: initdb failed, or the only cluster here belongs to another major version.
    """
    if (places.data / "PG_VERSION").is_file():
        return
    _refuse_other_major(places)
    unfinished = places.root / f"{places.data.name}.init"
    handed = places.root / "initdb.password"
    shutil.rmtree(unfinished, ignore_errors=True)
    handed.unlink(missing_ok=True)
    unfinished.mkdir(mode=0o700)
    _write_private(handed, _password(places.password))
    if places.uid is not None and places.gid is not None:
        os.chown(unfinished, places.uid, places.gid)
        os.chown(handed, places.uid, places.gid)
    command = [str(binaries / "initdb"), "-D", str(unfinished), f"--pwfile={handed}", *_options(places.data)]
    try:
        _run(account, command, start_lock, deadline)
    finally:
        handed.unlink()
    unfinished.rename(places.data)


def _options(data: Path) -> list[str]:
    options = ["-U", SUPERUSER, "-A", "scram-sha-256", "-E", "UTF8", "-k", "--no-instructions"]
    if sys.platform == "darwin":  # without a C.UTF-8 before macOS 15
        options += ["--locale=C", "--lc-ctype=en_US.UTF-8"]
    else:
        options += ["--locale=C.UTF-8"]
    if int(data.name.removeprefix("pg")) >= BUILTIN_LOCALES_SINCE:
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return options


def _run(account: Account, command: list[str], start_lock: int, deadline: float) -> None:
    initdb = account.spawn(command, pass_fds=(start_lock,), output=subprocess.PIPE)
    try:
        output, _ = initdb.communicate(timeout=max(0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        initdb.kill()
        initdb.communicate()
        raise EmbeddedPostgresError("initdb did not end in time") from None
    if initdb.returncode:
        raise EmbeddedPostgresError(f"initdb failed: {reason_in(output)}")


def reason_in(log: str) -> str:
    """Why PostgreSQL ended: the last fatal or other error of a log without its prefix, else the last line."""
    errors = re.findall(r"(?:FATAL|PANIC|error):.*", log)
    lines = log.split("\n") if log.strip() else ["no reason given"]
    return (errors or [line for line in lines if line])[-1]


def _refuse_other_major(places: Places) -> None:
    """An upgrade of the programs must not look like the loss of all data."""
    others = sorted(path.parent for path in places.root.glob("pg[0-9]*/PG_VERSION") if path.parent.suffix != ".init")
    if others:
        raise EmbeddedPostgresError(
            f"{others[-1]} was made by another major version of PostgreSQL than {places.data.name.removeprefix('pg')}: "
            "dump and restore it with its own programs (PGBINDIR), or move it away to begin anew"
        )


def _password(file: Path) -> str:
    if not file.exists():
        unfinished = file.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        _write_private(unfinished, secrets.token_urlsafe(24))
        unfinished.rename(file)
    return file.read_text()


def _write_private(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)
