"""What callers are promised of keys, limits, webhooks and the activity log (SECURITY-TESTS 14, 28, 29, 30)."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from domain.actors import system_actor
from domain.ids import new_id
from tests.resolvers.office import Office
from tests.security.world import World
from web.rates import RateLimits, Rates, TooManyRequests

EXPORT = """mutation ($key: String!, $limit: Int) { exportLeads(input: {spec: {limit: $limit}, idempotencyKey: $key}) {
  job { id } userErrors { code } } }"""
WEBHOOK = """mutation ($url: String!) { saveWebhookEndpoint(input: {url: $url, events: [EXPORT_READY]}) {
  endpoint { id } userErrors { code path } } }"""


@pytest.fixture
async def house(office: Office) -> World:
    return World(await office.desk())


@pytest.fixture
async def guarded(office: Office) -> World:
    """With webhooks as they are outside of tests."""
    settings = replace(office.runtime.settings, allow_private_webhooks=False)
    return World(await Office(replace(office.runtime, settings=settings), office.make_organization).desk())


async def test_s29_one_key_twenty_times_at_once_is_one_job(house: World) -> None:
    answers = await asyncio.gather(*(house.desk.ask(EXPORT, key="once", limit=5) for _ in range(20)))
    assert len({answer["exportLeads"]["job"]["id"] for answer in answers}) == 1
    assert len(await house.desk.rows("select id from app.jobs")) == 1
    other = (await house.desk.ask(EXPORT, key="once", limit=6))["exportLeads"]
    assert [error["code"] for error in other["userErrors"]] == ["IDEMPOTENCY_MISMATCH"]


@pytest.mark.parametrize("statement", ["update app.activity set summary = 'x'", "delete from app.activity"])
async def test_s28_the_activity_is_never_changed_by_the_server(house: World, statement: str) -> None:
    await house.make("company")
    before = await house.desk.rows("select * from app.activity")
    assert before
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with house.desk.runtime.database.unit(house.desk.organization.id) as connection:
            await connection.execute(statement)
    assert await house.desk.rows("select * from app.activity") == before


def test_s14_a_caller_comes_back_when_there_is_room() -> None:
    rates = Rates(RateLimits(credential=100, organization=1_000, least=20))
    one = system_actor(new_id())
    for _ in range(5):
        rates.count(one, None, 1)
    with pytest.raises(TooManyRequests) as refused:
        rates.count(one, None, 1)
    assert 1 <= refused.value.seconds <= 60
    rates.count(replace(one, id=new_id()), None, 1)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[::1]", "[fe80::1]", "[::ffff:127.0.0.1]", "0.0.0.0",
     "localhost", "2130706433", "0x7f.1"],
)  # fmt: skip
async def test_s30_a_webhook_to_a_private_address_is_refused(guarded: World, host: str) -> None:
    answer = (await guarded.desk.ask(WEBHOOK, url=f"https://{host}/hook"))["saveWebhookEndpoint"]
    assert answer["endpoint"] is None
    assert answer["userErrors"][0]["path"] == ["input", "url"]
