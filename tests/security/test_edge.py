"""The edge with limits that a test can reach, and without a demo (SECURITY-TESTS 6, 12, 13, 14)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from domain.vocabulary import Role
from tests.resolvers.office import Office, uuid
from tests.security.world import World
from web.app import create_app
from web.config import WebConfig
from web.graphql_request import RequestLimits
from web.pages import PageConfig
from web.rates import RateLimits
from web.tokens import Tokens, TokenSettings

TOKENS = TokenSettings("leadport", "leadport", {"k1": b"a secret of the tests that is long enough"})
PAGES = PageConfig(graphiql_enabled=False, demo_token=None, version="1")
LEADS = "query ($f: LeadFilter, $a: String) { leads(first: 2, filter: $f, after: $a) { nodes { id } } }"


@asynccontextmanager
async def edge(office: Office, rates: RateLimits, **config: object) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(
        WebConfig(**{"runtime": office.runtime, "tokens": TOKENS, "pages": PAGES, "rates": rates, **config})
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


async def test_s12_without_a_demo_nobody_reads_the_schema_unless_signed_in(office: Office, stranger: World) -> None:
    slug = stranger.desk.organization.slug
    token = Tokens(TOKENS).issue(organization=slug, role=Role.VIEWER, subject="v", name="V", seconds=60)
    body = {"query": "{ __schema { queryType { name } } }"}
    async with edge(office, RateLimits()) as client:
        anonymous = (await client.post("/graphql", json=body)).json()
        known = (await client.post("/graphql", json=body, headers={"Authorization": f"Bearer {token}"})).json()
    assert "queryType" not in str(anonymous.get("data"))
    assert anonymous["errors"]
    assert known == {"data": {"__schema": {"queryType": {"name": "Query"}}}}


async def test_s14_too_many_operations_are_429_with_retry_after(office: Office) -> None:
    async with edge(office, RateLimits(anonymous=60)) as client:
        answers = [await client.post("/graphql", json={"query": "{ __typename }"}) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].json()["errors"][0]["extensions"]["code"]


async def test_s14_what_is_429_has_not_run(office: Office, stranger: World) -> None:
    desk = stranger.desk
    token = Tokens(TOKENS).issue(
        organization=desk.organization.slug, role=Role.ADMIN, subject="a", name="A", seconds=600
    )
    body = {"query": 'mutation { saveCompany(input: {name: "Refused"}) { company { id } } }'}
    async with edge(office, RateLimits(credential=1)) as client:
        answer = await client.post("/graphql", json=body, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 429
    assert await desk.rows("select id from app.companies where name = 'Refused'") == []


async def test_s04_a_body_that_does_not_arrive_is_408(office: Office) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b'{"query": '
        await asyncio.sleep(30)

    async with edge(office, RateLimits(), request=RequestLimits(seconds=0.2)) as client:
        answer = await client.post("/graphql", content=slow(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (408, "LIMIT_EXCEEDED")


async def test_an_operation_that_takes_too_long_is_a_coded_error(office: Office, stranger: World) -> None:
    desk, lead = stranger.desk, await stranger.make("lead")
    token = Tokens(TOKENS).issue(
        organization=desk.organization.slug, role=Role.ADMIN, subject="a", name="A", seconds=600
    )
    body = {"query": f'mutation {{ updateLead(input: {{id: "{lead}", set: {{score: 9}}}}) {{ lead {{ id }} }} }}'}
    runtime = replace(office.runtime, settings=replace(office.runtime.settings, max_wait_seconds=0))
    async with (
        edge(office, RateLimits(), runtime=runtime, operation_seconds=0.5) as client,
        desk.runtime.database.unit(desk.organization.id) as connection,
    ):
        await connection.execute("select from app.leads where id = $1 for update", uuid(lead))
        answer = await client.post("/graphql", json=body, headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["errors"][0]["extensions"]["code"] == "TIMEOUT"
    assert (await desk.rows("select score from app.leads where id = $2", uuid(lead)))[0]["score"] != 9


async def test_s14_refused_credentials_are_429_with_retry_after(office: Office) -> None:
    async with edge(office, RateLimits(failures=2)) as client:
        headers = {"Authorization": "Bearer nonsense"}
        answers = [await client.post("/graphql", json={"query": "{ __typename }"}, headers=headers) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 429, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1


async def test_s14_credentials_that_are_refused_on_sockets_are_counted_as_others_are(office: Office) -> None:
    app = create_app(WebConfig(runtime=office.runtime, tokens=TOKENS, pages=PAGES, rates=RateLimits(failures=2)))
    async with listening(app) as address:
        codes = [await refused_on_a_socket(f"ws://{address}/graphql") for _ in range(4)]
        async with httpx.AsyncClient() as client:
            headers = {"Authorization": "Bearer nonsense"}
            answer = await client.post(f"http://{address}/graphql", json={"query": "{ __typename }"}, headers=headers)
    assert codes == [4403, 4403, 4429, 4429]
    assert answer.status_code == 429


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[str]:
    """Host and port where the application is served."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(30):
            while not server.started:  # noqa: ASYNC110 - another task's
                await asyncio.sleep(0.01)
        yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


async def refused_on_a_socket(url: str) -> int:
    """The code that a socket with a wrong token is closed with."""
    async with connect(url, subprotocols=["graphql-transport-ws"]) as socket:
        await socket.send('{"type": "connection_init", "payload": {"Authorization": "Bearer nonsense"}}')
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 30)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(), cursor=st.one_of(st.none(), st.text(), st.binary().map(bytes.hex)))
async def test_s06_s13_no_text_and_no_cursor_is_an_internal_error(
    stranger: World, text: str, cursor: str | None
) -> None:
    where = {
        "or": [
            {"search": text},
            {"name": {"contains": text}},
            {"externalId": {"eq": text}},
            {"tags": {"hasAny": [text]}},
        ]
    }
    answer = await stranger.desk.execute(LEADS, f=where, a=cursor)
    assert "INTERNAL" not in {error["extensions"]["code"] for error in answer["errors"]}
