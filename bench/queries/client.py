"""A small HTTP/1.1 client that keeps its connections, so that what is measured is the servers."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import orjson


@dataclass(frozen=True, slots=True)
class Call:
    """A request, ready to be sent."""

    data: bytes

    @classmethod
    def of(cls, port: int, path: str, token: str, body: object) -> "Call":
        encoded = orjson.dumps(body)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nAccept: application/json\r\nContent-Length: {len(encoded)}\r\n\r\n"
        )
        return cls(head.encode() + encoded)


class Connection:
    """One connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 22))

    async def send(self, call: Call) -> bytes:
        """The body of the answer. Raises RuntimeError for any status but 200."""
        self._writer.write(call.data)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if b"transfer-encoding: chunked" in head:
            body = await self._chunks()
        else:
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            body = await self._reader.readexactly(length)
        if not head.startswith(b"http/1.1 200"):
            raise RuntimeError(body[:2000].decode(errors="replace"))
        return body

    async def _chunks(self) -> bytes:
        parts = list[bytes]()
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            parts.append((await self._reader.readexactly(size + 2))[:-2])
        await self._reader.readexactly(2)
        return b"".join(parts)

    def close(self) -> None:
        self._writer.close()


async def load(connections: Sequence[Connection], call: Call, count: int) -> tuple[float, list[float]]:
    """Seconds that `count` requests took over these connections, and those of each request."""
    left, times = count, list[float]()

    async def work(connection: Connection) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            began = time.perf_counter()
            await connection.send(call)
            times.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*map(work, connections))
    return time.perf_counter() - began, times
