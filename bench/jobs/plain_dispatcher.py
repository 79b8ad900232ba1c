"""The reference: procrastinate alone, a task that does nothing, in its own schema of the same cluster."""

import asyncio
import statistics
import sys
import time

import uvloop
from procrastinate import App, PsycopgConnector

OPEN = "select 1 from procrastinate_jobs where status <> 'succeeded' limit 1"


def make(dsn: str) -> App:
    kwargs = {"options": "-c search_path=plain", "prepare_threshold": None}
    app = App(connector=PsycopgConnector(conninfo=dsn, min_size=4, max_size=16, kwargs=kwargs))
    app.task(name="nothing", queue="plain")(nothing)
    app.periodic(cron="0 0 1 1 *")(app.task(name="yearly", queue="plain")(yearly))
    return app


async def nothing() -> None:
    return


async def yearly(timestamp: int) -> None:  # noqa: ARG001 - the dispatcher's signature
    return


async def measure(dsn: str, jobs: int) -> tuple[float, float]:
    """Jobs a second from the first submission to the last end, and the median delay to the start of a single one."""
    app = make(dsn)
    async with app.open_async():
        began = time.monotonic()
        places = asyncio.Semaphore(16)

        async def one() -> None:
            async with places:
                await app.configure_task("nothing", queue="plain").defer_async()

        await asyncio.gather(*(one() for _ in range(jobs)))
        while await app.connector.execute_query_all_async(OPEN):  # noqa: ASYNC110 - other processes do it
            await asyncio.sleep(0.01)
        rate = jobs / (time.monotonic() - began)
        for _ in range(40):
            await one()
            await asyncio.sleep(0.1)
        rows = await app.connector.execute_query_all_async(
            "select extract(epoch from max(at) filter (where type = 'started') - min(at))::float8 as delay"
            " from procrastinate_events group by job_id order by job_id desc limit 40"
        )
        return rate, statistics.median(row["delay"] for row in rows)


async def work(dsn: str) -> None:
    app = make(dsn)
    async with app.open_async():
        await app.run_worker_async(queues=["plain"], concurrency=8)


if __name__ == "__main__":
    uvloop.run(work(sys.argv[1]))
