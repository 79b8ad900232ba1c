"""From the snapshot to the store: COPY's rows become a file, packed, piece by piece, and are counted at both ends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from db.connections import Connection
from db.copy_out import copy_out
from db.export_copy import Copy
from domain.errors import JobFailed
from domain.vocabulary import JobFailureCode
from storage.store import Writer
from transfer.write_file import RowWriter

_UNCHANGED: Final[Callable[[bytes], bytes]] = bytes


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where a file's bytes go: through `pack` into `target`."""

    target: Writer
    pack: Callable[[bytes], bytes]

    async def write(self, data: bytes) -> None:
        """Pack and store. Raises StorageUnavailable."""
        packed = self.pack(data)
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
    writer = stream.writer

    async def take(data: bytes) -> None:
        report(writer.rows)
        await outlet.write(writer.feed(stream.reveal(data)))

    await outlet.write(writer.start())
    copied = sum([await copy_out(connection, copy.statement, copy.options, take) for copy in stream.copies])
    await outlet.write(writer.finish())
    report(writer.rows)
    if not copied == writer.rows == stream.rows:
        message = f"{stream.rows} rows were counted, {copied} read and {writer.rows} written."
        raise JobFailed(JobFailureCode.INTERNAL, message, retryable=True)
