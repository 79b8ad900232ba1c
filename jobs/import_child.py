"""The parsing child as the worker sees it: a process that turns a file into blocks, and may die alone."""

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from domain.errors import JobFailed
from domain.vocabulary import JobFailureCode
from transfer.messages import (
    CHILD_MODULE,
    ChildRequest,
    Done,
    Failed,
    Message,
    Opened,
    decode,
    encode_request,
    frame_length,
)

__all__ = ["Messages", "open_file", "parsing"]

_ROOT: Final = Path(__file__).resolve().parents[1]
_READ_AHEAD: Final = 4 << 20
"""Bytes of blocks that wait here while the database is busy."""
_HEAD: Final = 4
_STOPPED: Final = frozenset({-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP})
"""Ends that somebody else caused: the machine ran out of memory, or is going down."""


class Messages(AsyncIterator[Message]):
    """What a child says, in its order."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._messages = _messages(process)

    async def __anext__(self) -> Message:
        """The next message. Raises JobFailed for `Failed`, and where the child died."""
        return await anext(self._messages)

    def count_only(self) -> None:
        """Have the child read on to the end without judging: what still comes is `Done` and blocks on their way."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGUSR1)


@asynccontextmanager
async def parsing(request: ChildRequest) -> AsyncGenerator[Messages]:
    """The child's messages in their order; `Failed` is raised as JobFailed. The child is gone when the block ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", CHILD_MODULE, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd=_ROOT, limit=_READ_AHEAD
    )
    try:
        await _send(process, encode_request(request))
        yield Messages(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def open_file(request: ChildRequest) -> Opened:
    """How the file is written and mapped. Raises JobFailed where it cannot be read."""
    async with parsing(request) as messages:
        async for message in messages:
            if isinstance(message, Opened):
                return message
    raise _unreadable()


async def _send(process: Process, data: bytes) -> None:
    if process.stdin is None:
        raise AssertionError
    try:
        process.stdin.write(data)
        await process.stdin.drain()
        process.stdin.close()
    except (ConnectionError, RuntimeError):  # the latter is uvloop's word for a pipe that is closed
        return  # it has ended: what it wrote before says why


async def _messages(process: Process) -> AsyncIterator[Message]:
    while True:
        message = await _next(process)
        if message is None:
            raise await _crashed(process)
        if isinstance(message, Failed):
            passing = message.code is JobFailureCode.STORAGE_UNAVAILABLE
            raise JobFailed(message.code, message.message, retryable=passing)
        yield message
        if isinstance(message, Done):
            return


async def _next(process: Process) -> Message | None:
    if process.stdout is None:
        raise AssertionError
    try:
        head = await process.stdout.readexactly(_HEAD)
        return decode(await process.stdout.readexactly(frame_length(head)))
    except asyncio.IncompleteReadError:
        return None


async def _crashed(process: Process) -> JobFailed:
    """Another try may help where the child was stopped from outside; a file that breaks its reader breaks it again."""
    return _unreadable(retryable=await process.wait() in _STOPPED)


def _unreadable(*, retryable: bool = False) -> JobFailed:
    message = "The file could not be read: its reader gave up, as with a damaged or hostile file."
    return JobFailed(JobFailureCode.UNREADABLE_FILE, message, retryable=retryable)
