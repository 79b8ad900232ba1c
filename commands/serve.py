"""Runs the web application and, unless told otherwise, a worker in one process, and stops both on a signal."""

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from jobs.worker import Worker

__all__ = ["Listening", "listen", "serve_until_signalled", "work_until_signalled"]

_BACKLOG: Final = 2048
_KEEP_ALIVE_SECONDS: Final = 75
_LONGEST_WEBSOCKET_FRAME: Final = 1 << 20
_GRACE_SECONDS: Final = 20
"""How long requests may go on after a signal."""
_YOUNGEST: Final = 10_000
"""Objects until the collector of reference cycles looks at them: a page of leads alone is half of Python's 700."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """An open socket, and what goes with it; `trusted_proxies` may send X-Forwarded headers."""

    socket: socket.socket
    trusted_proxies: str

    @property
    def address(self) -> str:
        """`http://127.0.0.1:8000`, with the port that was really taken."""
        host, port = self.socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, port 0 taking a free one. Raises OSError."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise OSError(f"LEADPORT_HOST: {host} is no address to listen at ({error.strerror})") from error
    return socket.create_server(address[:2], family=family, backlog=_BACKLOG)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers, which would end the process before the worker has drained."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def serve_until_signalled(application: ASGIApp, listening: Listening, worker: Worker | None = None) -> None:
    """Serve until SIGINT or SIGTERM; the first lets requests and jobs finish, a second one does not."""
    config = uvicorn.Config(
        application,
        ws="websockets-sansio",
        ws_max_size=_LONGEST_WEBSOCKET_FRAME,
        lifespan="on",
        access_log=False,
        log_config=None,
        proxy_headers=True,
        forwarded_allow_ips=listening.trusted_proxies,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server, stop = _Server(config), asyncio.Event()
    _keep_what_is_loaded()

    def ask_to_stop() -> None:
        server.force_exit = stop.is_set()
        server.should_exit = True
        stop.set()

    _on_signals(ask_to_stop)
    async with asyncio.TaskGroup() as tasks:
        if worker is not None:
            tasks.create_task(worker.run(stop), name="worker")  # should it fail, the server goes down with it
        await server.serve(sockets=[listening.socket])
        stop.set()


def _keep_what_is_loaded() -> None:
    """Modules and the schema stay until the end: the collector need not look at them again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNGEST)


def _on_signals(act: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, act)


async def work_until_signalled(worker: Worker) -> None:
    """A worker alone."""
    stop = asyncio.Event()
    _on_signals(stop.set)
    await worker.run(stop)
