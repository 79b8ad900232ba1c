"""A worker whose jobs only report progress: `seconds` of the spec, twenty times a second."""

import asyncio
import signal
import sys
import time
from pathlib import Path

import uvloop

from bench.jobs.place import runtime_of
from domain.vocabulary import JobKind, JobState
from jobs.queue import DispatchOptions
from jobs.running import JobEnd, RunningJob
from jobs.runtime import Runtime
from jobs.worker import Worker


async def report(_runtime: Runtime, job: RunningJob) -> JobEnd:
    seconds = float(job.record.spec.get("seconds", 0))
    began, count = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        await asyncio.sleep(0.05)
        count += 1
        job.report("working", count, None)
    return JobEnd(state=JobState.COMPLETED, row_count=count)


async def main(app: str, system: str, folder: str, small: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with runtime_of(app, system, Path(folder)) as runtime:
        options = DispatchOptions(dsn=system, large=1, small=int(small), drain_seconds=5)
        await Worker(runtime, options, dict.fromkeys(JobKind, report)).run(stop)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
