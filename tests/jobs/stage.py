"""What the tests of jobs stand on: an organization with somebody in it, and worker processes that can be killed."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

from db.roles import app_dsn, system_dsn
from domain.actors import Actor
from domain.job_requests import NewJob
from domain.jobs import JobRecord
from domain.records import OrganizationRecord
from domain.vocabulary import JobKind, Role
from jobs.lifecycle import submit
from jobs.progress import wait
from jobs.runtime import Runtime
from tests.conftest import SECRET, actor_of

ROOT = Path(__file__).resolve().parents[2]


def probe(*, large: bool = True, **spec: object) -> NewJob:
    return NewJob(kind=JobKind.EXPORT, name="probe", spec=spec, large=large, summary="probe started")


class Stage:
    """What most tests of jobs need: an organization, somebody in it, and short ways to submit and to look."""

    def __init__(self, runtime: Runtime, organization: OrganizationRecord) -> None:
        self.runtime = runtime
        self.actor: Actor = actor_of(Role.OWNER, organization)

    def job(self, *, large: bool = True, **spec: object) -> NewJob:
        return probe(large=large, **spec)

    async def submit(self, *, large: bool = True, **spec: object) -> JobRecord:
        return await submit(self.runtime, self.actor, self.job(large=large, **spec))

    async def load(self, job_id: UUID) -> JobRecord:
        return await wait(self.runtime, self.actor, job_id, 0)

    async def ended(self, job_id: UUID, seconds: float = 60) -> JobRecord:
        deadline = time.monotonic() + seconds  # `wait` itself waits as long as a request may, which is less
        while not (job := await wait(self.runtime, self.actor, job_id, 10)).terminal:
            assert time.monotonic() < deadline, job
        return job

    async def until(self, check: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not await check():
            assert time.monotonic() < deadline, "it did not happen in time"
            await asyncio.sleep(0.05)

    async def rows(self, sql: str, *args: object) -> list[dict[str, object]]:
        return [dict(row) for row in await self.runtime.system.fetch(sql, *args)]

    async def blocks(self, job_id: UUID) -> list[int]:
        rows = await self.rows("select block from probe.blocks where job_id = $1 order by at", job_id)
        return [int(str(row["block"])) for row in rows]


class WorkerProcess:
    """A worker in a process of its own."""

    def __init__(self, url: str, folder: Path, **environment: str) -> None:
        command = [
            sys.executable,
            "-W",
            "error",
            "-m",
            "tests.jobs.scripted",
            app_dsn(url, SECRET),
            system_dsn(url, SECRET),
            str(folder),
        ]
        self.log = folder / f"worker-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=os.environ | environment, stdout=log, stderr=subprocess.STDOUT
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    async def ended(self, seconds: float) -> int:
        return await asyncio.to_thread(self.process.wait, seconds)


StartWorker = Callable[..., WorkerProcess]
