"""From the snapshot to the store: COPY's rows become a file, packed, piece by piece, and are counted at both ends."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from db.connections import Connection
from db.copy_out import copy_out
from db.export_copy import Copy
from domain.errors import JobFailed
from domain.vocabulary import JobFailureCode
from storage.store import Writer
from transfer.write_file import RowWriter

Write = Callable[[Callable[[], bytes]], Awaitable[None]]
_UNCHANGED: Final[Callable[[bytes], bytes]] = bytes


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where a file's bytes go: through `pack` into `target`."""

    target: Writer
    pack: Callable[[bytes], bytes]

    async def write(self, thread: Executor, make: Callable[[], bytes]) -> None:
        """Make bytes, pack and store them; making and packing go on beside the loop. Raises StorageUnavailable."""
        packed = await asyncio.get_running_loop().run_in_executor(thread, lambda: self.pack(make()))
        if packed:
            await self.target.write(packed)


@dataclass(frozen=True, slots=True)
class Stream:
    """One file: what is copied, in order, and what makes the file of it. `rows` is what the snapshot counts."""

    copies: Sequence[Copy]
    writer: RowWriter
    rows: int
    reveal: Callable[[bytes], bytes] = _UNCHANGED


async def write_stream(connection: Connection, stream: Stream, outlet: Outlet, report: Callable[[int], None]) -> None:
    """Write the file; `report` hears of the rows so far and may raise to end it.

    Raises JobFailed where what was written is not what was counted, StorageUnavailable, asyncpg.PostgresError.
    """
    writer, copied = stream.writer, 0
    with ThreadPoolExecutor(1) as thread:  # one of its own: each thread that makes a piece keeps memory for the next
        await outlet.write(thread, writer.start)
        async with _Relay(stream, lambda make: outlet.write(thread, make), report) as relay:
            for copy in stream.copies:
                copied += await copy_out(connection, copy.statement, copy.options, relay.take)
        await outlet.write(thread, writer.finish)
    report(writer.rows)
    if not copied == writer.rows == stream.rows:
        message = f"{stream.rows} rows were counted, {copied} read and {writer.rows} written."
        raise JobFailed(JobFailureCode.INTERNAL, message, retryable=True)


class _Relay:
    """Works on one piece while the next one is read: never more than two are held."""

    def __init__(self, stream: Stream, write: Write, report: Callable[[int], None]) -> None:
        self._stream = stream
        self._write = write
        self._report = report
        self._busy: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await self._settle()
        elif self._busy is not None:
            self._busy.cancel()
            await asyncio.gather(self._busy, return_exceptions=True)

    async def take(self, data: bytes) -> None:
        """Take a piece of whole rows. Raises what the work on the one before raised."""
        self._report(self._stream.writer.rows)
        await self._settle()
        self._busy = asyncio.create_task(self._work(data))

    async def _settle(self) -> None:
        busy, self._busy = self._busy, None
        if busy is not None:
            await busy

    async def _work(self, data: bytes) -> None:
        await self._write(lambda: self._stream.writer.feed(self._stream.reveal(data)))
