"""An environment of the other ways to import and to export."""

import subprocess
import sys
from pathlib import Path

_LOCK = Path(__file__).with_name("peers.txt")


def install(folder: Path) -> Path | None:
    """Its interpreter; None where it cannot be installed here."""
    environment = folder / "peers"
    python = environment / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--quiet", "--quiet"]
    for command in ([sys.executable, "-m", "venv", environment], [*pip, "--require-hashes", "-r", _LOCK]):
        if subprocess.run(command, check=False).returncode:
            print("The other ways cannot be installed here: they are left out.", flush=True)
            return None
    return python
