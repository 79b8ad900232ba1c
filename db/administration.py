"""What an administrator asks of a database from outside: make it, look it over."""

from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import sql

from db.dsn import for_psycopg
from db.migrate import MigrationError, differences

__all__ = ["Examined", "ensure_database", "examine"]

_TAKEN: Final = (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation)
"""The second when somebody else makes it at the same moment."""


@dataclass(frozen=True, slots=True)
class Examined:
    """`version` of the server, `revision` of the migrations, what views and grants lack, one line each."""

    version: str
    revision: str | None
    differences: list[str]


def ensure_database(admin_dsn: str, name: str) -> None:
    """Make the database where it is absent. Raises MigrationError."""
    try:
        with psycopg.connect(for_psycopg(admin_dsn), autocommit=True) as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone()
            if found is None:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    except _TAKEN:
        return
    except psycopg.Error as error:
        raise MigrationError(f"the database {name} cannot be made: {' '.join(str(error).split())}") from error


def examine(admin_dsn: str) -> Examined:
    """Look a database over, as an administrator. Raises MigrationError where it cannot be opened."""
    try:
        with psycopg.connect(for_psycopg(admin_dsn)) as connection:
            (version,) = connection.execute("show server_version").fetchone() or ("",)
            (migrated,) = connection.execute("select to_regclass('store.alembic_version') is not null").fetchone() or (
                0,
            )
            if not migrated:
                return Examined(version, None, ["the tables are missing: run server.py migrate"])
            (revision,) = connection.execute("select version_num from store.alembic_version").fetchone() or (None,)
            return Examined(version, revision, differences(connection))
    except psycopg.Error as error:
        raise MigrationError(f"the database cannot be examined: {' '.join(str(error).split())}") from error
