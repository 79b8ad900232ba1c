import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from db.api_keys import find_api_keys, insert_api_key, list_api_keys, load_api_keys, mark_used, revoke
from db.catalog import (
    find_or_create_chatbots,
    find_or_create_companies,
    list_chatbots,
    list_companies,
    list_statuses,
    load_companies,
)
from db.organizations import NewOrganization, Organizations, create_organization, find_organization
from db.people import SignIn, list_users, load_users, sign_in
from db.pool import Database
from db.system import SystemDatabase
from domain.errors import BadInput
from domain.ids import new_id
from domain.paging import PageRequest
from domain.presets import STATUSES, Preset
from domain.records import ApiKeyRecord, OrganizationRecord
from domain.settings import Limits, MaskingRule, OrganizationSettings
from domain.vocabulary import DuplicateScope, LeadFieldKey, LeadStage, MaskingMode, Permission, Role
from tests.conftest import MakeOrganization


@pytest.fixture
async def acme(shared_organization: MakeOrganization) -> OrganizationRecord:
    return await shared_organization()


async def test_an_organization_is_found_by_id_and_by_slug(shared_system: SystemDatabase):
    settings = OrganizationSettings(
        default_country="IL",
        time_zone="Asia/Jerusalem",
        duplicate_scope=DuplicateScope.ALL,
        masking=(MaskingRule(LeadFieldKey.PHONE, MaskingMode.REDACT, (Role.OWNER,)),),
        export_roles=(Role.OWNER,),
        conversation_url_template="https://chat.example.com/{id}",
    )
    slug = f"full-{new_id().hex}"
    new = NewOrganization(slug=slug, name="Full", settings=settings, limits=Limits(max_bulk_ids=5))
    made = await create_organization(shared_system, new)
    assert made is not None
    assert (made.settings, made.limits.max_bulk_ids) == (settings, 5)
    assert await find_organization(shared_system, made.id) == made
    assert await find_organization(shared_system, slug) == made
    assert await find_organization(shared_system, new_id()) is None
    assert await find_organization(shared_system, "absent") is None


async def test_a_slug_is_taken_once(shared_system: SystemDatabase, acme: OrganizationRecord):
    assert await create_organization(shared_system, NewOrganization(slug=acme.slug, name="Other")) is None


async def test_limits_that_are_not_set_are_those_of_the_server(shared_system: SystemDatabase, acme: OrganizationRecord):
    server = Limits(max_page_size=7)
    found = await find_organization(shared_system, acme.id, server)
    assert found is not None
    assert found.limits.max_page_size == 7


@pytest.mark.parametrize("preset", Preset)
async def test_an_organization_starts_with_the_statuses_of_its_preset(
    preset: Preset, shared_database: Database, shared_organization: MakeOrganization
):
    organization = await shared_organization(preset=preset)
    statuses = await list_statuses(shared_database, organization.id)
    assert [status.key for status in statuses] == [status.key for status in STATUSES[preset]]
    assert all(status.active for status in statuses)


@pytest.mark.parametrize("preset", Preset)
def test_every_preset_has_a_beginning_and_both_ends(preset: Preset):
    stages = {status.stage for status in STATUSES[preset]}
    assert stages >= {LeadStage.NEW, LeadStage.WON, LeadStage.LOST}


async def test_a_remembered_organization_is_asked_for_again_when_forgotten(
    shared_system: SystemDatabase, acme: OrganizationRecord
):
    organizations = Organizations(shared_system, seconds=60)
    assert await organizations.find(acme.id) == await organizations.find(acme.slug) == acme
    await shared_system.execute("update store.organizations set name = 'Renamed' where id = $1", acme.id)
    assert await organizations.find(acme.id) == acme
    organizations.forget(acme)
    assert await organizations.find(acme.id) == await organizations.find(acme.slug) == replace(acme, name="Renamed")


