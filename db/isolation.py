"""One organization cannot see another: views, roles and grants, all generated from the tables.

A view of schema `app` shows of its table in `store` the rows of the organization that the transaction names in
`app.organization_id`, and no row where it names none. leadport_app works through these views alone. On the tables that
are loaded by COPY, which views refuse, it may insert every column but organization_id, whose default reads the same
setting. Row-level security would refuse COPY and cannot use the trigram index.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from typing import Final

from sqlalchemy import Table

from db.roles import APP, OWNER, SYSTEM
from db.tables import CURRENT_ORGANIZATION, metadata, organizations

__all__ = ["Grant", "expected_grants", "fingerprint", "held_grants_sql", "statements", "view_sql"]

ORGANIZATION: Final = "organization_id"
LOADED_BY_COPY: Final = frozenset(
    {
        "bulk_results",
        "calls",
        "import_changes",
        "import_issue_groups",
        "import_issues",
        "import_keys",
        "import_outcomes",
        "leads",
        "notes",
    }
)
APPEND_ONLY: Final = frozenset({"activity"})
_READ: Final = ("SELECT",)
_ALL: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
SYSTEM_TABLES: Final = {
    "api_keys": ("SELECT", "UPDATE"),
    "deliveries": _ALL,
    "export_schedules": ("SELECT", "UPDATE"),
    "idempotency_keys": ("SELECT", "DELETE"),
    "job_files": _ALL,
    "job_progress": _ALL,
    "jobs": _ALL,
    "organizations": ("SELECT", "INSERT", "UPDATE"),
    "statuses": ("SELECT", "INSERT"),
    "uploads": _ALL,
    "users": ("SELECT", "INSERT", "UPDATE"),
}
"""What leadport_system may do across organizations: jobs, sign-in, schedules, retention; never leads or their text."""
_DEFER_ARGUMENTS: Final = "uuid, uuid, boolean, integer, double precision"
FUNCTIONS: Final = {
    APP: (("queue", "defer_job", _DEFER_ARGUMENTS), ("queue", "cancel_job", "bigint")),
    SYSTEM: (
        ("queue", "defer_job", _DEFER_ARGUMENTS),
        ("queue", "cancel_job", "bigint"),
        ("store", "create_partitions", "integer"),
    ),
}


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One privilege on a relation, or on a column of it; `column` is "" for DELETE and for EXECUTE of a function."""

    schema: str
    relation: str
    privilege: str
    column: str = ""

    def __str__(self) -> str:
        where = f"{self.schema}.{self.relation}"
        return f"{self.privilege} on {where}{f' ({self.column})' if self.column else ''}"


def expected_grants(role: str) -> frozenset[Grant]:
    """All that a role holds in the schemas store and app, and the functions with their owner's rights it may call."""
    grants = _app_grants() if role == APP else _system_grants()
    functions = (Grant(schema, name, "EXECUTE") for schema, name, _ in FUNCTIONS[role])
    return frozenset((*grants, *functions))


def held_grants_sql(role: str | None = None) -> str:
    """A statement giving (schema, relation, privilege, column) of what a role, or else the caller, really may do."""
    who = "current_user" if role is None else f"'{role}'::name"
    return f"""
with relation as (
  select c.oid, n.nspname::text as schema, c.relname::text as name from pg_class c
  join pg_namespace n on n.oid = relnamespace
  where n.nspname in ('store', 'app') and c.relkind in ('r', 'p', 'v', 'm', 'f')
)
select schema, name, privilege, attname::text from relation
join pg_attribute on attrelid = relation.oid and attnum > 0 and not attisdropped
cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) privilege
where has_column_privilege({who}, relation.oid, attnum, privilege)
union all
select schema, name, privilege, '' from relation cross join unnest(array['DELETE', 'TRUNCATE', 'TRIGGER']) privilege
where has_table_privilege({who}, relation.oid, privilege)
union all
select n.nspname::text, p.proname::text, 'EXECUTE', '' from pg_proc p join pg_namespace n on n.oid = pronamespace
where n.nspname in ('store', 'app', 'queue') and prosecdef and has_function_privilege({who}, p.oid, 'EXECUTE')
"""


def statements() -> Iterator[str]:
    """DDL that makes views and grants what the tables ask for, whatever they were; run by the owner."""
    for schema in ("store", "app", "queue"):
        yield f"grant usage on schema {schema} to {APP}, {SYSTEM}"
        yield f"revoke all on all tables in schema {schema} from public, {APP}, {SYSTEM}"
        yield f"revoke all on all functions in schema {schema} from public, {APP}, {SYSTEM}"
    for table in metadata.sorted_tables:
        yield f"drop view if exists app.{table.name}"
        yield view_sql(table)
    for role in (APP, SYSTEM):
        yield from _grant_sql(role)
    yield f"grant all on all tables in schema queue to {SYSTEM}"
    yield f"grant all on all sequences in schema queue to {SYSTEM}"
    yield f"grant execute on all functions in schema queue to {SYSTEM}"


def view_sql(table: Table) -> str:
    """The view of a table, without security_barrier: the scalar sub-select is evaluated before any row is read."""
    key = "id" if table is organizations else ORGANIZATION
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    return (
        f"create view app.{table.name} as select {columns} from store.{table.name} "
        f"where {key} = (select {CURRENT_ORGANIZATION}) with local check option"
    )


def fingerprint() -> str:
    """Changes when the generated statements do; kept as the comment of schema app."""
    return sha256("\n".join((OWNER, *statements())).encode()).hexdigest()


def _grant_sql(role: str) -> Iterator[str]:
    of = attrgetter("schema", "relation", "privilege")
    tables = (grant for grant in expected_grants(role) if grant.privilege != "EXECUTE")
    for (schema, relation, privilege), grants in groupby(sorted(tables), of):
        columns = ", ".join(f'"{grant.column}"' for grant in grants if grant.column)
        yield f"grant {privilege.lower()}{f' ({columns})' if columns else ''} on {schema}.{relation} to {role}"
    for schema, name, arguments in FUNCTIONS[role]:
        yield f"grant execute on function {schema}.{name}({arguments}) to {role}"


def _app_grants() -> Iterator[Grant]:
    for table in metadata.sorted_tables:
        if table is organizations:
            yield from _on_columns("app", table, _READ)
            yield Grant("app", table.name, "UPDATE", "settings")
            continue
        yield from _on_columns("app", table, ("SELECT", "INSERT", "UPDATE"))
        if table.name not in APPEND_ONLY:
            yield Grant("app", table.name, "DELETE")
        if table.name in LOADED_BY_COPY:
            yield from _on_columns("store", table, ("INSERT",))


def _on_columns(schema: str, table: Table, privileges: Iterable[str]) -> Iterator[Grant]:
    for privilege in privileges:
        if privilege == "UPDATE" and table.name in APPEND_ONLY:
            continue
        for column in table.columns:
            if privilege == "SELECT" or column.name != ORGANIZATION:
                yield Grant(schema, table.name, privilege, column.name)


def _system_grants() -> Iterator[Grant]:
    for table in metadata.sorted_tables:
        for privilege in SYSTEM_TABLES.get(table.name, ()):
            if privilege == "DELETE":
                yield Grant("store", table.name, privilege)
            else:
                yield from (Grant("store", table.name, privilege, column.name) for column in table.columns)
