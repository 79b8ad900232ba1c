"""What an organization is made of beside people: its statuses, companies and chatbots."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

from db.connections import Connection, Row
from db.pool import Database
from domain.ids import new_id
from domain.lead_values import name_key
from domain.records import ChatbotRecord, CompanyRecord, StatusRecord
from domain.vocabulary import LeadStage

__all__ = [
    "CHATBOTS",
    "COMPANY_COLUMNS",
    "STATUS_COLUMNS",
    "chatbot_of",
    "company_of",
    "find_or_create_chatbots",
    "find_or_create_companies",
    "list_chatbots",
    "list_companies",
    "list_statuses",
    "load_companies",
    "load_company",
    "status_of",
]

STATUS_COLUMNS: Final = "id, key, label, stage, position, color, active"
COMPANY_COLUMNS: Final = "id, name, external_id"
CHATBOTS: Final = """
select b.id, b.name, c.id as company_id, c.name as company_name, c.external_id as company_external_id
from chatbots b left join companies c on c.id = b.company_id"""
_STATUSES: Final = f"select {STATUS_COLUMNS} from statuses order by position, id"
_COMPANIES: Final = f"select {COMPANY_COLUMNS} from companies"
_CHATBOTS: Final = f"""{CHATBOTS}
where $2::uuid is null or b.company_id = $2 order by b.name_key, b.id
"""


async def list_statuses(database: Database, organization_id: UUID) -> Sequence[StatusRecord]:
    """Every status, inactive ones too, in the order of the board."""
    rows = await database.read(organization_id, _STATUSES)
    return [status_of(row) for row in rows]


async def list_companies(database: Database, organization_id: UUID) -> Sequence[CompanyRecord]:
    """Every company, by name."""
    rows = await database.read(organization_id, f"{_COMPANIES} order by name_key, id")
    return [company_of(row) for row in rows]


async def load_companies(database: Database, organization_id: UUID, ids: Collection[UUID]) -> dict[UUID, CompanyRecord]:
    """The companies of these ids that the organization has."""
    rows = await database.read(organization_id, f"{_COMPANIES} where id = any($2)", list(ids))
    return {row["id"]: company_of(row) for row in rows}


async def load_company(connection: Connection, company_id: UUID) -> CompanyRecord | None:
    """The company of this id, None where the organization has none."""
    row = await connection.fetchrow(f"{_COMPANIES} where id = $1", company_id)
    return company_of(row) if row else None


async def list_chatbots(
    database: Database, organization_id: UUID, company_id: UUID | None = None
) -> Sequence[ChatbotRecord]:
    """Every chatbot with its company, by name; those of one company where that is given."""
    rows = await database.read(organization_id, _CHATBOTS, company_id)
    return [chatbot_of(row) for row in rows]


async def find_or_create_companies(connection: Connection, names: Collection[str]) -> Mapping[str, UUID]:
    """The id of each name's company by its name key; whoever comes at the same time gets the same company."""
    return await _find_or_create(connection, "companies", names)


async def find_or_create_chatbots(connection: Connection, names: Collection[str]) -> Mapping[str, UUID]:
    """As `find_or_create_companies`; new chatbots belong to no company."""
    return await _find_or_create(connection, "chatbots", names)


async def _find_or_create(connection: Connection, table: str, names: Collection[str]) -> Mapping[str, UUID]:
    """Keys in one order, so that two writers of the same names do not wait for each other in a circle."""
    wanted = dict(sorted({name_key(name): name.strip() for name in names}.items()))
    await connection.execute(
        f"insert into {table} (id, name, name_key) select * from unnest($1::uuid[], $2::text[], $3::text[])"
        " on conflict (organization_id, name_key) do nothing",
        [new_id() for _ in wanted],
        list(wanted.values()),
        list(wanted),
    )
    rows = await connection.fetch(f"select id, name_key from {table} where name_key = any($1)", list(wanted))
    return {row["name_key"]: row["id"] for row in rows}


def status_of(row: Row) -> StatusRecord:
    """The record of a row of STATUS_COLUMNS."""
    return StatusRecord(
        id=row["id"],
        key=row["key"],
        label=row["label"],
        stage=LeadStage(row["stage"]),
        position=row["position"],
        color=row["color"],
        active=row["active"],
    )


def company_of(row: Row) -> CompanyRecord:
    """The record of a row of COMPANY_COLUMNS."""
    return CompanyRecord(id=row["id"], name=row["name"], external_id=row["external_id"])


def chatbot_of(row: Row) -> ChatbotRecord:
    """The record of a row of CHATBOTS."""
    company = CompanyRecord(id=row["company_id"], name=row["company_name"], external_id=row["company_external_id"])
    return ChatbotRecord(id=row["id"], name=row["name"], company=company if row["company_id"] else None)
