"""Bring a database to this version: roles, schemas, tables, views and grants. Run by an administrator or the owner.

The administrator needs CREATEROLE and CREATE on the database; a superuser is not required.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

import psycopg
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from psycopg import sql
from sqlalchemy import Connection, NullPool, create_engine

from db import isolation
from db.dsn import for_psycopg
from db.partitions import MONTHS_AHEAD
from db.roles import APP, OWNER, SEARCH_PATHS, SYSTEM, role_password

__all__ = ["MigrationError", "differences", "migrate"]

MIGRATIONS: Final = Path(__file__).parent / "migrations"
OLDEST_SERVER: Final = 150_000
LOCK: Final = 5_493_020_117
"""Advisory lock of migrations, one at a time in a database."""
EXTENSIONS: Final = ("pg_trgm", "btree_gin")
_ATTEMPTS: Final = 20

Administrator = psycopg.Connection[tuple[str, ...]]


class MigrationError(RuntimeError):
    """The database cannot be brought to this version; the message is one line that says why."""


def migrate(admin_dsn: str, secret: str) -> None:
    """Idempotent, and serialised among all processes that migrate the same database.

    Args:
        admin_dsn: the address of a role that may create roles and schemas.
        secret: the server's first secret key, from which the roles' passwords are derived.

    Raises:
        MigrationError: the server is too old, the database is newer than this code, or a privilege lacks.
        ValueError: `admin_dsn` is not an address.
    """
    try:
        with _exclusive(for_psycopg(admin_dsn)) as connection:
            _require_version(connection)
            _ensure_roles(connection, secret)
            with connection.transaction():
                _ensure_schemas(connection)
            _upgrade(for_psycopg(admin_dsn))
    except psycopg.Error as error:
        raise MigrationError(f"the database cannot be migrated: {' '.join(str(error).split())}") from error
    except CommandError as error:
        raise MigrationError(f"the database was migrated by a newer version than this one: {error}") from error


def differences(admin: Administrator) -> list[str]:
    """What roles lack or hold too much, one line each; empty when views and grants are as the tables ask."""
    found: list[str] = []
    for role in (APP, SYSTEM):
        rows = admin.execute(isolation.held_grants_sql(role).encode()).fetchall()
        held = frozenset(isolation.Grant(*row) for row in rows)
        expected = isolation.expected_grants(role)
        found += [f"{role} lacks {grant}" for grant in sorted(expected - held)]
        found += [f"{role} must not have {grant}" for grant in sorted(held - expected)]
    comment = admin.execute("select obj_description('app'::regnamespace, 'pg_namespace')").fetchone()
    if comment is None or comment[0] != isolation.fingerprint():
        found.append("the views of schema app are of another version")
    return found


@contextmanager
def _exclusive(dsn: str) -> Generator[Administrator]:
    """A connection that holds the advisory lock: the session's, so that a migration may commit in between."""
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        connection.execute("select pg_advisory_lock(%s)", (LOCK,))
        yield connection


def _require_version(connection: Administrator) -> None:
    if connection.info.server_version < OLDEST_SERVER:
        raise MigrationError(f"PostgreSQL 15 or newer is needed; this is {connection.info.server_version // 10_000}")


def _ensure_roles(connection: Administrator, secret: str) -> None:
    """Roles belong to the cluster: migrations of its other databases change them at the same time."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with connection.transaction():
                _write_roles(connection, secret)
        except (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateObject, psycopg.errors.InternalError_):
            # InternalError_: "tuple concurrently updated" has no code of its own
            if attempt == _ATTEMPTS:
                raise
            time.sleep(0.02 * attempt)
        else:
            return


def _write_roles(connection: Administrator, secret: str) -> None:
    existing = {name for (name,) in connection.execute("select rolname from pg_roles").fetchall()}
    user = connection.info.user
    if OWNER not in existing:
        connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(OWNER)))
    if not _holds(connection, OWNER):
        connection.execute(sql.SQL("grant {} to {}").format(sql.Identifier(OWNER), sql.Identifier(user)))
    for role in (APP, SYSTEM):
        if role not in existing:
            connection.execute(sql.SQL("create role {} login").format(sql.Identifier(role)))
        _set_password(connection, role, role_password(secret, role))
        path = sql.SQL(", ").join(map(sql.Identifier, SEARCH_PATHS[role]))
        connection.execute(sql.SQL("alter role {} set search_path = {}").format(sql.Identifier(role), path))


def _holds(connection: Administrator, role: str) -> bool:
    """Whether the administrator may act as the role; a superuser always may."""
    row = connection.execute("select pg_has_role(current_user, %s, 'usage')", (role,)).fetchone()
    return bool(row and row[0])


def _set_password(connection: Administrator, role: str, password: str) -> None:
    """Sent as a SCRAM verifier: statements may be logged."""
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(
        sql.SQL("alter role {} login password {}").format(sql.Identifier(role), sql.Literal(verifier)),
    )


def _ensure_schemas(connection: Administrator) -> None:
    existing = {name for (name,) in connection.execute("select nspname from pg_namespace").fetchall()}
    for schema in ("store", "app", "queue"):
        if schema not in existing:
            statement = sql.SQL("create schema {} authorization {}")
            connection.execute(statement.format(sql.Identifier(schema), sql.Identifier(OWNER)))
    installed = {name for (name,) in connection.execute("select extname from pg_extension").fetchall()}
    for extension in EXTENSIONS:
        if extension not in installed:
            connection.execute(sql.SQL("create extension if not exists {}").format(sql.Identifier(extension)))


def _upgrade(dsn: str) -> None:
    """Alembic, then views and grants, as the owner and in one transaction."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=NullPool)
    with engine.begin() as bind:
        connection = cast("Administrator", bind.connection.driver_connection)
        _become_owner(connection)
        command.upgrade(_alembic_config(bind), "head")
        connection.execute("select store.create_partitions(%s)", (MONTHS_AHEAD,))
        if differences(connection):
            for statement in isolation.statements():
                connection.execute(statement.encode())
            comment = sql.SQL("comment on schema app is {}")
            connection.execute(comment.format(sql.Literal(isolation.fingerprint())))


def _become_owner(connection: Administrator) -> None:
    """The extensions may be in any schema: index definitions name their operator classes without one."""
    connection.execute(sql.SQL("set local role {}").format(sql.Identifier(OWNER)))
    found = connection.execute(
        "select distinct nspname from pg_extension join pg_namespace n on n.oid = extnamespace where extname = any(%s)",
        (list(EXTENSIONS),),
    ).fetchall()
    schemas = sql.SQL(", ").join(sql.Identifier(name) for name in ("store", *(name for (name,) in found)))
    connection.execute(sql.SQL("set local search_path = {}").format(schemas))


def _alembic_config(bind: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = bind
    return config
