"""Handlers that do what the job's spec says, and a worker process that runs them: the real loop, only the work is ours.

spec: blocks (20), seconds a block (0.05), fail ("value", "retryable", "kill"), until_epoch (fail only up to it),
      hold (seconds inside each block's transaction), quiet (never fences: a job without checkpoints).
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from uuid import UUID

import uvloop

from db.pool import Database
from db.schedules import DueSchedule
from db.system import SystemDatabase
from domain.actors import system_actor
from domain.errors import JobFailed
from domain.job_requests import NewJob
from domain.keyring import Keyring
from domain.settings import Limits
from domain.vocabulary import JobFailureCode, JobKind, JobState
from jobs.feed import JobFeed
from jobs.lifecycle import submit
from jobs.queue import DispatchOptions
from jobs.running import JobEnd, RunningJob
from jobs.runtime import Runtime, RuntimeSettings
from jobs.schedules import slot_key
from jobs.worker import Worker
from storage.store import open_store

PROBE = """
create schema probe;
create table probe.runs (job_id uuid, epoch int, pid int, at timestamptz default clock_timestamp());
create table probe.blocks (job_id uuid, block int, epoch int, pid int, at timestamptz default clock_timestamp());
grant usage on schema probe to leadport_app, leadport_system;
grant select, insert on all tables in schema probe to leadport_app, leadport_system;
"""


async def scripted(runtime: Runtime, job: RunningJob) -> JobEnd:
    async with runtime.database.unit(job.organization_id) as connection:
        await connection.execute("insert into probe.runs values ($1, $2, $3)", job.id, job.epoch, os.getpid())
    misbehave(job)
    total = int(job.record.spec.get("blocks", 20))
    done = int(job.record.result.get("block", 0))
    while done < total:
        await asyncio.sleep(float(job.record.spec.get("seconds", 0.05)))
        job.report("working", done, total)
        if not job.record.spec.get("quiet"):
            await block(runtime, job, done, total)
        done += 1
    job.report("working", total, total)
    return JobEnd(state=JobState.COMPLETED, result={"block": total}, row_count=total)


async def block(runtime: Runtime, job: RunningJob, done: int, total: int) -> None:
    async with runtime.database.unit(job.organization_id) as connection:
        await job.fence(connection)
        await connection.execute(
            "insert into probe.blocks values ($1, $2, $3, $4)", job.id, done, job.epoch, os.getpid()
        )
        await asyncio.sleep(float(job.record.spec.get("hold", 0)))
        await job.save(connection, {"block": done + 1}, processed=done + 1, total=total, phase="working")


def misbehave(job: RunningJob) -> None:
    spec = job.record.spec
    if job.epoch > int(spec.get("until_epoch", 1_000)):
        return
    match spec.get("fail"):
        case "value":
            raise ValueError("the secret +33 6 12 34 56 78")
        case "retryable":
            raise JobFailed(JobFailureCode.STORAGE_UNAVAILABLE, "The store is away.", retryable=True)
        case "final":
            raise JobFailed(JobFailureCode.UNREADABLE_FILE, "This is no table.")
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)


async def submit_probe(runtime: Runtime, due: DueSchedule) -> UUID:
    """What a schedule's slot becomes here: a job that does nothing."""
    new = NewJob(
        kind=JobKind.EXPORT,
        name="probe",
        spec={"blocks": 0},
        large=True,
        summary="probe started",
        idempotency_key=slot_key(due),
        schedule_id=due.schedule.id,
    )
    return (await submit(runtime, system_actor(due.organization_id), new)).id


HANDLERS = dict.fromkeys(JobKind, scripted)


async def open_runtime(app_dsn: str, system_dsn: str, folder: Path) -> Runtime:
    system = await SystemDatabase.open(system_dsn)
    return Runtime(
        database=await Database.open(app_dsn, max_size=20),
        system=system,
        store=open_store(f"file://{folder}/store"),
        keyring=Keyring({"k1": b"a secret of the tests"}, "k1"),
        feed=JobFeed(system),
        limits=Limits(),
        settings=RuntimeSettings(public_url="http://127.0.0.1:8000", scratch=folder),
    )


async def close_runtime(runtime: Runtime) -> None:
    await runtime.feed.close()
    await runtime.database.close()
    await runtime.system.close()


async def main(app_dsn: str, system_dsn: str, folder: str) -> None:
    runtime = await open_runtime(app_dsn, system_dsn, Path(folder))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    large, small, drain, lease = (float(os.environ.get(name, default)) for name, default in DEFAULTS)
    options = DispatchOptions(
        dsn=system_dsn, large=int(large), small=int(small), drain_seconds=drain, lease_seconds=lease
    )
    scheduled = submit_probe if "TEST_SCHEDULES" in os.environ else None
    await Worker(runtime, options, HANDLERS, scheduled).run(stop)
    await close_runtime(runtime)


DEFAULTS = (("TEST_LARGE", "2"), ("TEST_SMALL", "8"), ("TEST_DRAIN", "20"), ("TEST_LEASE", "2"))

if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
