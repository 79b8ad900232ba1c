"""One poller a process for everybody who follows jobs: reads what is watched, only while somebody watches.

The database is the truth and the poll the safety net; `hint` only makes the next poll come sooner. A follower holds one
value for each job, the newest, so a slow one holds nothing up and costs no memory.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final, TypeVar
from uuid import UUID

from db.job_changes import JobKey, changed_jobs, jobs_in_motion
from db.system import SystemDatabase
from db.transient import TRANSIENT
from domain.jobs import JobRecord

_POLL_SECONDS: Final = 0.25
_BUSY_SECONDS: Final = 0.1
"""Between polls while each of them finds something."""
_GATHERING_SECONDS: Final = 0.02
_RECOVERY_SECONDS: Final = 2.0
_MEMORY_SECONDS: Final = 150.0
"""Longer than `jobs_in_motion` looks back."""

_Key = TypeVar("_Key")
_log = logging.getLogger(__name__)


class Follower:
    """The newest value of each watched job that its holder has not taken yet.

    It watches the jobs given, or, with `organization_id`, every job of that organization but those given with the
    revisions that they have.
    """

    def __init__(self, jobs: Iterable[JobRecord], organization_id: UUID | None = None) -> None:
        self.organization_id: Final = organization_id
        self.known: Final[dict[JobKey, int]] = {}
        self._ended: Final[dict[JobKey, tuple[int, float]]] = {}
        self._newest: Final[dict[UUID, JobRecord]] = {}
        self._ready = asyncio.Event()
        for job in jobs:
            self._see(job)

    def wants(self, job: JobRecord) -> bool:
        """Whether the job is watched and this value is newer than the last one given."""
        key = (job.organization_id, job.id)
        if self.organization_id is None:
            return self.known.get(key, job.revision) < job.revision
        last = self.known.get(key) or self._ended.get(key, (0, 0.0))[0]
        return self.organization_id == job.organization_id and job.revision > last

    def seen(self) -> dict[JobKey, int]:
        """The last revision of each job, of those that ended not long ago too."""
        return {job: revision for job, (revision, _) in self._ended.items()} | self.known

    def give(self, job: JobRecord) -> None:
        """Replace what was not taken yet."""
        self._see(job)
        self._newest[job.id] = job
        self._ready.set()

    def _see(self, job: JobRecord) -> None:
        """What has ended is remembered only as long as a poll may still come upon it."""
        key, now = (job.organization_id, job.id), time.monotonic()
        if not job.terminal or self.organization_id is None:
            self.known[key] = job.revision
            return
        self.known.pop(key, None)
        for old in [old for old, (_, since) in self._ended.items() if now - since > _MEMORY_SECONDS]:
            del self._ended[old]
        self._ended[key] = (job.revision, now)

    async def take(self) -> list[JobRecord]:
        """Wait for news; the newest value of each job that has any."""
        await self._ready.wait()
        self._ready.clear()
        news = list(self._newest.values())
        self._newest.clear()
        return news

    def __aiter__(self) -> AsyncIterator[JobRecord]:
        return self._news()

    async def _news(self) -> AsyncGenerator[JobRecord]:
        while True:
            for job in await self.take():
                yield job


class JobFeed:
    """Gives followers what the database says of their jobs."""

    def __init__(self, system: SystemDatabase) -> None:
        self._system = system
        self._followers: Final[set[Follower]] = set()
        self._watching: Final[dict[JobKey, set[Follower]]] = {}
        self._watching_all: Final[dict[UUID, set[Follower]]] = {}
        self._revisions: Final[dict[JobKey, int]] = {}
        self._hint = asyncio.Event()
        self._poller: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def following(self, follower: Follower) -> AsyncGenerator[Follower]:
        """Keep the follower supplied within the block."""
        self._add(follower)
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll(), name="job feed")
        try:
            yield follower
        finally:
            self._remove(follower)

    def hint(self) -> None:
        """A job has just changed in this process: look now rather than at the next interval."""
        self._hint.set()

    @property
    def followers(self) -> int:
        """How many are listening."""
        return len(self._followers)

    async def close(self) -> None:
        """Stop polling; followers get nothing more."""
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)

    def _add(self, follower: Follower) -> None:
        """A job's revision is the oldest that any of its followers has, so that a poll costs the jobs alone."""
        self._followers.add(follower)
        if follower.organization_id is not None:
            self._watching_all.setdefault(follower.organization_id, set()).add(follower)
            return
        for key, revision in follower.known.items():
            self._watching.setdefault(key, set()).add(follower)
            self._revisions[key] = min(revision, self._revisions.get(key, revision))

    def _remove(self, follower: Follower) -> None:
        self._followers.discard(follower)
        if follower.organization_id is not None:
            _leave(self._watching_all, follower.organization_id, follower)
            return
        for key in follower.known:
            if _leave(self._watching, key, follower):
                del self._revisions[key]

    async def _poll(self) -> None:
        while self._followers:
            pause = _POLL_SECONDS
            try:
                pause = _BUSY_SECONDS if await self._round() else _POLL_SECONDS
            except TRANSIENT as error:
                _log.warning("job feed: the database does not answer (%s)", type(error).__name__)
                pause = _RECOVERY_SECONDS
            await self._sleep(pause)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):  # wait_for of Python 3.11 can swallow a cancellation
                await self._hint.wait()
        except TimeoutError:
            return
        await asyncio.sleep(_GATHERING_SECONDS)
        self._hint.clear()

    async def _round(self) -> int:
        seen: dict[JobKey, int] = {}
        for followers in self._watching_all.values():
            for follower in followers:
                for key, revision in follower.seen().items():
                    seen[key] = min(revision, seen.get(key, revision))
        news = await changed_jobs(self._system, dict(self._revisions))
        news += await jobs_in_motion(self._system, list(self._watching_all), seen)
        self._distribute(news)
        return len(news)

    def _distribute(self, news: Iterable[JobRecord]) -> None:
        for job in news:
            key = (job.organization_id, job.id)
            for followers in (self._watching.get(key), self._watching_all.get(job.organization_id)):
                for follower in followers or ():
                    if follower.wants(job):
                        follower.give(job)
            if key in self._revisions:
                self._revisions[key] = max(job.revision, self._revisions[key])


def _leave(groups: dict[_Key, set[Follower]], key: _Key, follower: Follower) -> bool:
    """Take the follower out of its group; whether it was the last."""
    followers = groups[key]
    followers.discard(follower)
    if not followers:
        del groups[key]
    return not followers
