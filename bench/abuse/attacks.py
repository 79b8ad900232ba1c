"""What callers send who mean no good: each attack once, over HTTP or a socket, against a running server."""

import asyncio
import gzip
import io
import json
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

JSON = {"Content-Type": "application/json"}
SEARCH = "query ($f: LeadFilter) { leads(first: 5, filter: $f) { nodes { id } } }"
PART = "mutation ($file: Upload!) { importLeads(input: {source: {file: $file}}) { userErrors { code } } }"
UPLOAD = "mutation ($n: String!) { createUpload(input: {fileName: $n}) { upload { id put { url } } } }"
IMPORT = """mutation ($id: ID!) { importLeads(input: {source: {uploadId: $id}, waitSeconds: 30, allowSameFile: true,
  options: {required: []}}) { job { state failure { code } } userErrors { code message } } }"""


@dataclass(frozen=True)
class Target:
    """A server, and somebody's token there."""

    url: str
    token: str
    http: httpx.AsyncClient

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def ask(self, query: str, **variables: object) -> httpx.Response:
        return await self.send(json.dumps({"query": query, "variables": variables}).encode())

    async def send(self, content: bytes | AsyncIterator[bytes], headers: Mapping[str, str] = JSON) -> httpx.Response:
        given = {**self.headers, **headers}
        return await self.http.post(f"{self.url}/graphql", content=content, headers=given, timeout=90)

    async def import_file(self, data: bytes, name: str) -> httpx.Response:
        upload = (await self.ask(UPLOAD, n=name)).json()["data"]["createUpload"]["upload"]
        await self.http.put(upload["put"]["url"], content=data, timeout=90)
        return await self.ask(IMPORT, id=upload["id"])


Attack = Callable[[Target], Awaitable[str]]
"""Gives what the server answered, in short."""


def _said(answer: httpx.Response) -> str:
    body = answer.json()
    errors = body.get("errors")
    if errors:
        return f"{answer.status_code} {errors[0]['extensions']['code']}"
    payload = next(iter(body["data"].values()), None)
    if isinstance(payload, dict) and payload.get("userErrors"):
        return f"{answer.status_code} {payload['userErrors'][0]['code']}"
    job = payload.get("job") if isinstance(payload, dict) else None
    if job:
        return f"{answer.status_code} {job['state']} {(job['failure'] or {}).get('code', '')}".strip()
    return f"{answer.status_code}"


def _asking(query: str, **variables: object) -> Attack:
    async def attack(target: Target) -> str:
        return _said(await target.ask(query, **variables))

    return attack


def _sending(content: bytes, headers: Mapping[str, str] = JSON) -> Attack:
    async def attack(target: Target) -> str:
        return _said(await target.send(content, headers))

    return attack


def _importing(make: Callable[[], bytes], name: str) -> Attack:
    made = cache(make)

    async def attack(target: Target) -> str:
        return _said(await target.import_file(made(), name))

    return attack


async def _chunked(target: Target) -> str:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b" " * 65_536

    return _said(await target.send(chunks()))


async def _dripping(target: Target) -> str:
    """Twenty bodies that announce a kilobyte and send a byte a second."""
    place = urlsplit(target.url)
    named = (f"Host: {place.netloc}", "Content-Type: application/json", "Content-Length: 1000")
    head = "\r\n".join(("POST /graphql HTTP/1.1", *named, "", ""))
    streams = [await asyncio.open_connection(place.hostname, place.port) for _ in range(20)]
    for sent in (head, " ", " "):
        for _, writer in streams:
            writer.write(sent.encode())
        await asyncio.sleep(1)
    for _, writer in streams:
        writer.close()
    return "held"


async def _silent_sockets(target: Target) -> str:
    """A hundred sockets that never say who they are."""
    address = f"{target.url.replace('http', 'ws', 1)}/graphql"
    sockets = [await connect(address, subprotocols=["graphql-transport-ws"]) for _ in range(100)]
    for socket in sockets:
        await socket.close()
    return "held"


async def _many_subscriptions(target: Target) -> str:
    address = f"{target.url.replace('http', 'ws', 1)}/graphql"
    async with connect(address, subprotocols=["graphql-transport-ws"]) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": target.headers}))
        await socket.recv()
        payload = {"query": "subscription { jobs { revision } }"}
        try:
            for number in range(200):
                await socket.send(json.dumps({"type": "subscribe", "id": str(number), "payload": payload}))
            while True:
                await asyncio.wait_for(socket.recv(), 30)
        except ConnectionClosed as closed:
            return f"closed {closed.rcvd.code if closed.rcvd else ''}"


async def _large_frame(target: Target) -> str:
    address = f"{target.url.replace('http', 'ws', 1)}/graphql"
    async with connect(address, subprotocols=["graphql-transport-ws"]) as socket:
        try:
            await socket.send("x" * ((1 << 20) + 1))
            await asyncio.wait_for(socket.recv(), 30)
        except ConnectionClosed as closed:
            return f"closed {closed.rcvd.code if closed.rcvd else ''}"
    return "open"


