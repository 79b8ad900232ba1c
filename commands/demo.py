"""The demo: an organization with invented leads, a token for its owner, and a few lines that say where it all is."""

from datetime import UTC, datetime
from typing import Final

from commands.organizations import TokenRequest, issue_token
from db.pool import Database
from db.seed import Seeded, demo_sign_in, seed_demo
from db.system import SystemDatabase
from domain.keyring import Keyring
from domain.national_ids import NationalIds
from domain.vocabulary import Role
from jobs.runtime import Runtime
from web.pages import PageConfig
from web.tokens import TokenSettings

__all__ = ["LOOPBACK", "banner", "owner_token", "seed"]

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
"""Hosts that this machine alone can reach."""


async def seed(database: Database, system: SystemDatabase, keyring: Keyring) -> Seeded:
    """The demo organization as of now."""
    return await seed_demo(database, system, NationalIds(keyring), datetime.now(UTC))


async def owner_token(runtime: Runtime, tokens: TokenSettings, days: float) -> str:
    """A bearer token of the demo's owner; the organization is seeded where it was not yet."""
    seeded = await seed(runtime.database, runtime.system, runtime.keyring)
    owner = demo_sign_in(Role.OWNER)
    request = TokenRequest(
        organization=seeded.organization.slug,
        role=owner.role,
        subject=owner.subject,
        name=owner.name or owner.subject,
        days=days,
    )
    return await issue_token(runtime.system, tokens, request)


def banner(pages: PageConfig, public_url: str, token: str | None) -> str:
    """Where everything is, and the demo's token."""
    lines = [f"Leadport {pages.version}", f"  start page  {public_url}/", f"  GraphQL     {public_url}/graphql"]
    if pages.graphiql_enabled:
        lines.append(f"  GraphiQL    {public_url}/graphiql/")
    if token is not None:
        lines += ["", "Bearer token of the demo's owner:", token, ""]
        if pages.demo_token is None:
            lines.append("Others can reach this address: it is a demo. For real leads set DATABASE_URL.")
    return "\n".join(lines)
