"""Users: made when their token is first seen, shown by name."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.connections import Row
from db.name_cursors import read_name_cursor, write_name_cursor
from db.pool import Database
from db.system import SystemDatabase
from domain.ids import new_id
from domain.paging import Count, Page, PageRequest
from domain.records import UserRecord
from domain.vocabulary import Role

__all__ = ["SignIn", "find_user", "list_users", "load_users", "sign_in", "user_of"]

USER_COLUMNS: Final = "id, external_id, name, email, role, active"
_FIND: Final = f"select {USER_COLUMNS} from store.users where organization_id = $1 and external_id = $2"
_MAKE: Final = f"""
insert into store.users (organization_id, external_id, id, name, email, role) values ($1, $2, $3, $4, $5, $6)
on conflict (organization_id, external_id) do nothing returning {USER_COLUMNS}
"""
_PAGE: Final = f"""
select {USER_COLUMNS}, lower(name) collate "C" as place from users
where $2::text is null or (lower(name) collate "C", id) > ($2, $3)
order by lower(name) collate "C", id limit $4
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """What a token says of a person; `subject` is its `sub`."""

    subject: str
    name: str | None
    email: str | None
    role: Role


async def sign_in(system: SystemDatabase, organization_id: UUID, person: SignIn) -> UserRecord:
    """The user of this token, made at first sight; later tokens change nothing of the row."""
    rows = await system.fetch(_FIND, organization_id, person.subject)
    if not rows:
        name = person.name or person.email or person.subject
        values = (new_id(), name, person.email, person.role)
        rows = await system.fetch(_MAKE, organization_id, person.subject, *values)
    if not rows:  # another request made it meanwhile
        rows = await system.fetch(_FIND, organization_id, person.subject)
    return user_of(rows[0])


async def load_users(database: Database, organization_id: UUID, ids: Collection[UUID]) -> dict[UUID, UserRecord]:
    """The users of these ids that the organization has, active or not."""
    rows = await database.read(organization_id, f"select {USER_COLUMNS} from users where id = any($2)", list(ids))
    return {row["id"]: user_of(row) for row in rows}


async def find_user(system: SystemDatabase, user_id: UUID) -> UserRecord | None:
    """The active user of this id, of whatever organization: a SYSTEM_ADMIN acts in others than their own."""
    rows = await system.fetch(f"select {USER_COLUMNS} from store.users where id = $1 and active", user_id)
    return user_of(rows[0]) if rows else None


async def list_users(database: Database, organization_id: UUID, page: PageRequest) -> Page[UserRecord]:
    """A forward page of all users by name. Raises BadInput for a cursor of another list."""
    place, last = read_name_cursor(page.cursor) if page.cursor else (None, None)
    rows = await database.read(organization_id, _PAGE, place, last, page.size + 1)
    shown = rows[: page.size]

    async def count() -> Count:
        (row,) = await database.read(organization_id, "select count(*) as n from users")
        return Count(row["n"])

    return Page(
        items=[user_of(row) for row in shown],
        cursors=[write_name_cursor(row) for row in shown],
        has_next=len(rows) > page.size,
        has_previous=page.cursor is not None,
        count=count,
    )


def user_of(row: Row) -> UserRecord:
    """The record of a row of USER_COLUMNS."""
    return UserRecord(
        id=row["id"],
        external_id=row["external_id"],
        name=row["name"],
        email=row["email"],
        role=Role(row["role"]),
        active=row["active"],
    )
