"""Who is let in, as whom, and until when, over every transport."""

import asyncio
import json
import time
from uuid import uuid4

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from tests.web.conftest import Edge, issued

VIEWER = "{ viewer { role permissions organization { slug } actor { __typename ... on ApiKey { name } } } }"
MAKE_KEY = """mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
  apiKey { id prefix } secret userErrors { code message } } }"""
REVOKE = "mutation ($id: ID!) { revokeApiKey(id: $id) { userErrors { message } } }"
REVOCATION_SECONDS = 2.5


async def ask(edge: Edge, headers: dict[str, str], query: str = VIEWER) -> httpx.Response:
    return await edge.http.post(edge.graphql, json={"query": query}, headers=headers)


async def a_key(edge: Edge) -> tuple[str, str]:
    """The id and the secret of a new key that may read."""
    answer = (await edge.ask(MAKE_KEY, input={"name": "script", "permissions": ["LEADS_READ"]})).json()
    made = answer["data"]["createApiKey"]
    assert made["userErrors"] == []
    assert made["secret"].startswith(made["apiKey"]["prefix"] + "_")
    return made["apiKey"]["id"], made["secret"]


@pytest.mark.parametrize("form", ["Authorization: Bearer {}", "Authorization: bearer {}", "X-API-Key: {}"])
async def test_a_key_lets_a_program_in_by_either_header(edge: Edge, form: str) -> None:
    _, secret = await a_key(edge)
    name, _, value = form.format(secret).partition(": ")
    viewer = (await ask(edge, {name: value})).json()["data"]["viewer"]
    assert viewer["actor"] == {"__typename": "ApiKey", "name": "script"}
    assert (viewer["role"], viewer["permissions"]) == (None, ["LEADS_READ"])


async def test_a_key_lets_a_program_in_over_a_websocket(edge: Edge) -> None:
    _, secret = await a_key(edge)
    async with connect(edge.graphql.replace("http", "ws", 1), subprotocols=["graphql-transport-ws"]) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"X-API-Key": secret}}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": VIEWER}}))
        answer = json.loads(await socket.recv())
        assert answer["payload"]["data"]["viewer"]["actor"]["name"] == "script"


async def test_a_revoked_key_is_denied_within_moments(edge: Edge) -> None:
    identifier, secret = await a_key(edge)
    assert (await ask(edge, {"X-API-Key": secret})).status_code == 200
    await edge.ask(REVOKE, id=identifier)
    await asyncio.sleep(REVOCATION_SECONDS)
    assert (await ask(edge, {"X-API-Key": secret})).status_code == 401


async def test_a_changed_key_is_denied(edge: Edge) -> None:
    _, secret = await a_key(edge)
    changed = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    for key in (changed, secret[:-1], secret.swapcase(), f"{secret}x", "lp_", ""):
        answer = await ask(edge, {"X-API-Key": key})
        assert answer.status_code == 401, key
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("value", ["Basic YTpi", "Bearer", "Token x", "x", ""])
async def test_another_scheme_is_denied(edge: Edge, value: str) -> None:
    assert (await ask(edge, {"Authorization": value})).status_code == 401


async def test_a_person_who_was_deactivated_is_denied_and_that_is_kept(edge: Edge) -> None:
    subject = f"leaver-{uuid4().hex[:8]}"
    token = issued("AGENT", subject)
    headers = {"Authorization": f"Bearer {token}"}
    answer = await ask(edge, headers, "{ viewer { actor { ... on User { id } } } }")
    person = answer.json()["data"]["viewer"]["actor"]["id"]
    owner = {"Authorization": f"Bearer {issued('OWNER')}"}
    change = "mutation ($input: SaveUserInput!) { saveUser(input: $input) { userErrors { message } } }"
    values = {"input": {"id": person, "name": subject, "role": "AGENT", "active": False}}
    changed = await edge.http.post(edge.graphql, json={"query": change, "variables": values}, headers=owner)
    assert changed.json()["data"]["saveUser"]["userErrors"] == []
    await asyncio.sleep(REVOCATION_SECONDS)
    assert (await ask(edge, headers)).status_code == 401
    log = "query ($s: String!) { activity(filter: {action: [ACCESS_DENIED], search: $s}) { nodes { summary } } }"
    (entry,) = (await edge.ask(log, s=subject)).json()["data"]["activity"]["nodes"]
    assert "deactivated" in entry["summary"]


