"""Leads for tests, written by the server's role through the view."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from db.pool import Database
from domain.ids import new_id
from domain.lead_values import SearchValues, contact_values, search_text
from domain.records import OrganizationRecord


async def statuses_of(database: Database, organization: OrganizationRecord) -> dict[str, tuple[UUID, str]]:
    rows = await database.read(organization.id, "select id, key, stage from app.statuses order by position")
    return {row["key"]: (row["id"], row["stage"]) for row in rows}


async def add_leads(
    database: Database, organization: OrganizationRecord, rows: Sequence[Mapping[str, object]]
) -> list[UUID]:
    """Insert leads given as columns; `status` is a status key, `phone`, `email` and the search text are derived."""
    statuses = await statuses_of(database, organization)
    made = [complete(row, statuses, organization.settings.default_country) for row in rows]
    async with database.unit(organization.id) as connection:
        for row in made:
            names = ", ".join(row)
            binds = ", ".join(f"${index}" for index in range(1, len(row) + 1))
            await connection.execute(f"insert into app.leads ({names}) values ({binds})", *row.values())
    return [row["id"] for row in made]


def complete(row: Mapping[str, object], statuses: Mapping[str, tuple[UUID, str]], country: str) -> dict[str, object]:
    given = dict(row)
    status_id, stage = statuses[str(given.pop("status", next(iter(statuses))))]
    contact = contact_values(given.pop("phone", None), given.pop("email", None), country)
    searched = search_text(
        SearchValues(
            name=given.get("name"),
            email=contact.email,
            phone_key=contact.phone_key,
            external_id=given.get("external_id"),
            summary=given.get("conversation_summary"),
            notes=given.pop("_notes", None),
        )
    )
    return {
        "id": new_id(),
        "status_id": status_id,
        "stage": stage,
        "phone": contact.phone,
        "phone_display": contact.phone_display,
        "phone_key": contact.phone_key,
        "email": contact.email,
        "email_key": contact.email_key,
        "search_text": searched,
        **given,
    }
