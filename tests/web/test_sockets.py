"""The graphql-transport-ws protocol, as clients and attackers speak it (SECURITY-TESTS 10)."""

import asyncio
import json

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.web.conftest import Edge

PROTOCOL = "graphql-transport-ws"


def _open(edge: Edge, **options: object) -> connect:
    settings = {"subprotocols": [PROTOCOL], **options}
    return connect(edge.graphql.replace("http", "ws", 1), **settings)


async def _said(socket: ClientConnection, *messages: object) -> dict:
    for message in messages:
        await socket.send(json.dumps(message))
    return json.loads(await asyncio.wait_for(socket.recv(), 30))


async def _closed(socket: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            await asyncio.wait_for(socket.recv(), 30)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


async def test_a_query_is_answered_and_completed(edge: Edge) -> None:
    async with _open(edge) as socket:
        assert (await _said(socket, {"type": "connection_init", "payload": edge.headers}))["type"] == "connection_ack"
        answer = await _said(socket, {"type": "subscribe", "id": "1", "payload": {"query": "{ viewer { role } }"}})
        assert answer == {"type": "next", "id": "1", "payload": {"data": {"viewer": {"role": "ADMIN"}}}}
        assert await _said(socket) == {"type": "complete", "id": "1"}


async def test_a_ping_is_answered(edge: Edge) -> None:
    async with _open(edge) as socket:
        assert (await _said(socket, {"type": "ping"}))["type"] == "pong"


@pytest.mark.parametrize("protocols", [["graphql-ws"], None])
async def test_s10_another_subprotocol_is_refused(edge: Edge, protocols: list[str] | None) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with _open(edge, subprotocols=protocols):
            pass
    assert refused.value.response.status_code == 403


async def test_s10_a_foreign_origin_is_refused(edge: Edge) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with _open(edge, origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403


async def test_s10_a_socket_that_never_says_who_it_is_closes_with_4408(edge: Edge) -> None:
    async with _open(edge) as socket:
        assert await _closed(socket) == 4408


async def test_s10_a_wrong_token_closes_with_4403(edge: Edge) -> None:
    async with _open(edge) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": "Bearer nonsense"}}))
        assert await _closed(socket) == 4403


async def test_s10_a_subscription_before_the_acknowledgement_closes_with_4401(edge: Edge) -> None:
    async with _open(edge) as socket:
        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }"}}))
        assert await _closed(socket) == 4401


@pytest.mark.parametrize("text", ["{", "5", "null", '{"type": "nonsense"}', '{"type": 5}', "[]"])
async def test_s10_nonsense_closes_with_4400(edge: Edge, text: str) -> None:
    async with _open(edge) as socket:
        await socket.send(text)
        assert await _closed(socket) == 4400


async def test_s10_a_second_connection_init_closes_with_4429(edge: Edge) -> None:
    async with _open(edge) as socket:
        init = {"type": "connection_init", "payload": edge.headers}
        await _said(socket, init)
        await socket.send(json.dumps(init))
        assert await _closed(socket) == 4429


async def test_s10_an_id_in_use_closes_with_4409(edge: Edge) -> None:
    subscribe = {"type": "subscribe", "id": "1", "payload": {"query": "subscription { jobs { revision } }"}}
    async with _open(edge) as socket:
        await _said(socket, {"type": "connection_init", "payload": edge.headers})
        await socket.send(json.dumps(subscribe))
        await socket.send(json.dumps(subscribe))
        assert await _closed(socket) == 4409


async def test_s10_a_socket_runs_at_most_a_hundred_operations(edge: Edge) -> None:
    async with _open(edge) as socket:
        await _said(socket, {"type": "connection_init", "payload": edge.headers})
        for number in range(101):
            payload = {"query": "subscription { jobs { revision } }"}
            await socket.send(json.dumps({"type": "subscribe", "id": str(number), "payload": payload}))
        assert await _closed(socket) == 4429


async def test_s10_a_frame_over_a_mebibyte_is_refused(edge: Edge) -> None:
    async with _open(edge) as socket:
        await socket.send("x" * ((1 << 20) + 1))
        assert await _closed(socket) == 1009


async def test_a_binary_frame_closes_with_4400(edge: Edge) -> None:
    async with _open(edge) as socket:
        await socket.send(b"\x00")
        assert await _closed(socket) == 4400


async def test_a_document_that_is_invalid_is_an_error_message(edge: Edge) -> None:
    async with _open(edge) as socket:
        await _said(socket, {"type": "connection_init", "payload": edge.headers})
        answer = await _said(socket, {"type": "subscribe", "id": "1", "payload": {"query": "{ nope }"}})
        assert answer["type"] == "error"
        assert answer["payload"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_s07_following_what_is_not_there_is_an_error_message(edge: Edge) -> None:
    query = 'subscription { job(id: "job_0190d3c2-0000-7000-8000-000000000000") { revision } }'
    async with _open(edge) as socket:
        await _said(socket, {"type": "connection_init", "payload": edge.headers})
        answer = await _said(socket, {"type": "subscribe", "id": "1", "payload": {"query": query}})
        assert answer["type"] == "error"
        assert answer["payload"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        assert (await _said(socket, {"type": "ping"}))["type"] == "pong", "the socket goes on"
