"""A worker of the product, to be measured."""

import asyncio
import signal
import sys
from pathlib import Path

import uvloop

from bench.jobs.place import runtime_of
from jobs.queue import DispatchOptions
from jobs.worker import Worker


async def main(app: str, system: str, folder: str) -> None:
    async with runtime_of(app, system, Path(folder)) as runtime:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        options = DispatchOptions(dsn=system, large=1, small=2, drain_seconds=5)
        await Worker(runtime, options).run(stop)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