async def test_a_system_administrator_chooses_the_organization(edge: Edge) -> None:
    slug = f"other-{uuid4().hex[:8]}"
    assert edge.server.run("organization", slug, "--name", "Other").returncode == 0
    headers = {"Authorization": f"Bearer {issued('SYSTEM_ADMIN')}"}
    assert (await ask(edge, headers)).json()["data"]["viewer"]["organization"] == {"slug": "demo"}
    chosen = (await ask(edge, {**headers, "X-Organization-Id": slug})).json()
    assert chosen["data"]["viewer"]["organization"] == {"slug": slug}
    for unknown in ("nowhere", "org_nonsense", "a'b", "org_0190d3c2-0000-7000-8000-000000000000"):
        answer = await ask(edge, {**headers, "X-Organization-Id": unknown})
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_USER_INPUT")


async def test_others_may_name_their_own_organization_alone(edge: Edge) -> None:
    assert (await ask(edge, {**edge.headers, "X-Organization-Id": "demo"})).status_code == 200
    for other in ("nowhere", "org_0190d3c2-0000-7000-8000-000000000000"):
        answer = await ask(edge, {**edge.headers, "X-Organization-Id": other})
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")


async def test_s10_events_end_when_the_token_does(edge: Edge) -> None:
    token = issued("ADMIN", seconds=15)
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    body, started = {"query": "subscription { jobs { revision } }"}, time.monotonic()
    answer = await edge.http.post(edge.graphql, json=body, headers=headers, timeout=90)
    assert answer.status_code == 200
    assert '"UNAUTHENTICATED"' in answer.text
    assert answer.text.endswith("event: complete\ndata:\n\n")
    assert time.monotonic() - started < 60


async def test_events_end_when_the_key_is_revoked(edge: Edge) -> None:
    identifier, secret = await a_key(edge)
    body, headers = (
        {"query": "subscription { jobs { revision } }"},
        {"X-API-Key": secret, "Accept": "text/event-stream"},
    )
    async with edge.http.stream("POST", edge.graphql, json=body, headers=headers, timeout=60) as answer:
        await edge.ask(REVOKE, id=identifier)
        async with asyncio.timeout(60):
            text = "".join([piece async for piece in answer.aiter_text()])
    assert '"UNAUTHENTICATED"' in text
    assert text.endswith("event: complete\ndata:\n\n")


async def following(edge: Edge, **payload: str) -> ClientConnection:
    """A socket that follows jobs as somebody."""
    socket = await connect(edge.graphql.replace("http", "ws", 1), subprotocols=["graphql-transport-ws"])
    await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
    assert json.loads(await socket.recv())["type"] == "connection_ack"
    query = {"query": "subscription { jobs { revision } }"}
    await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": query}))
    return socket


async def closing_code(socket: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            await asyncio.wait_for(socket.recv(), 100)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


async def test_s10_a_socket_closes_when_its_token_ends_or_its_key_is_revoked(edge: Edge) -> None:
    identifier, secret = await a_key(edge)
    lasting = await following(edge, Authorization=f"Bearer {issued('ADMIN')}")
    ending = await following(edge, Authorization=f"Bearer {issued('ADMIN', seconds=20)}")
    revoked = await following(edge, **{"X-API-Key": secret})
    await edge.ask(REVOKE, id=identifier)
    assert [await closing_code(ending), await closing_code(revoked)] == [4403, 4403]
    assert lasting.state is State.OPEN
    await lasting.close()
