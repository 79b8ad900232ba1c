"""The secret of a demo: made once, kept in its data folder, readable by its owner alone."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["DEMO_KEY", "demo_secret_keys"]

NAME: Final = "secret-keys"
DEMO_KEY: Final = "demo"


def demo_secret_keys(data_dir: Path) -> str:
    """The content of the file in LEADPORT_SECRET_KEYS' form, made where it is absent by the first who comes.

    Raises OSError where the folder cannot be written or the file not read.
    """
    path = data_dir / NAME
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        _write_once(path, f"{DEMO_KEY}:{secrets.token_urlsafe(48)}")
    return path.read_text(encoding="ascii").strip()


def _write_once(path: Path, text: str) -> None:
    """Whole or not at all, and never over another's: a hard link fails where the name is taken."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)  # mode 0600
    try:
        os.write(descriptor, text.encode("ascii"))
        os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        os.close(descriptor)
        Path(temporary).unlink()
