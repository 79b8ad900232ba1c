"""F2: the server is killed with uploads, downloads and sockets open, and started again where it was."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import websockets

from tests.acceptance.calling import IMPORT, UPLOAD, Caller, rows_of
from tests.acceptance.conftest import token_of
from tests.serving import SECRET_KEYS, Server, clean_environment, demo_folder, run_command

ROWS = 10_000
BROKEN = (httpx.TransportError, websockets.WebSocketException, OSError)
ACTS = """{ activity(first: 100) { nodes { action job { id } } } }"""


@dataclass
class Mortal:
    """A server that is killed and comes back on another port."""

    folder: Path
    environment: dict[str, str]
    server: Server
    http: httpx.AsyncClient

    @property
    def caller(self) -> Caller:
        return Caller(self.server.url, token_of("acme", "ADMIN"), self.http)

    def kill(self) -> None:
        self.server.kill()

    async def rise(self) -> None:
        self.server.log.rename(self.folder / "killed.log")  # the address is read from what it prints
        self.server = await asyncio.to_thread(Server, self.folder, self.environment)

    def here(self, url: str) -> str:
        """A link that was given out before, at the server that is up now."""
        return self.server.url + urlsplit(url).path


@pytest.fixture
def folder() -> Iterator[Path]:
    with demo_folder() as folder:
        yield folder


@pytest.fixture
async def mortal(folder: Path, database_url: str) -> AsyncIterator[Mortal]:
    environment = {"DATABASE_URL": database_url, "LEADPORT_SECRET_KEYS": SECRET_KEYS}
    made = run_command(folder, {**clean_environment(), **environment}, "organization", "acme", "--country", "FR")
    assert made.returncode == 0, made.stderr
    async with httpx.AsyncClient() as http:
        mortal = Mortal(folder, environment, Server(folder, environment), http)
        yield mortal
        mortal.server.stop()


def rows(first: int) -> bytes:
    lines = (f"Lead {n},+336{n:08d},web\n" for n in range(first, first + ROWS))
    return ("name,phone,source\n" + "".join(lines)).encode()


async def follow(caller: Caller, job: str, into: list[dict]) -> None:
    with suppress(*BROKEN):
        async for event in caller.follow(id=job):
            into.append(event["job"])  # noqa: PERF401 - what came before the socket broke counts


async def half_an_upload(
    caller: Caller, put: dict, data: bytes, begun: asyncio.Event, *, rest: asyncio.Event
) -> int | None:
    """Send the first half and wait; the status, None where the connection broke."""

    async def halting() -> AsyncIterator[bytes]:
        yield data[: len(data) // 2]
        begun.set()
        await rest.wait()
        yield data[len(data) // 2 :]

    with suppress(*BROKEN):
        answer = await caller.http.put(put["url"], content=halting(), timeout=600)
        return answer.status_code
    return None


async def half_a_download(caller: Caller, url: str, begun: asyncio.Event, *, rest: asyncio.Event) -> int:
    """Take the first piece and wait; the bytes that came until the connection broke or the file ended."""
    taken = 0
    with suppress(*BROKEN):
        async with caller.http.stream("GET", url, timeout=600) as answer:
            async for piece in answer.aiter_raw(1 << 12):
                taken += len(piece)
                begun.set()
                await rest.wait()
    return taken


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.chaos) for seed in range(1, 8))])
async def test_f2_a_server_killed_with_everything_open_loses_nothing_that_it_acknowledged(mortal: Mortal, seed: int):
    caller, chance = mortal.caller, random.Random(seed)
    before = await caller.import_file(rows(0))
    assert before["job"]["counts"]["created"] == ROWS
    exported, data = await caller.export({"template": "LEADS"})
    (link,) = [file["download"]["url"] for file in (await caller.ended(exported["id"]))["files"]
               if file["role"] == "DATA"]  # fmt: skip

    upload = (await caller.ask(UPLOAD, name="half.csv"))["createUpload"]["upload"]
    sending, taking, rest = asyncio.Event(), asyncio.Event(), asyncio.Event()
    half = asyncio.create_task(half_an_upload(caller, upload["put"], rows(2 * ROWS), sending, rest=rest))
    download = asyncio.create_task(half_a_download(caller, link, taking, rest=rest))
    source = {"uploadId": await caller.upload(rows(ROWS))}
    job = (await caller.ask(IMPORT, input={"source": source}))["importLeads"]["job"]["id"]
    seen: list[dict] = []
    following = asyncio.create_task(follow(caller, job, seen))
    await asyncio.wait_for(asyncio.gather(sending.wait(), taking.wait()), 60)
    await until_seen(seen)
    await asyncio.sleep(chance.uniform(0, 0.6))
    mortal.kill()
    rest.set()
    _, status, _ = await asyncio.wait_for(asyncio.gather(following, half, download), 60)
    assert status is None, "an upload that was cut off is not acknowledged"

    await mortal.rise()
    caller = mortal.caller
    async with asyncio.timeout(120):
        again = [event["job"] async for event in caller.follow(id=job)]
    revisions = [event["revision"] for event in (*seen, *again)]
    assert revisions == sorted(revisions)
    assert (again[0]["type"], again[-1]["job"]["state"]) == ("SNAPSHOT", "COMPLETED")
    imported = await caller.ended(job)
    assert imported["counts"] | {"created": 0} == dict.fromkeys(imported["counts"], 0)
    assert imported["counts"]["created"] == imported["totalRows"] == ROWS
    assert await caller.count() == 2 * ROWS

    whole = (await caller.download(mortal.here(link))).content
    assert hashlib.sha256(whole).hexdigest() == exported["file"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert len(rows_of(whole)) == ROWS + 1
    put = {**upload["put"], "url": mortal.here(upload["put"]["url"])}
    assert (await caller.put(put, rows(2 * ROWS))).status_code == 201
    third = await caller.ask(IMPORT, input={"source": {"uploadId": upload["id"]}, "waitSeconds": 30})
    assert (await caller.ended(third["importLeads"]["job"]["id"]))["counts"]["created"] == ROWS
    acts = [
        act["action"] for act in (await caller.ask(ACTS))["activity"]["nodes"] if act["job"] and act["job"]["id"] == job
    ]
    assert sorted(acts) == ["IMPORT_FINISHED", "IMPORT_STARTED"], "one entry an act (I10)"


async def until_seen(events: list[dict]) -> None:
    """The import is under way."""
    async with asyncio.timeout(60):
        while not any(event["job"]["progress"]["processed"] for event in events):  # noqa: ASYNC110 - another process's
            await asyncio.sleep(0.02)
