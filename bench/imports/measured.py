r"""One import by a worker of its own, with its memory; and psql's \copy of what came of it."""

import asyncio
import resource
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import psycopg

from bench.jobs.place import Place, administer, runtime_of
from db.dsn import with_database
from db.embedded.binaries import find_binaries
from domain.actors import Actor
from domain.ids import IdKind, format_id
from domain.imports import ImportRequest, ImportResult
from domain.jobs import JobRecord
from domain.settings import Limits
from domain.stored import decode
from jobs.import_requests import import_leads
from jobs.progress import wait
from jobs.runtime import Runtime
from jobs.uploads import receive

COLUMNS = """select string_agg(quote_ident(attname), ',' order by attnum) from pg_attribute
where attrelid = 'store.leads'::regclass and attnum > 0 and not attisdropped"""


SAMPLE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds from claim to end; CPU seconds of worker and children; their peak bytes beyond the idle worker."""

    seconds: float
    cpu: float
    postgres_cpu: float
    peak: int
    job: JobRecord

    @property
    def result(self) -> ImportResult:
        """What the job recorded."""
        return decode(ImportResult, self.job.result)


@dataclass(frozen=True, slots=True)
class Load:
    """Rows that psql loaded, in seconds and CPU seconds of psql and PostgreSQL."""

    rows: int
    seconds: float
    cpu: float


class Watch:
    """Samples what memory is a process's and its children's own, and adds up their CPU time.

    `idle` is what the process has before it imports anything.
    """

    def __init__(self, pid: int) -> None:
        self.process = psutil.Process(pid)
        self._seen: dict[int, float] = {}
        self.idle = self._settled()
        self._before = sum(self._seen.values())
        self.peak = 0
        self.cpu = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def end(self) -> None:
        """Stop sampling."""
        self._stop.set()
        self._thread.join()
        self.cpu = sum(self._seen.values()) - self._before

    def _settled(self) -> int:
        """The memory of the process once it has started and does nothing more."""
        before, now = 0, self._memory()
        while abs(now - before) > now // 200:
            time.sleep(1)
            before, now = now, self._memory()
        return now

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, self._memory() - self.idle)

    def _memory(self) -> int:
        total = 0
        for process in (self.process, *self.process.children(recursive=True)):
            try:
                total += process.memory_full_info().uss
                self._seen[process.pid] = busy(process)
            except psutil.Error:
                continue
        return total


class PostgresWatch:
    """CPU seconds of all of PostgreSQL's processes since it was made, those that have ended included."""

    def __init__(self, dsn: str) -> None:
        with psycopg.connect(dsn) as connection:
            parent = psutil.Process(connection.info.backend_pid).parent()
        assert parent is not None
        self._postmaster = parent
        self._before = self._total()

    @property
    def cpu(self) -> float:
        """What it has used until now; its parent knows what a process that ends has used a moment later."""
        time.sleep(0.3)
        return self._total() - self._before

    def _total(self) -> float:
        times = self._postmaster.cpu_times()
        total = times.user + times.system + times.children_user + times.children_system
        for process in self._postmaster.children():
            try:
                total += busy(process)
            except psutil.Error:
                continue
        return total


def busy(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def drop(where: Place, name: str) -> None:
    administer(with_database(where.dsn, "postgres"), f"drop database if exists {name} with (force)")


def clone(where: Place, template: str, name: str) -> Place:
    """A database as another one is now, with everything on disk."""
    drop(where, name)
    administer(with_database(where.dsn, "postgres"), f"create database {name} template {template} strategy file_copy")
    return where.named(name)


async def send(runtime: Runtime, actor: Actor, path: Path) -> str:
    async def chunks() -> AsyncIterator[bytes]:
        with path.open("rb") as file:
            while data := file.read(1 << 20):
                yield data

    limits = Limits(max_inline_upload_bytes=1 << 30)
    upload = await receive(runtime, actor, limits, (path.name, chunks()))
    return format_id(IdKind.UPLOAD, upload.id)


async def run_import(where: Place, actor: Actor, path: Path, asked: ImportRequest) -> Run:
    """Import the file by a worker that has imported nothing before; `asked` without its upload."""
    command = [sys.executable, "-m", "bench.imports.worker_process"]
    worker = subprocess.Popen([*command, *where.addresses])  # noqa: ASYNC220 - it takes no time
    try:
        async with runtime_of(*where.addresses[:2], where.folder) as runtime:
            upload = await send(runtime, actor, path)
            watch, postgres = await asyncio.to_thread(Watch, worker.pid), PostgresWatch(where.dsn)
            job = await import_leads(runtime, actor, replace(asked, upload_id=upload, allow_same_file=True))
            while not job.terminal:
                assert worker.poll() is None
                job = await wait(runtime, actor, job.id, 20)
            watch.end()
            postgres_cpu = postgres.cpu
    finally:
        worker.terminate()
        worker.wait()
    assert job.failure is None, job.failure
    assert job.started_at is not None
    assert job.finished_at is not None
    return Run((job.finished_at - job.started_at).total_seconds(), watch.cpu, postgres_cpu, watch.peak, job)


def dump(where: Place, job: JobRecord, path: Path) -> None:
    """The leads that a job created, as psql writes them, in the file's order."""
    columns = administer(where.dsn, COLUMNS)[0][0]
    created = f"select {columns} from store.leads where import_job_id = '{job.id}' order by id"
    psql(where, f"\\copy ({created}) to '{path}'")
    # what autovacuum would now do here must not slow down what is measured next
    administer(where.dsn, "alter table store.leads set (autovacuum_enabled = false)")


def load(where: Place, path: Path) -> Load:
    """The dump into the same table, by psql."""
    columns = administer(where.dsn, COLUMNS)[0][0]
    before, postgres, began = resource.getrusage(resource.RUSAGE_CHILDREN), PostgresWatch(where.dsn), time.monotonic()
    said = psql(where, f"\\copy store.leads ({columns}) from '{path}'")
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = postgres.cpu + after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Load(int(said.split()[-1]), seconds, cpu)


def psql(where: Place, command: str) -> str:
    binary = find_binaries() / "psql"
    done = subprocess.run(
        [binary, "-X", "-v", "ON_ERROR_STOP=1", "-c", command, where.dsn], check=True, capture_output=True, text=True
    )
    return done.stdout
