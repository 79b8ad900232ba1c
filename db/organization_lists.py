"""Organizations in pages, for those who look after all of them."""

from typing import Final
from uuid import UUID

from db.name_cursors import read_name_cursor, write_name_cursor
from db.organizations import COLUMNS, organization_of
from db.system import SystemDatabase
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
    place, last = read_name_cursor(page.cursor) if page.cursor else (None, None)
    rows = await system.fetch(_PAGE, only, place, last, page.size + 1)
    shown = rows[: page.size]
    return Page(
        items=[organization_of(row, limits) for row in shown],
        cursors=[write_name_cursor(row) for row in shown],
        has_next=len(rows) > page.size,
        has_previous=page.cursor is not None,
    )
