"""The embedded database of a data folder, with a database of our own in it."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from db.administration import ensure_database
from db.dsn import with_database
from db.embedded import EmbeddedCluster

__all__ = ["embedded_database"]

FOLDER: Final = "postgres"
DATABASE: Final = "leadport"


@contextmanager
def embedded_database(data_dir: Path) -> Generator[str]:
    """The administrator's address; the cluster runs at least until the block ends, whoever else uses it.

    Raises EmbeddedPostgresError.
    """
    cluster = EmbeddedCluster(data_dir / FOLDER).acquire()
    try:
        ensure_database(cluster.dsn(), DATABASE)
        yield with_database(cluster.dsn(), DATABASE)
    finally:
        cluster.release()
