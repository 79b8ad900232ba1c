"""COPY from a query to whoever takes the bytes, as fast as they take them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from db.connections import Connection
from db.export_query import Statement

__all__ = ["CopyOptions", "Sink", "copy_out"]

Sink = Callable[[bytes], Awaitable[None]]
_BATCH_BYTES: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """How COPY separates and quotes (format csv); `force_quote` quotes these columns of the query wherever not null."""

    delimiter: str = ","
    quote: str = '"'
    force_quote: tuple[str, ...] = ()


async def copy_out(connection: Connection, statement: Statement, options: CopyOptions, sink: Sink) -> int:
    """The number of rows copied. `sink` gets whole rows, many at a time; what it raises ends the COPY.

    Raises asyncpg.PostgresError.
    """
    batch = _Batch(sink)
    tag = await connection.copy_from_query(
        statement.sql,
        *statement.arguments,
        output=batch.take,
        format="csv",
        encoding="utf8",
        delimiter=options.delimiter,
        quote=options.quote,
        force_quote=list(options.force_quote) or None,
    )
    await batch.flush()
    return int(tag.rpartition(" ")[2])


class _Batch:
    """Gathers rows, so that what follows is done for many at once."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._pieces: list[bytes] = []
        self._bytes = 0

    async def take(self, data: bytes) -> None:
        self._pieces.append(data)
        self._bytes += len(data)
        if self._bytes >= _BATCH_BYTES:
            await self.flush()

    async def flush(self) -> None:
        if self._pieces:
            pieces, self._pieces, self._bytes = self._pieces, [], 0
            await self._sink(b"".join(pieces))
