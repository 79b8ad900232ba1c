"""What organizations are made of, inside other objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from db.catalog import list_chatbots, list_companies
from db.people import list_users
from db.pool import Database
from domain.actors import Actor
from domain.ids import IdKind, parse_id
from domain.paging import Page, PageRequest
from domain.records import ChatbotRecord, CompanyRecord, UserRecord
from domain.vocabulary import Permission

__all__ = ["OrganizationPort"]


@dataclass(frozen=True, slots=True)
class OrganizationPort:
    """Implements the OrganizationReads of schema/context.py.

    Raises Forbidden for another organization than the caller's, unless they may cross organizations.
    """

    database: Database
    actor: Actor

    async def companies(self, organization_id: UUID) -> Sequence[CompanyRecord]:
        """Every company, by name."""
        return await list_companies(self.database, self._allowed(organization_id))

    async def chatbots(self, organization_id: UUID, company_id: str | None) -> Sequence[ChatbotRecord]:
        """Every chatbot, by name; those of one company where its shown id is given."""
        allowed = self._allowed(organization_id)
        if company_id is None:
            return await list_chatbots(self.database, allowed)
        company = parse_id(IdKind.COMPANY, company_id)
        return await list_chatbots(self.database, allowed, company) if company else []

    async def users(self, organization_id: UUID, page: PageRequest) -> Page[UserRecord]:
        """Users by name; forward pages alone."""
        return await list_users(self.database, self._allowed(organization_id), page)

    def _allowed(self, organization_id: UUID) -> UUID:
        if organization_id != self.actor.organization_id:
            self.actor.require(Permission.CROSS_ORGANIZATION)
        return organization_id
