"""A relay before a server that can cut, freeze and slow its connections, and lose what the server answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from psycopg.conninfo import conninfo_to_dict, make_conninfo

COMMIT = b"commit"
Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@dataclass
class Relay:
    """`delay`: seconds that each piece takes. Whoever sends a commit while `lose` is above 0 gets no answer to it."""

    port: int = 0
    delay: float = 0.0
    lose: int = 0
    lost: int = 0
    accepted: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)
    writers: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    def freeze(self) -> None:
        """Keep the connections and let nothing through."""
        self.open.clear()

    def thaw(self) -> None:
        self.open.set()

    def cut(self) -> None:
        """End every connection."""
        for writer in list(self.writers):
            writer.transport.abort()

    async def carry(self, pair: tuple[asyncio.StreamReader, asyncio.StreamWriter], back: asyncio.StreamWriter | None):
        """One direction; `back`, where given, is the sender's own side."""
        reader, writer = pair
        self.writers.add(writer)
        try:
            while data := await reader.read(1 << 16):
                await self.open.wait()
                await asyncio.sleep(self.delay)
                writer.write(data)
                if back is not None and self.lose and COMMIT in data.lower():
                    self.lose -= 1
                    self.lost += 1
                    back.transport.abort()
                await writer.drain()
        except OSError:
            pass
        finally:
            self.writers.discard(writer)
            with suppress(OSError):
                writer.close()


@asynccontextmanager
async def relay_to(connect: Connect) -> AsyncIterator[Relay]:
    """A relay on a free port of the loopback; `connect()` opens a connection to the server."""
    relay = Relay()
    relay.thaw()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relay.accepted += 1
        try:
            upstream, downstream = await connect()
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(relay.carry((reader, downstream), writer), relay.carry((upstream, writer), None))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        relay.thaw()
        relay.cut()


@asynccontextmanager
async def postgres_relay(dsn: str) -> AsyncIterator[tuple[Relay, str]]:
    """A relay before the PostgreSQL of an address, and the address through it."""
    parts = conninfo_to_dict(dsn)
    path = f"{parts['host']}/.s.PGSQL.{parts['port']}"
    async with relay_to(lambda: asyncio.open_unix_connection(path)) as relay:
        yield relay, make_conninfo(dsn, host="127.0.0.1", port=relay.port)