async def test_an_organization_is_remembered_for_its_seconds_alone(
    shared_system: SystemDatabase, acme: OrganizationRecord
):
    organizations = Organizations(shared_system, seconds=0.05)
    assert await organizations.find(acme.id) == acme
    await shared_system.execute("update store.organizations set name = 'Renamed' where id = $1", acme.id)
    await asyncio.sleep(0.06)
    assert await organizations.find(acme.id) == replace(acme, name="Renamed")


async def test_an_absent_organization_is_found_as_soon_as_it_is_made(shared_system: SystemDatabase):
    organizations, slug = Organizations(shared_system, seconds=60), f"late-{new_id().hex}"
    assert await organizations.find(slug) is None
    await create_organization(shared_system, NewOrganization(slug=slug, name="Late"))
    assert await organizations.find(slug) is not None


def person(subject: str, **changes: object) -> SignIn:
    return replace(SignIn(subject=subject, name="Ada", email="ada@example.com", role=Role.PRO), **changes)


async def test_a_user_is_made_at_first_sight_and_found_later(
    shared_system: SystemDatabase, shared_database: Database, acme: OrganizationRecord
):
    made = await sign_in(shared_system, acme.id, person("ada"))
    again = await sign_in(shared_system, acme.id, person("ada", name="Other", role=Role.OWNER))
    assert made == again
    assert (made.name, made.role, made.active) == ("Ada", Role.PRO, True)
    assert await load_users(shared_database, acme.id, [made.id, new_id()]) == {made.id: made}


async def test_a_user_without_a_name_is_called_by_e_mail_or_subject(
    shared_system: SystemDatabase, acme: OrganizationRecord
):
    assert (await sign_in(shared_system, acme.id, person("a", name=None))).name == "ada@example.com"
    assert (await sign_in(shared_system, acme.id, person("b", name=None, email=None))).name == "b"


async def test_the_same_subject_is_another_user_in_another_organization(
    shared_system: SystemDatabase, shared_organization: MakeOrganization
):
    ours, theirs = await shared_organization(), await shared_organization()
    assert (await sign_in(shared_system, ours.id, person("x"))).id != (
        await sign_in(shared_system, theirs.id, person("x"))
    ).id


async def test_requests_that_meet_a_new_user_at_once_make_one(shared_system: SystemDatabase, acme: OrganizationRecord):
    users = await asyncio.gather(*(sign_in(shared_system, acme.id, person("many")) for _ in range(12)))
    assert len({user.id for user in users}) == 1


async def test_users_are_listed_by_name_page_by_page(
    shared_system: SystemDatabase, shared_database: Database, acme: OrganizationRecord
):
    names = ["Zoë", "ada", "Ada", "Éva", "Ben", "ben", "שרה"]
    for number, name in enumerate(names):
        await sign_in(shared_system, acme.id, person(f"user {number}", name=name))
    seen: list[str] = []
    cursor = None
    while True:
        page = await list_users(shared_database, acme.id, PageRequest(2, cursor))
        seen += [user.name for user in page.items]
        if not page.has_next:
            break
        cursor = page.cursors[-1]
    assert len(seen) == len(names)
    assert [name.lower() for name in seen] == sorted(name.lower() for name in names)
    assert page.count is not None
    assert (await page.count()).value == len(names)


@pytest.mark.parametrize("cursor", ["x", "W10=", "é", "bnVsbA=="])
async def test_a_foreign_cursor_of_users_is_refused(cursor: str, shared_database: Database, acme: OrganizationRecord):
    with pytest.raises(BadInput):
        await list_users(shared_database, acme.id, PageRequest(2, cursor))


def key(prefix: str) -> ApiKeyRecord:
    return ApiKeyRecord(
        id=new_id(),
        name="crm",
        prefix=prefix,
        permissions=(Permission.LEADS_READ, Permission.LEADS_EXPORT),
        created_at=datetime(2024, 1, 1, tzinfo=UTC),
        expires_at=datetime(2034, 1, 1, tzinfo=UTC),
    )


