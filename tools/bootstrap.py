"""Make the environments that the Makefile uses, from a bare python3 with venv.

python3 tools/bootstrap.py run    .venv with requirements.txt
python3 tools/bootstrap.py dev    .venv with requirements-dev.txt, which holds all of requirements.txt
python3 tools/bootstrap.py lock   .tools/uv alone, which writes the lock files

Packages are installed by uv, itself installed into .tools, or by pip where uv cannot be had; both check the hashes
of the lock file. A file in each environment names what it was made from, so that a second run does nothing. An
environment that has the development packages keeps them: `run` after `dev` brings it up to date as `dev`.

Written so that an older Python reads it far enough to say which version is needed.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
TOOLS = ROOT / ".tools"
UV_ENVIRONMENT = TOOLS / "uv"
UV = UV_ENVIRONMENT / "bin" / "uv"
UV_LOCK = ROOT / "tools" / "requirements.txt"
LOCKS = {"run": ROOT / "requirements.txt", "dev": ROOT / "requirements-dev.txt"}


def main(arguments: list[str]) -> None:
    """Make what the one argument names; exits with one plain line when something is missing."""
    check_python()
    if len(arguments) != 1 or arguments[0] not in {*LOCKS, "lock"}:
        sys.exit("usage: python3 tools/bootstrap.py run|dev|lock")
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "busy").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        if arguments[0] in LOCKS:
            ensure_packages(arguments[0])
        elif not ensure_uv():
            sys.exit("uv could not be installed: see the message above.")


def check_python() -> None:
    """Exit with one plain line where this Python is too old or cannot make environments."""
    major, minor = sys.version_info[:2]
    if (major, minor) < (3, 11):
        sys.exit(f"Leadport needs Python 3.11 or newer; this is {major}.{minor}. Try: make PYTHON=python3.11")
    if importlib.util.find_spec("ensurepip") is None:
        sys.exit("This Python cannot make environments. On Debian and Ubuntu: apt install python3-venv")


def ensure_packages(target: str) -> None:
    """Bring .venv to the lock file of `run` or `dev`."""
    if made_from(ENVIRONMENT).startswith("dev "):
        target = "dev"
    lock = LOCKS[target]
    wanted = f"{target} {fingerprint(lock)}"
    if made_from(ENVIRONMENT) == wanted:
        return
    print(f"Installing {lock.name} into .venv ...", flush=True)
    if not usable(ENVIRONMENT):
        venv.create(ENVIRONMENT, clear=True, with_pip=True)
    stamp(ENVIRONMENT).unlink(missing_ok=True)
    install(lock)
    stamp(ENVIRONMENT).write_text(wanted)


def install(lock: Path) -> None:
    """Install exactly the lock file's packages into .venv; exits when neither uv nor pip can."""
    python = ENVIRONMENT / "bin" / "python"
    sync = (UV, "pip", "sync", "--quiet", "--system-certs", "--require-hashes", "--python", python, lock)
    if ensure_uv() and succeeds(*sync):
        return
    print("uv could not do it; pip will, in more time.", flush=True)
    if not pip_installs(ENVIRONMENT, lock):
        sys.exit(f"The packages of {lock.name} could not be installed: see the message above.")


def ensure_uv() -> bool:
    """Whether the locked uv is in .tools, after installing it there if need be."""
    wanted = fingerprint(UV_LOCK)
    if made_from(UV_ENVIRONMENT) == wanted:
        return True
    venv.create(UV_ENVIRONMENT, clear=True, with_pip=True)
    if not pip_installs(UV_ENVIRONMENT, UV_LOCK):
        return False
    stamp(UV_ENVIRONMENT).write_text(wanted)
    return True


def pip_installs(environment: Path, lock: Path) -> bool:
    """Whether the environment's own pip installed the lock file's packages."""
    python = environment / "bin" / "python"
    return succeeds(python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock)


def succeeds(*command: str | Path) -> bool:
    """Whether the command ended with code 0; what it prints is shown."""
    return subprocess.run(command, check=False).returncode == 0


def usable(environment: Path) -> bool:
    """Whether the environment belongs to the version of Python that runs this."""
    version = ".".join(map(str, sys.version_info[:3]))
    configuration = environment / "pyvenv.cfg"
    return (environment / "bin" / "python").exists() and f"version = {version}\n" in configuration.read_text()


def fingerprint(lock: Path) -> str:
    """What an environment is made from: the lock file's bytes and the version of Python."""
    return f"{hashlib.sha256(lock.read_bytes()).hexdigest()} {sys.version.split()[0]}"


def stamp(environment: Path) -> Path:
    """The file in which an environment says what it was made from."""
    return environment / "made-from"


def made_from(environment: Path) -> str:
    """What the environment says it was made from, or an empty text."""
    file = stamp(environment)
    return file.read_text() if file.exists() else ""


if __name__ == "__main__":
    main(sys.argv[1:])
