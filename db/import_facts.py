"""What an import must know of its organization before it reads a file, and what it adds to it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.connections import Connection, Row
from db.merge_rules import Outcome
from db.organizations import load_organization
from domain.records import OrganizationRecord
from domain.settings import Limits
from domain.vocabulary import LeadStage

__all__ = [
    "ImportFacts",
    "NamedCompany",
    "StatusRow",
    "add_companies",
    "add_custom_fields",
    "drop_companies",
    "finished_rows",
    "load_facts",
    "snapshot",
]

_STATUSES: Final = "select id, key, label, stage, active from statuses order by position, id"
_USERS: Final = "select id, name, email from users where active order by name, id"
_ADD_COMPANIES: Final = """
insert into companies (id, name, name_key) select * from unnest($1::uuid[], $2::text[], $3::text[])
on conflict (organization_id, name_key) do nothing
returning id
"""
_RETRIED: Final = """
select r.row, r.outcome from jobs j join import_outcomes o on o.job_id = j.id
cross join lateral unnest(coalesce(o.source_rows, o.rows), string_to_array(o.outcomes, null)) r(row, outcome)
where j.kind = 'IMPORT' and j.spec ->> 'retryOf' = $1 and j.id <> $2 and r.row = any($3)
"""


@dataclass(frozen=True, slots=True)
class StatusRow:
    """A status of the organization."""

    id: UUID
    key: str
    label: str
    stage: LeadStage


@dataclass(frozen=True, slots=True)
class UserRow:
    """Somebody active."""

    id: UUID
    name: str
    email: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFacts:
    """`companies` map the key of a name to the id, `chatbots` the name itself.

    `statuses` are those in use, `retired_statuses` the others, both in the organization's order.
    """

    organization: OrganizationRecord
    statuses: Sequence[StatusRow]
    retired_statuses: Sequence[StatusRow]
    users: Sequence[UserRow]
    companies: Mapping[str, UUID]
    chatbots: Mapping[str, UUID]
    custom_keys: Sequence[str]


@dataclass(frozen=True, slots=True)
class NamedCompany:
    """A company that rows name."""

    id: str
    name: str
    name_key: str


async def load_facts(connection: Connection, limits: Limits) -> ImportFacts:
    """All that validation and mapping ask for."""
    statuses = await connection.fetch(_STATUSES)
    users = await connection.fetch(_USERS)
    companies = await connection.fetch("select name_key, id from companies")
    chatbots = await connection.fetch("select name, id from chatbots")
    custom = await connection.fetch("select key from custom_fields order by key")
    return ImportFacts(
        organization=await load_organization(connection, limits),
        statuses=[_status(row) for row in statuses if row["active"]],
        retired_statuses=[_status(row) for row in statuses if not row["active"]],
        users=[UserRow(row["id"], row["name"], row["email"]) for row in users],
        companies={row["name_key"]: row["id"] for row in companies},
        chatbots={row["name"]: row["id"] for row in chatbots},
        custom_keys=[row["key"] for row in custom],
    )


def _status(row: Row) -> StatusRow:
    return StatusRow(row["id"], row["key"], row["label"], LeadStage(row["stage"]))


async def add_custom_fields(connection: Connection, keys: Collection[str]) -> None:
    """Make the keys of custom fields that the organization does not have yet."""
    await connection.execute(
        "insert into custom_fields (key, label) select k, k from unnest($1::text[]) k "
        "on conflict (organization_id, key) do nothing",
        list(keys),
    )


async def add_companies(
    connection: Connection, companies: Sequence[NamedCompany]
) -> tuple[frozenset[str], dict[str, str]]:
    """Make the companies: those made now, and for the others the id that their name had before, by ours."""
    made = await connection.fetch(
        _ADD_COMPANIES,
        [company.id for company in companies],
        [company.name for company in companies],
        [company.name_key for company in companies],
    )
    keys = {company.name_key: company.id for company in companies}
    rows = await connection.fetch("select id, name_key from companies where name_key = any($1)", list(keys))
    other = {keys[row["name_key"]]: str(row["id"]) for row in rows if keys[row["name_key"]] != str(row["id"])}
    return frozenset(str(row["id"]) for row in made), other


async def drop_companies(connection: Connection, ids: Collection[str]) -> None:
    """Take back companies that this transaction made and no lead names."""
    await connection.execute("delete from companies where id = any($1::uuid[])", list(ids))


async def snapshot(connection: Connection) -> str:
    """The transactions that are visible now, as text of `pg_snapshot`."""
    return str(await connection.fetchval("select pg_current_snapshot()::text"))


async def finished_rows(connection: Connection, retry_of: str, job_id: UUID, rows: Collection[int]) -> set[int]:
    """Of the rows of an import, those that other retries of it have brought in already."""
    found = await connection.fetch(_RETRIED, retry_of, job_id, list(rows))
    return {row["row"] for row in found if row["outcome"] not in Outcome.ALL_FAILED}
