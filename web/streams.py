"""Subscriptions over HTTP: graphql-sse's distinct connections, and multipart/mixed with heartbeats."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from resolvers.encoding import encode
from web.engine import Answer

__all__ = ["EXPIRED", "as_events", "as_parts"]

_HEARTBEAT_SECONDS: Final = 12.0
EXPIRED: Final[Answer] = {
    "errors": [{"message": "The credential has expired.", "extensions": {"code": "UNAUTHENTICATED"}}]
}


async def as_events(answers: AsyncGenerator[Answer], expires_at: float | None) -> AsyncGenerator[bytes]:
    """`next` events and a `complete`, with comments in between so that a lost connection is noticed.

    `expires_at`: when the caller's credential ends, in seconds since the epoch.
    """
    yield b":\n\n"
    async with aclosing(_paced(answers, expires_at)) as paced:
        async for answer in paced:
            yield b":\n\n" if answer is None else b"event: next\ndata: " + encode(answer) + b"\n\n"
    yield b"event: complete\ndata:\n\n"


async def as_parts(answers: AsyncGenerator[Answer], expires_at: float | None) -> AsyncGenerator[bytes]:
    """Parts of `{"payload": …}`, `{}` as heartbeat."""
    yield b"--graphql"
    async with aclosing(_paced(answers, expires_at)) as paced:
        async for answer in paced:
            body = b"{}" if answer is None else encode({"payload": answer})
            yield b"\r\nContent-Type: application/json\r\n\r\n" + body + b"\r\n--graphql"
    yield b"--\r\n"


async def _paced(answers: AsyncGenerator[Answer], expires_at: float | None) -> AsyncGenerator[Answer | None]:
    """The answers, None whenever none has come for a while, and an error once the credential has ended."""
    pending: asyncio.Task[Answer] | None = None
    try:
        while True:
            left = _HEARTBEAT_SECONDS if expires_at is None else expires_at - time.time()
            if left <= 0:
                yield EXPIRED
                return
            pending = pending or asyncio.create_task(_next(answers))
            done, _ = await asyncio.wait({pending}, timeout=min(left, _HEARTBEAT_SECONDS))
            if not done:
                yield None
                continue
            finished, pending = pending, None
            if isinstance(finished.exception(), StopAsyncIteration):
                return
            yield finished.result()
    finally:
        if pending is not None:
            pending.cancel()
            await asyncio.wait({pending})
        await answers.aclose()


async def _next(answers: AsyncGenerator[Answer]) -> Answer:
    return await anext(answers)
