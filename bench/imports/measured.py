r"""One import by a worker of its own, with its memory; and psql's \copy of what came of it."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.jobs.place import Place, administer, runtime_of
from db.dsn import with_database
from db.embedded.binaries import find_binaries
from domain.actors import Actor
from domain.ids import IdKind, format_id
from domain.imports import ImportOptions, ImportRequest, ImportResult
from domain.jobs import JobRecord
from domain.settings import Limits
from domain.stored import decode
from jobs.import_requests import import_leads
from jobs.progress import wait
from jobs.runtime import Runtime
from jobs.uploads import receive

COLUMNS = """select string_agg(quote_ident(attname), ',' order by attnum) from pg_attribute
where attrelid = 'store.leads'::regclass and attnum > 0 and not attisdropped"""


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds from claim to end, CPU seconds and peak bytes of worker and children beyond an idle worker."""

    seconds: float
    cpu: float
    peak: int
    job: JobRecord

    @property
    def result(self) -> ImportResult:
        """What the job recorded."""
        return decode(ImportResult, self.job.result)


class Watch:
    """Samples the memory of a process and its children, and adds up their CPU time."""

    def __init__(self, pid: int) -> None:
        self.process = psutil.Process(pid)
        self._seen: dict[int, float] = {}
        self.idle = self._memory()
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

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            self.peak = max(self.peak, self._memory() - self.idle)

    def _memory(self) -> int:
        total = 0
        for process in (self.process, *self.process.children(recursive=True)):
            try:
                total += process.memory_full_info().uss
                times = process.cpu_times()
                self._seen[process.pid] = times.user + times.system
            except psutil.Error:
                continue
        return total


def clone(where: Place, template: str, name: str) -> Place:
    """A database as another one is now, with everything on disk."""
    administrator = with_database(where.dsn, "postgres")
    administer(administrator, f"drop database if exists {name} with (force)")
    administer(administrator, f"create database {name} template {template} strategy file_copy")
    return Place(with_database(where.dsn, name), where.folder)


async def send(runtime: Runtime, actor: Actor, path: Path) -> str:
    async def chunks() -> AsyncIterator[bytes]:
        with path.open("rb") as file:
            while data := file.read(1 << 20):
                yield data

    limits = Limits(max_inline_upload_bytes=1 << 30)
    upload = await receive(runtime, actor, limits, (path.name, chunks()))
    return format_id(IdKind.UPLOAD, upload.id)


async def run_import(where: Place, actor: Actor, path: Path, options: ImportOptions) -> Run:
    command = [sys.executable, "-m", "bench.imports.worker_process"]
    worker = subprocess.Popen([*command, *where.addresses])  # noqa: ASYNC220 - it takes no time
    try:
        async with runtime_of(*where.addresses[:2], where.folder) as runtime:
            upload = await send(runtime, actor, path)
            await asyncio.sleep(2)
            watch = Watch(worker.pid)
            request = ImportRequest(upload_id=upload, options=options, allow_same_file=True)
            job = await import_leads(runtime, actor, request)
            while not job.terminal:
                job = await wait(runtime, actor, job.id, 20)
            watch.end()
    finally:
        worker.terminate()
        worker.wait()
    assert job.started_at is not None
    assert job.finished_at is not None
    return Run((job.finished_at - job.started_at).total_seconds(), watch.cpu, watch.peak, job)


def dump(where: Place, job: JobRecord, path: Path) -> int:
    """The leads that a job created, as psql writes them; how many."""
    columns = administer(where.dsn, COLUMNS)[0][0]
    created = f"select {columns} from store.leads where import_job_id = '{job.id}' order by id"
    said = psql(where, f"\\copy ({created}) to '{path}'")
    return int(said.split()[-1])


def load(where: Place, path: Path) -> float:
    """Seconds that psql needs to load the dump into the same table."""
    columns = administer(where.dsn, COLUMNS)[0][0]
    began = time.monotonic()
    psql(where, f"\\copy store.leads ({columns}) from '{path}'")
    return time.monotonic() - began


def psql(where: Place, command: str) -> str:
    binary = find_binaries() / "psql"
    done = subprocess.run(
        [binary, "-X", "-v", "ON_ERROR_STOP=1", "-c", command, where.dsn], check=True, capture_output=True, text=True
    )
    return done.stdout
