"""Makes organizations and tokens from the command line."""

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.organizations import NewOrganization, create_organization, find_organization
from db.system import SystemDatabase
from domain.countries import is_country
from domain.presets import Preset
from domain.records import OrganizationRecord
from domain.settings import OrganizationSettings
from domain.vocabulary import Role
from domain.zones import is_zone
from web.tokens import Tokens, TokenSettings

__all__ = ["CommandError", "OrganizationRequest", "TokenRequest", "issue_token", "make_organization"]

_SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_DAY: Final = 86_400


class CommandError(RuntimeError):
    """A command cannot be carried out; the message is one line for whoever typed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationRequest:
    """As typed: `country` is ISO 3166-1 alpha-2, `time_zone` an IANA name."""

    slug: str
    name: str
    country: str
    time_zone: str
    preset: Preset


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """As typed: for whom, and for how many days."""

    organization: str
    role: Role
    subject: str
    name: str
    days: float


async def make_organization(system: SystemDatabase, request: OrganizationRequest) -> OrganizationRecord:
    """The new, empty organization with the statuses of its preset. Raises CommandError."""
    if not _SLUG.fullmatch(request.slug) or _is_uuid(request.slug):
        raise CommandError("a slug has 1 to 63 small letters, digits and hyphens, such as acme-north, and is no UUID")
    if not is_country(request.country):
        raise CommandError(f"{request.country} is no country code of two capital letters, such as US")
    if not is_zone(request.time_zone):
        raise CommandError(f"{request.time_zone} is no time zone, such as Europe/Paris")
    settings = OrganizationSettings(default_country=request.country, time_zone=request.time_zone)
    new = NewOrganization(slug=request.slug, name=request.name, settings=settings, preset=request.preset)
    made = await create_organization(system, new)
    if made is None:
        raise CommandError(f"there is an organization {request.slug} already")
    return made


async def issue_token(system: SystemDatabase, settings: TokenSettings, request: TokenRequest) -> str:
    """A bearer token for somebody of an organization that exists. Raises CommandError."""
    if await find_organization(system, request.organization) is None:
        raise CommandError(f"there is no organization {request.organization}")
    if request.days <= 0:
        raise CommandError("a token is good for more than 0 days")
    return Tokens(settings).issue(
        organization=request.organization,
        role=request.role,
        subject=request.subject,
        name=request.name,
        seconds=round(request.days * _DAY),
    )


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
