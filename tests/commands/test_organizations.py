import jwt
import pytest

from commands.organizations import CommandError, OrganizationRequest, TokenRequest, issue_token, make_organization
from db.system import SystemDatabase
from domain.ids import new_id
from domain.presets import Preset
from domain.vocabulary import Role
from tests.conftest import MakeOrganization
from web.tokens import Tokens, TokenSettings

TOKENS = TokenSettings(issuer="leadport", audience="leadport", secrets={"a": b"x" * 32, "b": b"y" * 32})


def request(**changes: object) -> OrganizationRequest:
    values = {"slug": f"s-{new_id().hex}", "name": "N", "country": "IL", "time_zone": "Asia/Jerusalem"}
    return OrganizationRequest(**{**values, "preset": Preset.OUTBOUND, **changes})


def token_request(organization: str, **changes: object) -> TokenRequest:
    values = {"organization": organization, "role": Role.PRO, "subject": "ada", "name": "Ada", "days": 1.5}
    return TokenRequest(**{**values, **changes})


async def test_an_organization_is_made_as_asked(shared_system: SystemDatabase):
    made = await make_organization(shared_system, request(name="Acme & Sons"))
    assert made.name == "Acme & Sons"
    assert (made.settings.default_country, made.settings.time_zone) == ("IL", "Asia/Jerusalem")


AN_ID = "019a0000-0000-7000-8000-000000000000"


@pytest.mark.parametrize("slug", ["", "Acme", "a b", "-a", "a-", "a" * 64, "a\n", "é", AN_ID, AN_ID.replace("-", "")])
async def test_a_bad_slug_is_refused(slug: str, shared_system: SystemDatabase):
    with pytest.raises(CommandError, match="slug"):
        await make_organization(shared_system, request(slug=slug))


@pytest.mark.parametrize("changes", [{"country": "XX"}, {"country": "USA"}, {"time_zone": "Mars/Olympus"}])
async def test_a_bad_country_or_zone_is_refused(changes: dict[str, str], shared_system: SystemDatabase):
    with pytest.raises(CommandError):
        await make_organization(shared_system, request(**changes))


async def test_a_taken_slug_is_refused(shared_system: SystemDatabase):
    made = await make_organization(shared_system, request())
    with pytest.raises(CommandError, match="already"):
        await make_organization(shared_system, request(slug=made.slug))


async def test_a_token_is_for_an_organization_that_exists(
    shared_system: SystemDatabase, shared_organization: MakeOrganization
):
    organization = await shared_organization()
    token = await issue_token(shared_system, TOKENS, token_request(organization.slug))
    claims = Tokens(TOKENS).verify(token)
    assert (claims.organization, claims.role, claims.subject, claims.name) == (
        organization.slug,
        Role.PRO,
        "ada",
        "Ada",
    )
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "kid": "a", "typ": "JWT"}
    with pytest.raises(CommandError, match="no organization absent"):
        await issue_token(shared_system, TOKENS, token_request("absent"))


@pytest.mark.parametrize("days", [0, -1])
async def test_a_token_is_good_for_some_time(
    days: float, shared_system: SystemDatabase, shared_organization: MakeOrganization
):
    organization = await shared_organization()
    with pytest.raises(CommandError, match="more than 0 days"):
        await issue_token(shared_system, TOKENS, token_request(organization.slug, days=days))
