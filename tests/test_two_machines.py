"""Web and worker processes with folders of their own share nothing but PostgreSQL and an object store."""

import asyncio
import itertools
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import psutil

from tests.acceptance.calling import IMPORT, Caller, rows_of
from tests.acceptance.conftest import token_of
from tests.object_store import seaweed
from tests.serving import REPOSITORY, SECRET_KEYS, Server, clean_environment, demo_folder, run_command

ROWS = 20_000
ONE_REQUEST_A_CONNECTION = httpx.Limits(max_keepalive_connections=0)


class Balancer:
    """One port before several servers, each connection to the next of them."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.backends: list[tuple[str, int]] = []
        self.connections: list[int] = []
        self._turns = itertools.count()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        turn = next(self._turns) % len(self.backends)
        self.connections.append(turn)
        upstream, downstream = await asyncio.open_connection(*self.backends[turn])
        await asyncio.gather(_pipe(reader, downstream), _pipe(upstream, writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@asynccontextmanager
async def balanced() -> AsyncIterator[Balancer]:
    balancer = Balancer(0)
    server = await asyncio.start_server(balancer.accept, "127.0.0.1", 0)
    balancer.port = server.sockets[0].getsockname()[1]
    try:
        yield balancer
    finally:
        server.close()


@contextmanager
def worker(folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    folder.mkdir(parents=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "server.py", "worker", "--data-dir", str(folder)],
            cwd=REPOSITORY,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(40)


def listening(server: Server) -> tuple[str, int]:
    """Where the process listens; what it prints is where callers reach it, which is the balancer."""
    (address,) = {
        connection.laddr
        for connection in psutil.Process(server.process.pid).net_connections("tcp")
        if connection.status == "LISTEN"
    }
    return address.ip, address.port


@asynccontextmanager
async def installation(database_url: str) -> AsyncIterator[tuple[Balancer, Caller]]:
    """Two web and three worker processes, one database, one object store, and an administrator of `acme`."""
    with ExitStack() as stack:
        store, folder = stack.enter_context(seaweed()), stack.enter_context(demo_folder())
        async with balanced() as balancer, httpx.AsyncClient(limits=ONE_REQUEST_A_CONNECTION) as http:
            environment = {
                "DATABASE_URL": database_url,
                "LEADPORT_SECRET_KEYS": SECRET_KEYS,
                "LEADPORT_STORAGE_URL": store.url,
                "LEADPORT_STORAGE_OPTIONS": json.dumps(store.options),
                "LEADPORT_PUBLIC_URL": balancer.url,
                "LEADPORT_WORKER": "false",
            }
            whole = {**clean_environment(), **environment}
            made = run_command(folder / "commands", whole, "organization", "acme", "--country", "FR")
            assert made.returncode == 0, made.stderr
            for number in range(2):
                server = Server(folder / f"web-{number}", environment)
                stack.callback(server.stop)
                balancer.backends.append(listening(server))
            for number in range(3):
                stack.enter_context(worker(folder / f"worker-{number}", whole))
            yield balancer, Caller(balancer.url, token_of("acme", "ADMIN"), http)


async def test_two_web_and_three_worker_processes_are_one_server(database_url: str) -> None:
    async with installation(database_url) as (balancer, caller):
        file = "name,phone,source\n" + "".join(f"Lead {n},+336{n:08d},web\n" for n in range(ROWS))
        upload = await caller.upload(file.encode())
        payload = (await caller.ask(IMPORT, input={"source": {"uploadId": upload}}))["importLeads"]
        assert payload["userErrors"] == []
        events = [event["job"] async for event in caller.follow(id=payload["job"]["id"])]
        job, data = await caller.export({"template": "LEADS", "filter": {"source": {"eq": "WEB"}}})

        assert events[0]["type"] == "SNAPSHOT"
        assert events[-1]["job"]["state"] == "COMPLETED"
        assert [event["revision"] for event in events] == sorted({event["revision"] for event in events})
        assert job["rowCount"] == ROWS
        assert len(rows_of(data)) == ROWS + 1
        assert set(balancer.connections) == {0, 1}
