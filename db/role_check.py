"""Refuse to start as a database role that could do more than the server may."""

from typing import Final

from db.connections import Pool
from db.isolation import Grant, expected_grants, held_grants_sql

__all__ = ["RoleError", "require_role"]

_POWERS: Final = """
select rolsuper, rolbypassrls, rolcreaterole, rolreplication,
  exists (select from pg_roles other
          where other.rolname <> current_user
          and other.rolname in ('leadport_owner', 'leadport_app', 'leadport_system', 'pg_read_all_data',
                                'pg_write_all_data', 'pg_read_server_files', 'pg_write_server_files',
                                'pg_execute_server_program')
          and other.rolname <> $1
          and pg_has_role(current_user, other.oid, 'member')) as inherits,
  to_regnamespace('store') is not null as migrated
from pg_roles where rolname = current_user
"""
_ATTRIBUTES: Final = {
    "rolsuper": "is a superuser",
    "rolbypassrls": "may bypass row security",
    "rolcreaterole": "may create roles",
    "rolreplication": "may replicate the cluster",
    "inherits": "is a member of a more powerful role",
}
_SHOWN: Final = 3


class RoleError(RuntimeError):
    """The database role is not the one that the server may run as; the message is one line."""


async def require_role(pool: Pool, role: str) -> None:
    """The caller's role holds exactly what `role` (leadport_app or leadport_system) is meant to hold.

    Raises:
        RoleError: it holds more, or less, or the database is not migrated.
    """
    async with pool.acquire() as connection:
        powers = await connection.fetchrow(_POWERS, role)
        if powers is None or not powers["migrated"]:
            raise RoleError("the database has no tables of Leadport yet: run server.py migrate")
        excess = [text for name, text in _ATTRIBUTES.items() if powers[name]]
        if excess:
            raise RoleError(f"the database role is too powerful to run the server: it {excess[0]}")
        rows = await connection.fetch(held_grants_sql())
    held = frozenset(Grant(*row) for row in rows)
    expected = expected_grants(role)
    _refuse("the database role is too powerful to run the server: it has", held - expected)
    _refuse("the database role lacks a privilege, run server.py migrate:", expected - held)


def _refuse(reason: str, grants: frozenset[Grant]) -> None:
    if grants:
        shown = ", ".join(str(grant) for grant in sorted(grants)[:_SHOWN])
        raise RoleError(f"{reason} {shown}{' and more' if len(grants) > _SHOWN else ''}")
