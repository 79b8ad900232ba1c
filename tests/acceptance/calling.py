"""Calls a running server as a program elsewhere would: HTTP by httpx, graphql-transport-ws, server-sent events."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import httpx
import websockets

UPLOAD = """mutation ($name: String!) { createUpload(input: {fileName: $name}) {
  upload { id state put { url method headers { name value } } } userErrors { code message path } } }"""
IMPORT = """mutation ($input: ImportLeadsInput!) { importLeads(input: $input) {
  job { id state fileName totalRows counts { created updated unchanged skipped failed unprocessed }
    failure { code message } files { role name rows download { url } } }
  userErrors { code message path } } }"""
EXPORT = """mutation ($spec: ExportSpecInput!) { exportLeads(input: {spec: $spec, waitSeconds: 30}) {
  job { id state rowCount failure { code message } file { name rows bytes sha256 } } download { url }
  userErrors { code message path } } }"""
JOB = """query ($id: ID!, $since: Int!) { job(id: $id, sinceRevision: $since, waitSeconds: 20) {
  id state revision failure { code message } progress { processed total }
  ... on ImportJob { totalRows counts { created updated unchanged skipped failed unprocessed } }
  ... on ExportJob { rowCount file { name rows bytes } } files { role name rows download { url } } } }"""
FOLLOW = """subscription ($id: ID!) { job(id: $id) {
  type revision job { id state progress { phase processed total percent } } } }"""
COUNT = "query ($filter: LeadFilter) { leadGroups(filter: $filter, by: [STAGE]) { count } }"
ENDED = {"CANCELLED", "COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED", "EXPIRED"}
SUBPROTOCOL = "graphql-transport-ws"


@dataclass(frozen=True)
class Caller:
    """Somebody with a bearer token, in one organization."""

    url: str
    token: str
    http: httpx.AsyncClient
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def credentials(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **self.headers}

    async def post(self, document: str, variables: Mapping[str, object] | None = None) -> httpx.Response:
        body = {"query": document, "variables": dict(variables or {})}
        return await self.http.post(f"{self.url}/graphql", json=body, headers=self.credentials, timeout=60)

    async def ask(self, document: str, **variables: object) -> dict:
        """The data of an answer without any error."""
        answer = await self.post(document, variables)
        body = answer.json()
        assert "errors" not in body, body["errors"]
        assert answer.status_code == 200
        return body["data"]

    async def refused(self, document: str, **variables: object) -> list[dict]:
        """The top-level errors of an answer that has some, each with a code."""
        body = (await self.post(document, variables)).json()
        assert body.get("errors"), body
        assert all(error["extensions"]["code"] for error in body["errors"])
        return body["errors"]

    async def upload(self, data: bytes, name: str = "leads.csv") -> str:
        """The id of an upload whose bytes have been put where the server said."""
        made = (await self.ask(UPLOAD, name=name))["createUpload"]
        assert made["userErrors"] == []
        await self.put(made["upload"]["put"], data)
        return made["upload"]["id"]

    async def put(self, where: Mapping, data: bytes) -> httpx.Response:
        headers = {header["name"]: header["value"] for header in where["headers"]}
        answer = await self.http.request(where["method"], where["url"], content=data, headers=headers, timeout=60)
        assert answer.is_success, (answer.status_code, answer.text)
        return answer

    async def import_file(self, data: bytes, name: str = "leads.csv", **more: object) -> dict:
        """The payload of importLeads; its job, where there is one, has ended."""
        source = {"uploadId": await self.upload(data, name)}
        given = {"source": source, "waitSeconds": 30, "allowSameFile": True, **more}
        payload = (await self.ask(IMPORT, input=given))["importLeads"]
        if payload["job"] and payload["job"]["state"] not in ENDED:
            payload["job"] = await self.ended(payload["job"]["id"])
        return payload

    async def ended(self, job_id: str, seconds: float = 120) -> dict:
        """The job in its final state, by long poll."""
        async with asyncio.timeout(seconds):
            job = (await self.ask(JOB, id=job_id, since=0))["job"]
            while job["state"] not in ENDED:
                job = (await self.ask(JOB, id=job_id, since=job["revision"]))["job"]
        return job

    async def export(self, spec: Mapping[str, object]) -> tuple[dict, bytes]:
        """The finished job of an export, and its file."""
        payload = (await self.ask(EXPORT, spec=dict(spec)))["exportLeads"]
        assert payload["userErrors"] == []
        if payload["download"] is None:
            job = await self.ended(payload["job"]["id"])
            assert job["state"] == "COMPLETED", job
            (url,) = [one["download"]["url"] for one in job["files"] if one["role"] == "DATA"]
            return job, (await self.download(url)).content
        return payload["job"], (await self.download(payload["download"]["url"])).content

    async def download(self, url: str, **headers: str) -> httpx.Response:
        """The file behind a link, which needs no token."""
        answer = await self.http.get(url, headers=headers, timeout=60, follow_redirects=True)
        assert answer.is_success, (answer.status_code, answer.text)
        return answer

    async def count(self, **leads: object) -> int:
        """The leads that match a filter, exactly, however many."""
        return sum(group["count"] for group in (await self.ask(COUNT, filter=leads))["leadGroups"])

    async def follow(self, document: str = FOLLOW, **variables: object) -> AsyncIterator[dict]:
        """The events of a subscription over WebSocket, to its end."""
        address = f"{self.url.replace('http', 'ws', 1)}/graphql"
        async with websockets.connect(address, subprotocols=[SUBPROTOCOL], max_size=None) as socket:
            await socket.send(json.dumps({"type": "connection_init", "payload": self.credentials}))
            assert json.loads(await socket.recv())["type"] == "connection_ack"
            payload = {"query": document, "variables": variables}
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            async for text in socket:
                message = json.loads(text)
                match message["type"]:
                    case "next":
                        assert "errors" not in message["payload"], message["payload"]["errors"]
                        yield message["payload"]["data"]
                    case "complete":
                        return
                    case "error":
                        raise AssertionError(message["payload"])

    async def follow_by_sse(self, document: str = FOLLOW, **variables: object) -> AsyncIterator[dict]:
        """The same over server-sent events."""
        headers = {**self.credentials, "Accept": "text/event-stream"}
        body = {"query": document, "variables": variables}
        async with self.http.stream("POST", f"{self.url}/graphql", json=body, headers=headers, timeout=60) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            event = ""
            async for line in answer.aiter_lines():
                name, _, value = line.partition(":")
                if name == "event":
                    event = value.strip()
                elif name == "data" and event == "next":
                    payload = json.loads(value)
                    assert "errors" not in payload, payload["errors"]
                    yield payload["data"]


def rows_of(data: bytes, delimiter: str = ",") -> list[list[str]]:
    """A CSV file's rows, its header first; the byte order mark is dropped."""
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def table_of(data: bytes) -> list[dict[str, str]]:
    """A CSV file's rows by header."""
    header, *rows = rows_of(data)
    return [dict(zip(header, row, strict=True)) for row in rows]


def csv_of(*rows: Mapping[str, object]) -> bytes:
    """A file of these rows, whose header is the keys of the first."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()
