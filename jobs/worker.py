"""Runs jobs: claims what the dispatcher delivers, hands it to its handler, and writes how it ended.

Whatever goes wrong, one of three things is true afterwards: the job has an end, it is queued again, or its claim has
passed on to another worker. A worker that dies leaves the third to `db.queue.sweep`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from uuid import UUID

from db.job_claims import ClaimedJob, claim_job, release_run
from db.progress import flush
from db.transient import TRANSIENT
from domain.observing import observed
from domain.vocabulary import JobKind, JobState
from jobs.deliveries import deliver_due
from jobs.endings import (
    MAX_ATTEMPTS,
    Again,
    Dropped,
    Ending,
    cancelled,
    died,
    ending_of,
    facts_of,
    unexpected,
    write_end,
)
from jobs.handlers import HANDLERS, Handler
from jobs.queue import DispatchOptions, Token, dispatch
from jobs.running import JobEnd, RunningJob
from jobs.runtime import Runtime
from jobs.schedules import SubmitScheduled, tick
from jobs.upkeep import mend, retain

_FLUSH_SECONDS: Final = 0.5
_TELL_SECONDS: Final = 2.0
_CANCEL_GRACE_SECONDS: Final = 5.0
_WRITE_PAUSES: Final = (0.2, 1.0, 3.0, 6.0)
"""How long an end waits for the database to come back before it is left to the sweep."""

_log = logging.getLogger(__name__)


class Worker:
    """One process's share of the work. Set `stop` to drain: resumable jobs stop at their next block, others finish."""

    def __init__(
        self,
        runtime: Runtime,
        options: DispatchOptions,
        handlers: Mapping[JobKind, Handler] = HANDLERS,
        scheduled: SubmitScheduled | None = None,
    ) -> None:
        self._runtime = runtime
        self._options = options
        self._handlers = handlers
        self._scheduled = scheduled
        self._running: Final[dict[UUID, tuple[RunningJob, asyncio.Task[JobEnd]]]] = {}
        self._draining = False
        self._ended = False
        self.healthy = False
        """Whether the database answered the last time that this worker asked."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set and what runs has ended, at most `drain_seconds` (and a little) later."""
        loops = [
            asyncio.create_task(self._repeat(self._flush, _FLUSH_SECONDS), name="flush progress"),
            asyncio.create_task(self._repeat(self._mend, self._options.lease_seconds / 2), name="mend queue"),
            asyncio.create_task(self._repeat(self._tell, _TELL_SECONDS), name="tell of files"),
            asyncio.create_task(self._drain(stop), name="drain"),
        ]
        try:
            await dispatch(self, self._options, stop)
        finally:
            self._ended = True
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)

    async def deliver(self, token: Token) -> None:
        """Run the job that the token names, unless the token is stale."""
        async with self._runtime.database.unit(token.organization_id) as connection:
            claimed = await claim_job(connection, token.job_id, token.engine_id)
        if claimed is None:
            return
        job = RunningJob(claimed)
        job.draining = self._draining
        facts = {"leadport.job.id": str(job.id), "leadport.job.kind": job.record.kind, "leadport.job.run": job.epoch}
        with observed(self._runtime.observe, f"job {job.record.kind}", facts) as said:
            ending = await self._carry_out(job, claimed)
            said(facts_of(ending))
            await self._write(job, ending)
        self._runtime.feed.hint()

    async def keep_up(self) -> None:
        """Retention: what one process does for all, every few minutes."""
        await retain(self._runtime)

    async def _carry_out(self, job: RunningJob, claimed: ClaimedJob) -> Ending:
        if claimed.record.state is JobState.CANCELLING:
            return cancelled()
        if claimed.attempts > MAX_ATTEMPTS:
            return died(MAX_ATTEMPTS)
        task = asyncio.create_task(self._handle(job), name=f"job {job.id}")
        self._running[job.id] = (job, task)
        try:
            return await asyncio.shield(task)
        except BaseException as error:  # noqa: BLE001 - the worker loop
            await _finish(task)
            return ending_of(error, job, claimed.attempts)
        finally:
            if self._running.get(job.id, (None,))[0] is job:
                del self._running[job.id]

    async def _handle(self, job: RunningJob) -> JobEnd:
        return await self._handlers[job.record.kind](self._runtime, job)

    async def _write(self, job: RunningJob, ending: Ending) -> None:
        """Write the end, again where the database was away: a repeated one finds its claim gone and changes nothing."""
        try:
            await self._persist(job, ending)
        except Exception as error:  # noqa: BLE001 - the worker loop
            await self._persist(job, unexpected(error, job))

    async def _persist(self, job: RunningJob, ending: Ending) -> None:
        for pause in (*_WRITE_PAUSES, None):
            try:
                await self._persist_once(job, ending)
            except TRANSIENT as error:
                _log.warning("job %s: its end is not written yet (%s)", job.id, type(error).__name__)
                if pause is None:
                    return
                await asyncio.sleep(pause)
            else:
                return

    async def _persist_once(self, job: RunningJob, ending: Ending) -> None:
        if isinstance(ending, Dropped):
            return
        async with self._runtime.database.unit(job.organization_id) as connection:
            if isinstance(ending, Again):
                if await release_run(connection, job.id, job.epoch, ending.attempts, ending.delay_seconds):
                    return
                ending = cancelled()
            await write_end(connection, job, ending, self._runtime.limits.max_concurrent_jobs)

    async def _flush(self) -> None:
        if not self._running:
            return
        jobs = [job for job, _ in self._running.values()]
        held = await flush(self._runtime.system, [job.told() for job in jobs])
        for job, task in [*self._running.values()]:
            if job not in jobs:
                continue
            claim = held.get(job.id)
            if claim is None:
                job.fenced = True
                task.cancel()
                continue
            job.saw(claim.revision)
            if claim.cancel_requested and not job.cancelled:
                job.cancelled = True
                asyncio.get_running_loop().call_later(_CANCEL_GRACE_SECONDS, _interrupt, job, task)

    async def _mend(self) -> None:
        await mend(self._runtime, self._options.lease_seconds)
        if self._scheduled is not None:
            await tick(self._runtime, self._scheduled)

    async def _tell(self) -> None:
        await deliver_due(self._runtime)

    async def _repeat(self, work: Callable[[], Awaitable[None]], seconds: float) -> None:
        while not self._ended:  # a library may swallow the cancellation
            try:
                await work()
                self.healthy = True
            except TRANSIENT as error:
                self.healthy = False
                _log.warning("worker: the database does not answer (%s)", type(error).__name__)
            except Exception as error:  # noqa: BLE001 - the worker loop
                _log.error("worker: %s failed", work.__name__.strip("_"), exc_info=error)
            await asyncio.sleep(seconds)

    async def _drain(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._draining = True
        for job, _ in self._running.values():
            job.draining = True


def _interrupt(job: RunningJob, task: asyncio.Task[JobEnd]) -> None:
    """Stop a handler that has not noticed that its job was cancelled."""
    if not job.ending:
        task.cancel()


async def _finish(task: asyncio.Task[JobEnd]) -> None:
    """Let an interrupted handler roll back before its end is written."""
    task.cancel()
    await asyncio.wait({task})
