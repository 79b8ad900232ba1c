"""Attacks by bodies, headers and methods (SECURITY-TESTS 4, 5, 8, 9, 14, 26)."""

import asyncio
import json
from urllib.parse import urlsplit

import pytest

from tests.web.conftest import Edge

QUERY = "{ __typename }"


async def _raw(edge: Edge, head: str, *pieces: bytes, pause: float = 0.0) -> bytes:
    """Sends bytes as they are; the first kilobytes of the answer."""
    place = urlsplit(edge.server.url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(head.replace("\n", "\r\n").encode())
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        return await asyncio.wait_for(reader.read(4096), 10)
    except ConnectionError:
        return await reader.read(4096)
    finally:
        writer.close()


async def test_s04_a_body_over_the_limit_without_a_length_is_refused(edge: Edge) -> None:
    async def chunks():
        for _ in range(200):
            yield b" " * 65_536

    answer = await edge.http.post(edge.graphql, content=chunks(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


async def test_s04_memory_stays_flat_under_large_bodies(edge: Edge) -> None:
    body = b'{"query": "' + b"x" * (8 << 20)
    before = await edge.memory()
    for _ in range(10):
        await edge.http.post(edge.graphql, content=body, headers={"Content-Type": "application/json"})
    assert await edge.memory() - before < 40 << 20


async def test_s04_a_length_that_lies_stalls_nobody(edge: Edge) -> None:
    head = "POST /graphql HTTP/1.1\nHost: 127.0.0.1\nContent-Type: application/json\nContent-Length: 1000\n\n"
    slow = asyncio.create_task(_raw(edge, head, b"{"))
    assert (await edge.ask(QUERY)).status_code == 200
    slow.cancel()


@pytest.mark.parametrize(
    "body",
    [
        b"5",
        b"null",
        b'"s"',
        b"[1]",
        b"[]",
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"query": "{ __typename }", "variables": {"n": ' + b"9" * 100_000 + b"}}",
        b'{"query": 5}',
        b'{"query": "{ __typename }", "variables": []}',
        b'{"query": "{ __typename }", "operationName": 5}',
        b'[{"query": "{ __typename }"}]',
        b"",
    ],
    ids=lambda body: body[:20].decode("latin-1"),
)
async def test_s05_a_body_that_is_no_request_is_a_json_error(edge: Edge, body: bytes) -> None:
    answer = await edge.http.post(edge.graphql, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 400) if b"999" in body else answer.status_code == 400
    assert "errors" in answer.json() or answer.status_code == 200


@pytest.mark.parametrize(
    "places", ["[]", '{"__proto__": ["variables.file"]}', '{"0": ["variables.__class__"]}', "{", '{"0": 5}']
)
async def test_s05_a_multipart_map_that_leads_nowhere_is_a_json_error(edge: Edge, places: str) -> None:
    operations = json.dumps({"query": "mutation ($file: Upload!) { __typename }", "variables": {"file": None}})
    answer = await edge.http.post(
        edge.graphql,
        data={"operations": operations, "map": places},
        files={"0": ("a.csv", b"x")},
        headers={"GraphQL-Preflight": "1"},
    )
    assert answer.status_code == 400
    assert answer.json()["errors"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
async def test_s08_a_request_that_a_foreign_page_can_send_runs_nothing(edge: Edge, kind: str) -> None:
    body = json.dumps({"query": QUERY}).encode()
    answer = await edge.http.post(edge.graphql, content=body, headers={**edge.headers, "Content-Type": kind})
    assert 400 <= answer.status_code < 500
    assert "data" not in answer.json()


async def test_s08_get_runs_queries_only(edge: Edge) -> None:
    read = await edge.http.get(edge.graphql, params={"query": "{ viewer { role } }"}, headers=edge.headers)
    assert read.json()["data"]["viewer"]["role"] == "ADMIN"
    document = 'mutation { createUpload(input: {fileName: "a.csv"}) { upload { id } } }'
    written = await edge.http.get(edge.graphql, params={"query": document}, headers=edge.headers)
    assert written.status_code == 405


async def test_s08_a_content_type_is_compared_whole(edge: Edge) -> None:
    body = json.dumps({"query": QUERY}).encode()
    kind = "text/plain; application/json"
    answer = await edge.http.post(edge.graphql, content=body, headers={"Content-Type": kind})
    assert answer.status_code == 415


async def test_s09_a_multipart_part_without_a_file_name_is_a_file(edge: Edge) -> None:
    document = """mutation ($file: Upload!) { importLeads(input: {source: {file: $file}, mode: VALIDATE,
      waitSeconds: 20, options: {required: [NAME]}}) { job { state totalRows } userErrors { code message } } }"""
    operations = json.dumps({"query": document, "variables": {"file": None}})
    answer = await edge.http.post(
        edge.graphql,
        files={
            "operations": (None, operations.encode()),
            "map": (None, b'{"0": ["variables.file"]}'),
            "0": (None, b"name\nAda Invented\n"),
        },
        headers={**edge.headers, "GraphQL-Preflight": "1"},
        timeout=30,
    )
    assert answer.json()["data"]["importLeads"]["job"]["totalRows"] == 1


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "lp_nonsense", "é"])
async def test_s12_a_wrong_credential_is_refused_with_401(edge: Edge, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode()}
    answer = await edge.http.post(edge.graphql, json={"query": "{ viewer { role } }"}, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_s12_without_a_credential_nothing_is_read(edge: Edge) -> None:
    answer = await edge.http.post(edge.graphql, json={"query": "{ leads(first: 1) { nodes { id } } }"})
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert not answer.json().get("data")


async def test_s11_a_name_of_another_host_reaches_no_page_that_shows_the_token(edge: Edge) -> None:
    answer = await edge.http.get(f"{edge.server.url}/graphiql/config.json", headers={"Host": "evil.example"})
    assert answer.status_code == 400


async def _link(edge: Edge) -> str:
    document = (
        "mutation { exportLeads(input: {spec: {template: BASIC, limit: 20}, waitSeconds: 20}) { download { url } } }"
    )
    return (await edge.ask(document)).json()["data"]["exportLeads"]["download"]["url"]


async def test_s26_a_link_serves_its_file_whole_in_part_and_by_its_headers(edge: Edge) -> None:
    url = await _link(edge)
    whole = await edge.http.get(url)
    part = await edge.http.get(url, headers={"Range": "bytes=3-9"})
    tail = await edge.http.get(url, headers={"Range": "bytes=-5"})
    head = await edge.http.head(url)
    assert part.status_code == 206
    assert part.content == whole.content[3:10]
    assert part.headers["content-range"] == f"bytes 3-9/{len(whole.content)}"
    assert tail.content == whole.content[-5:]
    assert head.headers["content-length"] == str(len(whole.content))
    assert head.content == b""


async def test_s26_a_range_is_ignored_when_the_file_is_another_and_refused_outside(edge: Edge) -> None:
    url = await _link(edge)
    whole = await edge.http.get(url)
    same = await edge.http.get(url, headers={"Range": "bytes=0-1", "If-Range": whole.headers["etag"]})
    other = await edge.http.get(url, headers={"Range": "bytes=0-1", "If-Range": '"another"'})
    outside = await edge.http.get(url, headers={"Range": "bytes=99999999-"})
    assert (same.status_code, other.status_code, outside.status_code) == (206, 200, 416)


async def test_s26_every_change_of_a_link_is_refused(edge: Edge) -> None:
    url = await _link(edge)
    place, _, token = url.rpartition("/")
    for position in range(0, len(token), 7):
        changed = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        assert (await edge.http.get(f"{place}/{changed}")).status_code == 403


async def test_s26_a_download_is_attached_private_and_inert(edge: Edge) -> None:
    headers = (await edge.http.get(await _link(edge))).headers
    assert headers["content-disposition"].startswith("attachment; filename=")
    assert headers["cache-control"] == "private, no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("sandbox")


@pytest.mark.parametrize(
    "path", ["/", "/nowhere", "/graphql", "/healthz", "/readyz", "/metrics", "/files/x", "/graphiql"]
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_s11_every_answer_has_its_security_headers(edge: Edge, path: str, method: str) -> None:
    answer = await edge.http.request(method, f"{edge.server.url}{path}")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src" in answer.headers["content-security-policy"]
