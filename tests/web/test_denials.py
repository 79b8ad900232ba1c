"""Denials are kept in the activity log (SECURITY-TESTS 16)."""

import json
from uuid import uuid4

import websockets

from tests.web.conftest import Edge, issued

DENIED = """query ($search: String!) { activity(filter: {action: [ACCESS_DENIED], search: $search}) {
  nodes { summary ipAddress details actor { __typename ... on User { name } } } } }"""
EXPORTS = "{ exportSchedules { id } activity { nodes { id } } }"


async def denials(edge: Edge, name: str) -> list[dict]:
    answer = await edge.ask(DENIED, search=name)
    return answer.json()["data"]["activity"]["nodes"]


def newcomer(role: str) -> tuple[str, str]:
    """The name and token of somebody who has not been here before."""
    name = f"nia-{uuid4().hex[:8]}"
    return name, issued(role, name)


async def test_s16_what_a_role_is_refused_over_http_is_one_entry_a_request(edge: Edge) -> None:
    name, token = newcomer("VIEWER")
    headers = {"Authorization": f"Bearer {token}"}
    answer = await edge.http.post(edge.graphql, json={"query": EXPORTS}, headers=headers)
    assert {error["extensions"]["code"] for error in answer.json()["errors"]} == {"FORBIDDEN"}
    (entry,) = await denials(edge, name)
    assert entry["actor"] == {"__typename": "User", "name": name}
    assert entry["ipAddress"] == "127.0.0.1"
    assert set(entry["details"]["permissions"]) <= {"SCHEDULES_MANAGE", "ACTIVITY_READ"}
    assert entry["details"]["fields"]
    await edge.http.post(edge.graphql, json={"query": "{ leadStatuses { key } }"}, headers=headers)
    assert len(await denials(edge, name)) == 1, "what is allowed is no denial"


async def test_s16_what_a_role_is_refused_over_a_websocket_is_kept_too(edge: Edge) -> None:
    name, token = newcomer("VIEWER")
    address = f"{edge.server.url.replace('http', 'ws', 1)}/graphql"
    async with websockets.connect(address, subprotocols=["graphql-transport-ws"]) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": EXPORTS}}))
        json.loads(await socket.recv())
    (entry,) = await denials(edge, name)
    assert entry["ipAddress"] == "127.0.0.1"


async def test_s16_who_asks_for_another_organization_is_kept_in_their_own(edge: Edge) -> None:
    name, token = newcomer("OWNER")
    headers = {"Authorization": f"Bearer {token}", "X-Organization-Id": "elsewhere"}
    answer = await edge.http.post(edge.graphql, json={"query": "{ __typename }"}, headers=headers)
    assert answer.status_code == 403
    (entry,) = await denials(edge, name)
    assert entry["details"]["permissions"] == ["CROSS_ORGANIZATION"]