async def test_an_api_key_is_found_by_its_prefix_with_its_organization(
    shared_system: SystemDatabase, shared_database: Database, acme: OrganizationRecord
):
    record = key(f"lp_{new_id().hex[:12]}")
    async with shared_database.unit(acme.id) as connection:
        await insert_api_key(connection, record, "hash")
    (found,) = await find_api_keys(shared_system, record.prefix)
    assert (found.organization_id, found.record, found.secret_hash) == (acme.id, record, "hash")
    assert list(await list_api_keys(shared_database, acme.id)) == [record]
    assert await load_api_keys(shared_database, acme.id, [record.id]) == {record.id: record}
    assert await find_api_keys(shared_system, "absent") == []


async def test_the_use_of_an_api_key_is_remembered_once_a_minute(
    shared_system: SystemDatabase, shared_database: Database, acme: OrganizationRecord
):
    record = key(f"lp_{new_id().hex[:12]}")
    async with shared_database.unit(acme.id) as connection:
        await insert_api_key(connection, record, "hash")
    (found,) = await find_api_keys(shared_system, record.prefix)
    await mark_used(shared_system, found)
    (used,) = await list_api_keys(shared_database, acme.id)
    assert used.last_used_at is not None
    assert datetime.now(UTC) - used.last_used_at < timedelta(minutes=1)
    await mark_used(shared_system, found)
    assert list(await list_api_keys(shared_database, acme.id)) == [used]


async def test_a_key_is_revoked_once_and_by_its_organization_alone(
    shared_database: Database, shared_organization: MakeOrganization
):
    ours, theirs = await shared_organization(), await shared_organization()
    record = key("lp_revoked")
    async with shared_database.unit(ours.id) as connection:
        await insert_api_key(connection, record, "hash")
    async with shared_database.unit(theirs.id) as connection:
        assert await revoke(connection, record.id) is None
    async with shared_database.unit(ours.id) as connection:
        revoked = await revoke(connection, record.id)
        assert revoked is not None
        assert revoked.revoked_at is not None
    async with shared_database.unit(ours.id) as connection:
        assert await revoke(connection, record.id) == revoked


async def test_companies_are_found_by_their_folded_name_or_made(shared_database: Database, acme: OrganizationRecord):
    async with shared_database.unit(acme.id) as connection:
        first = await find_or_create_companies(connection, ["Acme  Ltd", "Überall GmbH"])
    async with shared_database.unit(acme.id) as connection:
        second = await find_or_create_companies(connection, ["ACME LTD", "überall gmbh", "Third"])
    assert second["acme ltd"] == first["acme ltd"]
    assert second["überall gmbh"] == first["überall gmbh"]
    companies = await list_companies(shared_database, acme.id)
    assert [company.name for company in companies] == ["Acme  Ltd", "Third", "Überall GmbH"]
    assert await load_companies(shared_database, acme.id, [companies[0].id]) == {companies[0].id: companies[0]}


async def test_writers_that_name_a_company_at_once_get_the_same_one(
    shared_database: Database, acme: OrganizationRecord
):
    async def make() -> UUID:
        async with shared_database.unit(acme.id) as connection:
            return (await find_or_create_companies(connection, ["b", "a", "c"]))["b"]

    assert len(set(await asyncio.gather(*(make() for _ in range(8))))) == 1


async def test_chatbots_are_listed_with_their_company(shared_database: Database, acme: OrganizationRecord):
    async with shared_database.unit(acme.id) as connection:
        companies = await find_or_create_companies(connection, ["Acme"])
        chatbots = await find_or_create_chatbots(connection, ["Helper", "Alone"])
        await connection.execute(
            "update chatbots set company_id = $1 where id = $2", companies["acme"], chatbots["helper"]
        )
    listed = await list_chatbots(shared_database, acme.id)
    assert [(bot.name, bot.company and bot.company.name) for bot in listed] == [("Alone", None), ("Helper", "Acme")]
    assert [bot.name for bot in await list_chatbots(shared_database, acme.id, companies["acme"])] == ["Helper"]
