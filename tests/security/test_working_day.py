"""A server through a day's work, and what its log holds in the evening (SECURITY-TESTS 11, 27)."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.acceptance.calling import SUBPROTOCOL, Caller, csv_of
from tests.conftest import SECRET, cloned
from tests.delivery.peers import MailPeer, WebhookPeer, mail_peer, webhook_peer
from tests.serving import Server
from tests.web.conftest import issued

NAME, PHONE, EMAIL = "Zyzzyva Quixote", "+12125550187", "zyzzyva@hidden.example"
ROW = {"name": NAME, "phone": PHONE, "email": EMAIL, "source": "web", "notes": "perspicacious", "address": "9 Erewhon"}
VALUES = ("zyzzyva", "quixote", "2125550187", "hidden.example", "perspicacious", "erewhon", "493827165", "umbrageous")
ADMIN = issued("ADMIN", "somebody", seconds=86_400)
IMPORTED = "query ($id: ID!) { job(id: $id) { ... on ImportJob { rows { nodes { changes { after } } } errorReport } } }"
FORGED = "forged\r\n\x1b[31mFAKE entry"


@dataclass
class Day:
    """A server that is no demo, so that nothing but its log is printed, as talkative as can be; and whom it tells."""

    server: Server
    mail: MailPeer
    hook: WebhookPeer
    secrets: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
async def day(template_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Day]:
    async with mail_peer() as mail, webhook_peer() as hook:
        with cloned(template_database) as url:
            settings = {
                "DATABASE_URL": url,
                "LEADPORT_LOG_FORMAT": "json",
                "LEADPORT_LOG_LEVEL": "debug",
                "LEADPORT_ALLOW_PRIVATE_WEBHOOKS": "true",
                "LEADPORT_SMTP_HOST": "127.0.0.1",
                "LEADPORT_SMTP_PORT": str(mail.port),
            }
            server = Server(tmp_path_factory.mktemp("day"), settings)
            try:
                assert server.run("organization", "demo").returncode == 0
                day = Day(server, mail, hook)
                async with httpx.AsyncClient(timeout=60) as http:
                    caller = Caller(server.url, ADMIN, http)
                    for part in (administer(caller, hook), work(caller), go_wrong(caller)):
                        day.secrets += await part
                    await told(day)
                yield day
            finally:
                server.stop()


async def told(day: Day) -> None:
    async with asyncio.timeout(60):
        while not (day.mail.mails and len(day.hook.requests) > 1):  # noqa: ASYNC110 - they come from elsewhere
            await asyncio.sleep(0.05)


async def work(caller: Caller) -> list[str]:
    """Imports, changes, exports, downloads, follows."""
    bad = {**ROW, "name": "", "email": f"{EMAIL}@", "phone": "x", "source": "umbrageous"}
    payload = await caller.import_file(csv_of(ROW, bad, {**ROW, "name": f"{NAME} Junior"}), notify=["a@example.com"])
    assert payload["job"]["counts"]["failed"] == 1
    await caller.ask(IMPORTED, id=payload["job"]["id"])
    lead = {"name": f"{NAME} Second", "phone": "+12125550199", "nationalId": "493827165", "source": "WEB"}
    document = "mutation ($l: LeadInput!) { createLead(input: {lead: $l}) { lead { id } userErrors { code } } }"
    assert (await caller.ask(document, l=lead))["createLead"]["userErrors"] == []
    where = {"or": [{"search": NAME}, {"email": {"contains": EMAIL}}, {"phone": {"eq": PHONE}}]}
    job, data = await caller.export({"template": "FULL", "filter": where, "unmask": True})
    assert NAME in data.decode("utf-8-sig")
    async for _ in caller.follow(id=job["id"]):
        pass
    async for _ in caller.follow("{ leads(first: 5) { nodes { name phone email } } }"):
        pass
    async for _ in caller.follow_by_sse(id=job["id"]):
        pass
    files = (await caller.ask("query ($id: ID!) { job(id: $id) { files { download { url } } } }", id=job["id"]))["job"]
    urls = [file["download"]["url"] for file in files["files"] if file["download"]]
    for url in urls:
        await caller.download(url, Range="bytes=0-9")
    return [url.rpartition("/")[2] for url in urls]


async def go_wrong(caller: Caller) -> list[str]:
    """What a day brings: refusals, damage, forgeries, values in texts that are no documents."""
    await caller.post(f'{{ leads(filter: {{name: {{eq: "{NAME}"}}}}) {{ nope }} }}')
    await caller.post(
        "query ($f: LeadFilter) { leads(filter: $f) { nodes { id } } }", {"f": {"phone": {"eq": [PHONE]}}}
    )
    await caller.post(
        "query ($f: LeadFilter) { leads(filter: $f) { nodes { id } } }", {"f": {"name": {"eq": f"{NAME}\0"}}}
    )
    await Caller(caller.url, "zyzzyva.forged.token", caller.http).post("{ viewer { role } }")
    await caller.http.get(f"{caller.url}/files/{NAME}")
    await caller.http.get(f"{caller.url}/{NAME}", params={"phone": PHONE, "token": ADMIN})
    await caller.http.post(f"{caller.url}/graphql", content=b'{"query": "' + NAME.encode(), headers=caller.credentials)
    await caller.import_file(b"%PDF-1.7 " + NAME.encode(), f"{NAME}.csv")
    await caller.import_file(b"\xff\xfe\0" + NAME.encode() * 50, "quixote.xlsx")
    made = await caller.ask(
        "mutation ($n: String!) { createUpload(input: {fileName: $n}) { upload { put { url } } } }", n=NAME
    )
    url = made["createUpload"]["upload"]["put"]["url"]
    await caller.http.put(f"{url}x", content=NAME.encode())
    headers = {**caller.credentials, "X-Organization-Id": "zyzzyva"}
    await caller.http.post(f"{caller.url}/graphql", json={"query": "{ viewer { role } }"}, headers=headers)
    await caller.http.get(f"{caller.url}/%0d%0aFAKE%1b", headers={"User-Agent": "FAKE\tentry"})
    await caller.post("{ viewer { role } }", {"x": FORGED})
    return [url.rpartition("/")[2]]


async def administer(caller: Caller, hook: WebhookPeer) -> list[str]:
    """Keys and webhooks, whose secrets are shown once; a program that shows its key in the handshake of a socket."""
    document = 'mutation { createApiKey(input: {name: "k", permissions: [LEADS_READ]}) { secret } }'
    key = (await caller.ask(document))["createApiKey"]["secret"]
    program = Caller(caller.url, key, caller.http)
    await program.ask("{ leads(first: 5) { nodes { name phone } } }")
    address = f"{caller.url.replace('http', 'ws', 1)}/graphql"
    shown = {"Authorization": f"Bearer {key}"}
    async with connect(address, subprotocols=[SUBPROTOCOL], additional_headers=shown) as socket:
        await socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
    document = """mutation ($url: String!) { saveWebhookEndpoint(input: {url: $url, events: [JOB_FINISHED]}) {
      signingSecret userErrors { code message } } }"""
    place = "/a-secret-place-that-only-the-receiver-knows"
    payload = (await caller.ask(document, url=hook.url.replace("/hook", place)))["saveWebhookEndpoint"]
    assert payload["userErrors"] == []
    return [key, payload["signingSecret"], place]


def test_s11_the_log_of_a_day_holds_no_value_no_token_and_no_secret(day: Day) -> None:
    text = day.server.output.lower()
    assert "procrastinate" in text, "it is as talkative as can be"
    assert [value for value in VALUES if value in text] == []
    for secret in (ADMIN, SECRET, *day.secrets):
        assert len(secret) > 20
        parts = {secret, secret[:30], secret[-20:]}
        assert not [part for part in parts if part.lower() in text]


def test_s27_mails_and_webhooks_of_a_day_hold_no_value(day: Day) -> None:
    said = [*map(str, day.mail.mails), *(body.decode() for _, body in day.hook.requests)]
    assert not [value for value in VALUES if value in " ".join(said).lower()]


def test_s11_every_line_of_the_log_of_a_day_is_one_entry(day: Day) -> None:
    lines = day.server.output.splitlines()
    assert not [line for line in lines if "FAKE" in line[:6] or not line.isprintable()]
    for line in lines[3:]:  # below the three of the start
        assert json.loads(line).keys() >= {"time", "level", "logger", "message"}


def test_s27_after_a_day_no_temporary_file_is_left(day: Day) -> None:
    """Files of the store aside, whose life is the organization's to set."""
    kept = day.server.data_dir / "files"
    files = [path for path in day.server.data_dir.rglob("*") if path.is_file() and kept not in path.parents]
    assert files == [day.server.log]