def _bomb(levels: int) -> str:
    spreads = " ".join(f"fragment f{n} on Lead {{ ...f{n + 1} ...f{n + 1} }}" for n in range(levels))
    return f"{{ leads(first: 1) {{ nodes {{ ...f0 }} }} }} {spreads} fragment f{levels} on Lead {{ id }}"


def _nested(levels: int) -> bytes:
    """A request whose filter is nested as deeply."""
    where = '{"not": {"and": [' * levels + '{"score": {"gt": 1}}' + "]}}" * levels
    return f'{{"query": {json.dumps(SEARCH)}, "variables": {{"f": {where}}}}}'.encode()


def _multipart(places: str) -> bytes:
    operations = json.dumps({"query": PART, "variables": {"file": None}})
    parts = {"operations": operations, "map": places, "0": "name\nAda\n"}
    head = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    body = "".join(head.format(name, text) for name, text in parts.items())
    return f"{body}--x--\r\n".encode()


def _sparse() -> bytes:
    """A workbook of two cells, at the two ends of a sheet."""
    cells = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    return _workbook(f'<worksheet xmlns="{_SHEET}"><sheetData>{cells}</sheetData></worksheet>'.encode())


def _workbook(sheet: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("_rels/.rels", _RELS.format(f"{_OFFICE}/officeDocument", "xl/workbook.xml"))
        archive.writestr("xl/workbook.xml", _BOOK)
        archive.writestr("xl/_rels/workbook.xml.rels", _RELS.format(f"{_OFFICE}/worksheet", "worksheets/sheet1.xml"))
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
    return out.getvalue()


_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_RELS = (
    f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" Type="{{}}" Target="{{}}"/></Relationships>'
)
_SHEETS = '<sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets>'
_BOOK = f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}">{_SHEETS}</workbook>'
_TYPES = (
    f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>'
)
_FORM = {"Content-Type": "multipart/form-data; boundary=x", "GraphQL-Preflight": "1"}
_DIGITS = b'{"query": "query ($n: Int) { __typename }", "variables": {"n": ' + b"9" * 100_000 + b"}}"
_NOTES = "query ($n: Int) { leads(first: $n) { nodes { notes(first: 200) { nodes { id text } } } } }"

ATTACKS: Mapping[str, Attack] = {
    "1 a fragment bomb of 30 levels": _asking(_bomb(30)),
    "2 20,000 aliases": _asking("{ " + " ".join(f"a{n}: __typename" for n in range(20_000)) + " }"),
    "2 5,000 directives": _asking("{ __typename " + "@include(if: true) " * 5_000 + "}"),
    "2 a name of 1 MiB": _asking("{ " + "n" * (1 << 20) + " }"),
    "2 5,000 levels": _asking("{ " * 5_000 + "}" * 5_000),
    "2 a field repeated 900 times": _asking("{ leads(first: 1) { nodes { " + "id " * 900 + "} } }"),
    "3 the notes of 1,000,000 leads": _asking(_NOTES, n=1_000_000),
    "4 a body of 8 MiB": _sending(b'{"query": "' + b"x" * (8 << 20)),
    "4 13 MiB without a length": _chunked,
    "4 20 bodies of a byte a second": _dripping,
    "5 JSON of 100,000 levels": _sending(b"[" * 100_000),
    "5 a number of 100,000 digits": _sending(_DIGITS),
    "5 a map that leads into __proto__": _sending(_multipart('{"0": ["variables.__proto__.file"]}'), _FORM),
    "6 a filter of 500 levels": _sending(_nested(250)),
    "6 10,000 conditions": _asking(SEARCH, f={"or": [{"score": {"gt": n}} for n in range(10_000)]}),
    "10 100 sockets that say nothing": _silent_sockets,
    "10 200 subscriptions in a socket": _many_subscriptions,
    "10 a frame over 1 MiB": _large_frame,
    "13 a search of 100,000 characters": _asking(SEARCH, f={"search": "a%_\\" * 25_000}),
    "13 50,000 ids": _asking(SEARCH, f={"id": {"in": [f"lead_{n}" for n in range(50_000)]}}),
    "20 a program called leads.csv": _importing(lambda: b"MZ\x90\0\x03\0\0\0" * 1_000, "leads.csv"),
    "21 gzip of more than 1 GiB": _importing(lambda: gzip.compress(b"a,b\n" * (16 << 20)) * 17, "leads.csv.gz"),
    "21 a workbook whose cells are far apart": _importing(_sparse, "leads.xlsx"),
    "21 a workbook of 300 MB of zeros": _importing(lambda: _workbook(b"\0" * (300 << 20)), "leads.xlsx"),
    "22 a line of 64 MiB": _importing(lambda: b"name\n" + b"x" * (64 << 20), "leads.csv"),
    "22 a row of 100,000 columns": _importing(lambda: b"name\n" + b"," * 100_000, "leads.csv"),
    "22 a quote that is never closed": _importing(lambda: b'name,b\n"' + b"x,y\n" * (1 << 20), "leads.csv"),
}
