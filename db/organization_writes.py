"""What an organization changes of itself: settings, companies, chatbots, people. Each in its caller's transaction."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

import asyncpg

from db.catalog import CHATBOTS, COMPANY_COLUMNS, chatbot_of, company_of
from db.connections import Connection
from db.people import USER_COLUMNS, user_of
from domain.ids import new_id
from domain.lead_values import name_key
from domain.records import ChatbotRecord, CompanyRecord, UserRecord
from domain.settings import OrganizationSettings
from domain.stored import decode, encode

__all__ = [
    "Taken",
    "lock_settings",
    "lock_user",
    "save_chatbot",
    "save_company",
    "save_settings",
    "save_user",
    "unique",
]

_SAVE_COMPANY: Final = f"""
insert into companies (id, name, name_key, external_id) values ($1, $2, $3, $4) returning {COMPANY_COLUMNS}
"""
_CHANGE_COMPANY: Final = f"""
update companies set name = $2, name_key = $3, external_id = coalesce($4, external_id) where id = $1
returning {COMPANY_COLUMNS}
"""
_SAVE_CHATBOT: Final = """
insert into chatbots (id, name, name_key, company_id) values ($1, $2, $3, $4) returning id
"""
_CHANGE_CHATBOT: Final = """
update chatbots set name = $2, name_key = $3, company_id = coalesce($4, company_id) where id = $1 returning id
"""
_CHATBOT: Final = f"{CHATBOTS} where b.id = $1"
_SAVE_USER: Final = """
insert into users (id, external_id, name, email, role, active) values ($1, $2, $3, $4, $5, $6)
"""
_CHANGE_USER: Final = """
update users set external_id = $2, name = $3, email = $4, role = $5, active = $6 where id = $1
"""


class Taken(Exception):
    """Another row of the organization has this unique value; the transaction is lost."""


@contextmanager
def unique() -> Generator[None]:
    """Raises Taken where a unique value is in use."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        raise Taken from error


async def lock_settings(connection: Connection) -> OrganizationSettings:
    """The organization's settings, kept from other changes until the transaction's end."""
    return decode(OrganizationSettings, await connection.fetchval("select settings from organizations for update"))


async def save_settings(connection: Connection, settings: OrganizationSettings) -> None:
    """Replace the organization's settings."""
    await connection.execute("update organizations set settings = $1", encode(settings))


async def save_company(
    connection: Connection, company_id: UUID | None, name: str, external_id: str | None
) -> CompanyRecord | None:
    """Create a company, or change the one with this id; None where there is none. Raises Taken for a name in use."""
    sql = _CHANGE_COMPANY if company_id else _SAVE_COMPANY
    with unique():
        row = await connection.fetchrow(sql, company_id or new_id(), name.strip(), name_key(name), external_id)
    return company_of(row) if row else None


async def save_chatbot(
    connection: Connection, chatbot_id: UUID | None, name: str, company_id: UUID | None
) -> ChatbotRecord | None:
    """Create a chatbot, or change the one with this id; None where there is none. Raises Taken for a name in use."""
    sql = _CHANGE_CHATBOT if chatbot_id else _SAVE_CHATBOT
    with unique():
        saved = await connection.fetchval(sql, chatbot_id or new_id(), name.strip(), name_key(name), company_id)
    row = await connection.fetchrow(_CHATBOT, saved) if saved else None
    return chatbot_of(row) if row else None


async def lock_user(connection: Connection, user_id: UUID) -> tuple[UserRecord | None, int]:
    """The user, and how many active owners there are besides; all kept from changes until the transaction's end.

    Locked in the order of their ids, so that two changes of owners do not wait for each other crosswise.
    """
    sql = f"select {USER_COLUMNS} from users where id = $1 or (role = 'OWNER' and active) order by id for update"
    users = [user_of(row) for row in await connection.fetch(sql, user_id)]
    others = [user for user in users if user.id != user_id]
    return next((user for user in users if user.id == user_id), None), len(others)


async def save_user(connection: Connection, user: UserRecord, *, new: bool) -> None:
    """Create or replace a user. Raises Taken for an external id in use."""
    values = (user.id, user.external_id, user.name, user.email, user.role, user.active)
    with unique():
        await connection.execute(_SAVE_USER if new else _CHANGE_USER, *values)
