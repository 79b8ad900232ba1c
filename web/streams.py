"""Subscriptions over HTTP: graphql-sse's distinct connections, and multipart/mixed with heartbeats."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from resolvers.encoding import encode
from web.engine import Answer

__all__ = ["EXPIRED", "Leave", "as_events", "as_parts"]

_HEARTBEAT_SECONDS: Final = 12.0
EXPIRED: Final[Answer] = {
    "errors": [{"message": "The credential has expired.", "extensions": {"code": "UNAUTHENTICATED"}}]
}


@dataclass(frozen=True, slots=True)
class Leave:
    """How long a caller may listen: until a moment in seconds since the epoch, and while their credential is good."""

    until: float | None
    good: Callable[[], Awaitable[bool]]


async def as_events(answers: AsyncGenerator[Answer], leave: Leave) -> AsyncGenerator[bytes]:
    """`next` events and a `complete`, with comments in between so that a lost connection is noticed."""
    yield b":\n\n"
    async with aclosing(_paced(answers, leave)) as paced:
        async for answer in paced:
            yield b":\n\n" if answer is None else b"event: next\ndata: " + encode(answer) + b"\n\n"
    yield b"event: complete\ndata:\n\n"


async def as_parts(answers: AsyncGenerator[Answer], leave: Leave) -> AsyncGenerator[bytes]:
    """Parts of `{"payload": …}`, `{}` as heartbeat."""
    yield b"--graphql"
    async with aclosing(_paced(answers, leave)) as paced:
        async for answer in paced:
            body = b"{}" if answer is None else encode({"payload": answer})
            yield b"\r\nContent-Type: application/json\r\n\r\n" + body + b"\r\n--graphql"
    yield b"--\r\n"


async def _paced(answers: AsyncGenerator[Answer], leave: Leave) -> AsyncGenerator[Answer | None]:
    """The answers, None whenever none has come for a while, and an error once the credential has ended."""
    pending: asyncio.Task[Answer] | None = None
    asked = time.monotonic()
    try:
        while True:
            left = _HEARTBEAT_SECONDS if leave.until is None else leave.until - time.time()
            if time.monotonic() - asked >= _HEARTBEAT_SECONDS:
                left, asked = left if await leave.good() else 0.0, time.monotonic()
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
