"""The embedded default: a real PostgreSQL, started by the first process that needs it and stopped after the last."""

from db.embedded.binaries import find_binaries
from db.embedded.cluster import EmbeddedCluster
from db.embedded.errors import EmbeddedPostgresError

__all__ = ["EmbeddedCluster", "EmbeddedPostgresError", "find_binaries"]
