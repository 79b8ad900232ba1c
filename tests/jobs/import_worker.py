"""A worker process with the product's handlers, to be killed."""

import asyncio
import os
import resource
import signal
import sys
from pathlib import Path

import uvloop

from jobs.queue import DispatchOptions
from jobs.worker import Worker
from tests.jobs.scripted import close_runtime, open_runtime


async def main(app: str, system: str, folder: str) -> None:
    room = int(os.environ.get("TEST_FILE_BYTES", "0"))
    if room:  # no file of this process and its children may grow beyond it: what a full disk answers
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    runtime = await open_runtime(app, system, Path(folder))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await Worker(runtime, DispatchOptions(dsn=system, large=2, small=4, drain_seconds=10, lease_seconds=2)).run(stop)
    await close_runtime(runtime)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
