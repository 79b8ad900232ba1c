import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from db.pool import Database
from db.roles import app_dsn, system_dsn
from db.seed import DEMO_LEADS, DEMO_SLUG, seed_demo
from db.system import SystemDatabase
from domain.ids import new_id
from domain.invented import LOCALES, Cast, Locale, invent_leads
from domain.keyring import Keyring
from domain.national_ids import NationalIds
from domain.permissions import permissions_of
from domain.phones import read_phone
from domain.records import OrganizationRecord, StatusRecord
from domain.vocabulary import LeadSource, LeadStage, Role
from tests.conftest import SECRET, cloned, opened

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
SEALER = NationalIds(Keyring({"a": b"x" * 32}, "a"))


@pytest.fixture(scope="module")
async def databases(template_database: str) -> AsyncIterator[tuple[Database, SystemDatabase]]:
    with cloned(template_database) as dsn:
        async with (
            opened(Database, app_dsn(dsn, SECRET)) as database,
            opened(SystemDatabase, system_dsn(dsn, SECRET)) as system,
        ):
            yield database, system


@pytest.fixture(scope="module")
async def demo(databases: tuple[Database, SystemDatabase]) -> OrganizationRecord:
    seeded = await seed_demo(*databases, SEALER, NOW)
    assert seeded.leads == DEMO_LEADS >= 5_000
    return seeded.organization


async def values(databases: tuple[Database, SystemDatabase], demo: OrganizationRecord, sql: str) -> list[object]:
    return [row[0] for row in await databases[0].read(demo.id, sql)]


async def test_seeding_again_changes_nothing(databases: tuple[Database, SystemDatabase], demo: OrganizationRecord):
    again = await seed_demo(*databases, SEALER, NOW + timedelta(days=1))
    assert (again.leads, again.organization) == (0, demo)
    assert await values(databases, demo, "select count(*) from leads") == [DEMO_LEADS]


async def test_processes_that_seed_at_once_write_one_set(database: Database, system_database: SystemDatabase):
    seeded = await asyncio.gather(*(seed_demo(database, system_database, SEALER, NOW, 50) for _ in range(4)))
    assert sorted(one.leads for one in seeded) == [0, 0, 0, 50]


async def test_every_status_source_and_language_has_leads(
    databases: tuple[Database, SystemDatabase], demo: OrganizationRecord
):
    counts = await values(
        databases, demo, "select count(l.id) from statuses s left join leads l on l.status_id = s.id group by s.id"
    )
    assert len(counts) == 9
    assert all(isinstance(count, int) and count > 20 for count in counts)
    assert set(await values(databases, demo, "select distinct source from leads")) == set(LeadSource)
    languages = set(await values(databases, demo, "select distinct primary_language from leads"))
    assert languages == {locale.language for locale in LOCALES} >= {"he", "hi_transliterated", "en", "ar"}


async def test_every_role_has_a_user(databases: tuple[Database, SystemDatabase], demo: OrganizationRecord):
    assert set(await values(databases, demo, "select role from users")) == set(Role)
    assert permissions_of(Role.AGENT, frozenset(demo.settings.export_roles))


async def test_leads_have_all_that_belongs_to_them(
    databases: tuple[Database, SystemDatabase], demo: OrganizationRecord
):
    for condition in (
        "exists (select from notes n where n.lead_id = l.id)",
        "exists (select from calls c where c.lead_id = l.id)",
        "exists (select from companies c where c.id = l.company_id)",
        "exists (select from chatbots c where c.id = l.chatbot_id and c.company_id = l.company_id)",
        "exists (select from users u where u.id = l.assignee_id)",
        "cardinality(tags) > 1",
        "custom ? 'budget'",
        "converted_at is not null and conversion_value > 0 and stage = 'WON'",
        "national_id_last4 is not null",
        "phone_key is null",
        "email_key is null",
    ):
        (count,) = await values(databases, demo, f"select count(*) from leads l where {condition}")
        assert isinstance(count, int)
        assert count > 100, condition


@pytest.mark.parametrize(
    "wrong",
    [
        "notes_count <> (select count(*) from notes n where n.lead_id = l.id)",
        "last_call_at is distinct from (select max(at) from calls c where c.lead_id = l.id)",
        "stage <> (select stage from statuses s where s.id = l.status_id)",
        "updated_at < created_at or updated_at > '2024-06-01 12:00Z'",
        "created_at < '2024-06-01 12:00Z'::timestamptz - interval '120 days' or created_at > '2024-06-01 12:00Z'",
        "search_text not like '%' || replace(lower(name), 'ß', 'ss') || '%'",
        "score not between 0 and 100",
        "converted_at is null and stage = 'WON'",
        "email not like '%@%example.%'",
    ],
)
async def test_no_lead_contradicts_itself(
    wrong: str, databases: tuple[Database, SystemDatabase], demo: OrganizationRecord
):
    assert await values(databases, demo, f"select count(*) from leads l where {wrong}") == [0]


async def test_no_two_leads_share_a_phone(databases: tuple[Database, SystemDatabase], demo: OrganizationRecord):
    assert await values(databases, demo, "select count(phone_key) - count(distinct phone_key) from leads") == [0]


async def test_leads_are_spread_over_the_days(databases: tuple[Database, SystemDatabase], demo: OrganizationRecord):
    days = await values(databases, demo, "select count(*) from leads group by date_trunc('day', created_at)")
    assert len(days) >= 120


async def test_national_ids_are_sealed_for_their_lead(
    databases: tuple[Database, SystemDatabase], demo: OrganizationRecord
):
    rows = await databases[0].read(
        demo.id,
        "select id, national_id_cipher c, national_id_last4 last from leads where national_id_cipher is not null",
    )
    for row in rows:
        opened_id = SEALER.open(row["c"], str(row["id"]))
        assert opened_id is not None
        assert opened_id.endswith(row["last"])


@pytest.mark.parametrize("locale", LOCALES, ids=lambda locale: f"{locale.language}-{locale.country}")
def test_every_invented_phone_is_valid_and_another(locale: Locale):
    room = len(locale.phones) * 10**locale.digits
    phones = [locale.phone(number) for number in range(min(room, 2_000))]
    assert len(set(phones)) == len(phones)
    assert all(read_phone(phone, "US").valid for phone in phones)


def test_the_shares_of_the_languages_add_up():
    assert sum(locale.share for locale in LOCALES) == 100


def test_the_same_seed_and_moment_give_the_same_leads():
    status = StatusRecord(id=new_id(), key="new", label="New", stage=LeadStage.NEW, position=0, color=None, active=True)
    cast = Cast(
        statuses=[status], companies=[new_id()], chatbots=[(new_id(), new_id())], assignees=[new_id()], country="US"
    )
    assert list(invent_leads(cast, 200, NOW)) == list(invent_leads(cast, 200, NOW))
    assert list(invent_leads(cast, 200, NOW)) != list(invent_leads(cast, 200, NOW, seed=2))


async def test_the_demo_is_found_by_its_slug(databases: tuple[Database, SystemDatabase], demo: OrganizationRecord):
    assert demo.slug == DEMO_SLUG == "demo"
