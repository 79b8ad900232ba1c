"""Organizations in pages, for those who look after all of them."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final
from uuid import UUID

import msgspec

from db.connections import Row
from db.organizations import COLUMNS, organization_of
from db.system import SystemDatabase
from domain.errors import BadInput
from domain.paging import Page, PageRequest
from domain.records import OrganizationRecord
from domain.settings import Limits

__all__ = ["list_organizations"]

_PAGE: Final = f"""
select {COLUMNS}, lower(name) collate "C" as place from store.organizations
where ($1::uuid is null or id = $1) and ($2::text is null or (lower(name) collate "C", id) > ($2, $3::uuid))
order by lower(name) collate "C", id limit $4
"""


async def list_organizations(
    system: SystemDatabase, page: PageRequest, limits: Limits, only: UUID | None = None
) -> Page[OrganizationRecord]:
    """A forward page of organizations by name; `only` one of them where that is given.

    Raises BadInput for a cursor of another list.
    """
    place, last = _position(page.cursor) if page.cursor else (None, None)
    rows = await system.fetch(_PAGE, only, place, last, page.size + 1)
    shown = rows[: page.size]
    return Page(
        items=[organization_of(row, limits) for row in shown],
        cursors=[_cursor(row) for row in shown],
        has_next=len(rows) > page.size,
        has_previous=page.cursor is not None,
    )


def _cursor(row: Row) -> str:
    return urlsafe_b64encode(msgspec.json.encode((row["place"], row["id"]))).decode().rstrip("=")


def _position(cursor: str) -> tuple[str, UUID]:
    try:
        document = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        place, last = msgspec.json.decode(document, type=tuple[str, UUID])
    except (ValueError, msgspec.MsgspecError):
        raise BadInput("This is no cursor of this list.", ("after",)) from None
    if "\0" in place:
        raise BadInput("This is no cursor of this list.", ("after",))
    return place, last
