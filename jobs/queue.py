"""The dispatcher: procrastinate delivers tokens that mean "run job X"; everything else about a job is ours.

Its worker returns quietly when the database goes away, so it is supervised: `dispatch` runs until it is told to stop.
"""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

import psycopg
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker

from db.dsn import for_psycopg
from db.queue import LARGE_QUEUE, SMALL_QUEUE, TASK

_HEARTBEATS: Final = 5
"""Signs of life within a lease."""
_POLL_SECONDS: Final = 5.0
_STEADY_SECONDS: Final = 60.0
_LONGEST_PAUSE: Final = 10.0
_INTERRUPT_SECONDS: Final = 20.0
"""How much longer than the drain an end may take, the writing of results included, before it is forced."""
_SAY_AGAIN_SECONDS: Final = 0.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Token:
    """What the dispatcher delivers; `engine_id` tells the current token of a job from stale ones."""

    organization_id: UUID
    job_id: UUID
    engine_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchOptions:
    """`dsn` is a direct address of the system role: LISTEN needs a session, so no pooler in transaction mode.

    `large` and `small` are how many jobs of either size run at once, `drain_seconds` how long they may go on after a
    stop before they are interrupted. A worker without a sign of life for `lease_seconds` loses its jobs. `upkeep` is a
    cron expression (UTC).
    """

    dsn: str
    large: int
    small: int
    drain_seconds: float
    lease_seconds: float = 10.0
    upkeep: str = "*/10 * * * *"


class Deliveries(Protocol):
    """What is done with tokens."""

    async def deliver(self, token: Token) -> None:
        """Run the job; whatever it raises, the token is used up."""
        ...

    async def keep_up(self) -> None:
        """Periodic work that one process does for all."""
        ...


async def dispatch(deliveries: Deliveries, options: DispatchOptions, stop: asyncio.Event) -> None:
    """Deliver tokens until `stop` is set, reconnecting whenever the database was away."""
    pause = 0.5
    while not stop.is_set():
        began = time.monotonic()
        try:
            await _session(deliveries, options, stop)
        except (ConnectorException, psycopg.Error, OSError) as error:
            _log.warning("dispatcher: the database does not answer (%s)", type(error).__name__)
        if stop.is_set():
            return
        pause = 0.5 if time.monotonic() - began > _STEADY_SECONDS else min(pause * 2, _LONGEST_PAUSE)
        _log.warning("dispatcher: connecting again in at most %.1f s", pause)
        await _unless(stop, pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads the load, guards nothing


async def _session(deliveries: Deliveries, options: DispatchOptions, stop: asyncio.Event) -> None:
    """One life of the connection: returns when told to stop or when the database went away."""
    app = _app(deliveries, options)
    try:
        await app.open_async()
        workers = _workers(app, options)
        runs = {asyncio.create_task(worker.run()) for worker in workers}
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({stopping, *runs}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            await _end(app, workers, runs, options)
        for run in runs:
            if not run.cancelled():
                run.result()
    finally:
        await app.close_async()


async def _end(app: App, workers: Sequence[Worker], runs: set[asyncio.Task[None]], options: DispatchOptions) -> None:
    """Let the workers drain, then interrupt them.

    Both are said until they are heard: a worker that begins forgets that it was stopped, and on Python 3.11 a wait
    with a time-out can swallow a cancellation (CPython issue 81839).
    """
    deadline = time.monotonic() + options.drain_seconds + _INTERRUPT_SECONDS
    staying = asyncio.create_task(_stay_alive(app, workers, runs, options.lease_seconds / _HEARTBEATS))
    pending = runs
    while pending:
        for worker in workers:
            worker.stop()
        if time.monotonic() > deadline:
            for run in pending:
                run.cancel()
        _, pending = await asyncio.wait(pending, timeout=_SAY_AGAIN_SECONDS)
    staying.cancel()
    await asyncio.wait({staying})


async def _stay_alive(app: App, workers: Sequence[Worker], runs: set[asyncio.Task[None]], seconds: float) -> None:
    """Give the signs of life that a procrastinate worker leaves off as soon as it drains (3.10).

    Without them its jobs would be taken from it after a lease, however long they may go on.
    """
    while not all(run.done() for run in runs):
        for worker in workers:
            if worker.worker_id is not None:
                with suppress(ConnectorException):
                    await app.job_manager.update_heartbeat(worker.worker_id)
        await asyncio.sleep(seconds)


def _workers(app: App, options: DispatchOptions) -> list[Worker]:
    """Large jobs have a queue of their own, so that a small one never waits behind them."""
    return [
        Worker(
            app,
            queues=[queue],
            name=f"{queue} jobs",
            concurrency=concurrency,
            install_signal_handlers=False,
            shutdown_graceful_timeout=options.drain_seconds,
            update_heartbeat_interval=options.lease_seconds / _HEARTBEATS,
            stalled_worker_timeout=options.lease_seconds,
            fetch_job_polling_interval=_POLL_SECONDS,
            delete_jobs="always",
        )
        for queue, concurrency in ((LARGE_QUEUE, options.large), (SMALL_QUEUE, options.small))
    ]


def _app(deliveries: Deliveries, options: DispatchOptions) -> App:
    connector = PsycopgConnector(
        conninfo=for_psycopg(options.dsn),
        min_size=1,
        max_size=4,
        timeout=5,
        kwargs={"prepare_threshold": None, "options": "-c search_path=queue,pg_temp", "connect_timeout": 5},
        configure=_autocommit,
    )
    app = App(connector=connector)

    async def run_job(context: JobContext, organization_id: str, job_id: str) -> None:
        if context.job.id is not None:
            await deliveries.deliver(Token(UUID(organization_id), UUID(job_id), context.job.id))

    async def upkeep(timestamp: int) -> None:  # noqa: ARG001 - the dispatcher's signature
        await deliveries.keep_up()

    app.task(name=TASK, pass_context=True)(run_job)
    # Without any periodic task procrastinate 3.10 stops watching its heartbeat as soon as it has started.
    app.periodic(cron=options.upkeep)(app.task(name="upkeep", queue=SMALL_QUEUE, queueing_lock="upkeep")(upkeep))
    return app


async def _autocommit(connection: psycopg.AsyncConnection) -> None:
    await connection.set_autocommit(True)


async def _unless(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
