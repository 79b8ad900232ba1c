"""The demo organization: invented leads with all that belongs to them, written once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from db.catalog import find_or_create_chatbots, find_or_create_companies, list_statuses
from db.connections import Connection
from db.locks import Lock, take
from db.organizations import NewOrganization, create_organization, find_organization
from db.people import SignIn, sign_in
from db.pool import Database
from db.system import SystemDatabase
from domain.ids import new_id
from domain.invented import Cast, InventedLead, invent_leads
from domain.lead_values import name_key
from domain.national_ids import NationalIds, last_digits
from domain.records import OrganizationRecord, UserRecord
from domain.settings import OrganizationSettings
from domain.vocabulary import Role

__all__ = ["DEMO_LEADS", "DEMO_SLUG", "Seeded", "demo_sign_in", "seed_demo"]

DEMO_SLUG: Final = "demo"
DEMO_LEADS: Final = 5_400
_SETTINGS: Final = OrganizationSettings(conversation_url_template="https://chat.example.com/conversations/{id}")
_COMPANIES: Final = {
    "Alderbrook Insurance": ("Alder Helper", "Claims Guide"),
    "Harbour & Vale Homes": ("House Finder", "Viewing Desk"),
    "Tilleul Assurances": ("Conseiller Tilleul",),
    "Lindenthal Versicherung": ("Lindi",),
    "גפן ביטוח": ("העוזרת של גפן", "שירות לקוחות"),
    "Neem Suraksha": ("Neem Saathi",),
    "Northwind Clinics": ("Appointment Bot",),
    "Oasis Mobility": (),
}
"""Each with its chatbots."""
_CUSTOM_FIELDS: Final = {"budget": "Budget", "household": "Household", "newsletter": "Newsletter"}
_EMPTY: Final[Mapping[str, object]] = {"ai_verification_reasons": ()}
"""What the columns hold that are never null, where the lead says nothing."""
_ASSIGNED: Final = frozenset({Role.AGENT, Role.PRO})
_MORE_AGENTS: Final = 3


@dataclass(frozen=True, slots=True)
class Seeded:
    """The demo organization, and how many leads were written now: none where it had been seeded before."""

    organization: OrganizationRecord
    leads: int


def demo_sign_in(role: Role, number: int = 1) -> SignIn:
    """The person of the demo organization who has this role; agents are several."""
    words = role.value.replace("_", " ").title()
    subject = f"demo-{role.value.lower().replace('_', '-')}"
    suffix = "" if number == 1 else f" {number}"
    subject = f"{subject}{suffix.replace(' ', '-')}"
    return SignIn(subject=subject, name=f"Demo {words}{suffix}", email=f"{subject}@example.com", role=role)


async def seed_demo(
    database: Database, system: SystemDatabase, national_ids: NationalIds, now: datetime, leads: int = DEMO_LEADS
) -> Seeded:
    """Make the demo organization where it is absent, and its leads where nobody has seeded it before.

    The same leads for the same `now`, over the 120 days before it. Harmless when several processes do it at once.
    """
    new = NewOrganization(slug=DEMO_SLUG, name="Demo Brokers", settings=_SETTINGS)
    organization = await create_organization(system, new) or await find_organization(system, DEMO_SLUG)
    if organization is None:
        raise LookupError("the demo organization was deleted while it was seeded")
    people = [await sign_in(system, organization.id, demo_sign_in(role)) for role in Role]
    people += [
        await sign_in(system, organization.id, demo_sign_in(Role.AGENT, number))
        for number in range(2, 2 + _MORE_AGENTS)
    ]
    statuses = await list_statuses(database, organization.id)
    async with database.unit(organization.id) as connection:
        await take(connection, Lock.LEADS, organization.id)
        if await connection.fetchval("select exists (select from companies)"):
            return Seeded(organization, 0)
        companies, chatbots = await _write_companies(connection)
        cast = Cast(
            statuses=statuses,
            companies=companies,
            chatbots=chatbots,
            assignees=_assignees(people),
            country=organization.settings.default_country,
        )
        await _load(connection, list(invent_leads(cast, leads, now)), national_ids)
    return Seeded(organization, leads)


def _assignees(people: Sequence[UserRecord]) -> list[UUID]:
    return [person.id for person in people if person.role in _ASSIGNED]


async def _write_companies(connection: Connection) -> tuple[list[UUID], list[tuple[UUID, UUID]]]:
    """The companies' ids, and each chatbot's with that of its company."""
    companies = await find_or_create_companies(connection, list(_COMPANIES))
    names = {bot: company for company, bots in _COMPANIES.items() for bot in bots}
    ids = await find_or_create_chatbots(connection, list(names))
    chatbots = [(ids[name_key(bot)], companies[name_key(company)]) for bot, company in names.items()]
    await connection.executemany("update chatbots set company_id = $2 where id = $1", chatbots)
    fields = list(_CUSTOM_FIELDS.items())
    await connection.executemany("insert into custom_fields (key, label) values ($1, $2)", fields)
    return list(companies.values()), chatbots


async def _load(connection: Connection, leads: Sequence[InventedLead], national_ids: NationalIds) -> None:
    columns = sorted({column for lead in leads for column in lead.values})
    sealed = ("national_id_cipher", "national_id_last4")
    records = (
        (*(lead.values.get(column, _EMPTY.get(column)) for column in columns), *_sealed(lead, national_ids))
        for lead in leads
    )
    await connection.copy_records_to_table("leads", schema_name="store", columns=[*columns, *sealed], records=records)
    await connection.copy_records_to_table(
        "notes",
        schema_name="store",
        columns=["id", "lead_id", "text", "created_at", "created_by"],
        records=_notes(leads),
    )
    await connection.copy_records_to_table(
        "calls",
        schema_name="store",
        columns=["id", "lead_id", "at", "status", "duration_seconds", "created_by"],
        records=_calls(leads),
    )


def _sealed(lead: InventedLead, national_ids: NationalIds) -> tuple[str | None, str | None]:
    if lead.national_id is None:
        return None, None
    return national_ids.seal(lead.national_id, str(lead.values["id"])), last_digits(lead.national_id)


def _notes(leads: Sequence[InventedLead]) -> Iterator[tuple[object, ...]]:
    for lead in leads:
        for note in lead.notes:
            yield new_id(), lead.values["id"], note.text, note.created_at, demo_sign_in(Role.AGENT).name


def _calls(leads: Sequence[InventedLead]) -> Iterator[tuple[object, ...]]:
    for lead in leads:
        for call in lead.calls:
            yield (
                new_id(),
                lead.values["id"],
                call.at,
                call.status,
                call.duration_seconds,
                demo_sign_in(Role.AGENT).name,
            )
