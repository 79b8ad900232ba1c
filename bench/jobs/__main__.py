"""`make bench-jobs`: jobs a second, time to the start, progress to many subscribers, and what idling costs."""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psutil
import uvloop

from bench.jobs import plain_dispatcher
from bench.jobs.place import Place, actors, administer, place, processes, runtime_of, tiny
from bench.jobs.report import write_table
from bench.rows import OURS, Row
from domain.actors import Actor
from domain.jobs import JobRecord
from domain.vocabulary import JobEventType
from jobs.lifecycle import submit
from jobs.progress import follow
from jobs.runtime import Runtime

WORKER = "bench.jobs.worker_process"


def row(work: str, figures: dict[str, float], reference: str | None = None, ratio: float | None = None) -> Row:
    shown = ", ".join(f"{name} {value:,.4g}" for name, value in figures.items())
    compared = "" if ratio is None else f"; {ratio:.2f} times {reference}"
    print(f"{work}: {shown}{compared}", flush=True)
    return {"work": work, "subject": OURS, "reference": reference, "ratio": ratio, "figures": figures}


async def throughput(where: Place, runtime: Runtime, jobs: int, plain: tuple[float, float]) -> list[Row]:
    several = await actors(runtime, 20, "flood")
    with processes(WORKER, 2, *where.addresses, "8"):
        await settled(runtime, several[0])
        places = asyncio.Semaphore(16)

        async def one(number: int) -> None:
            async with places:
                await submit(runtime, several[number % len(several)], tiny())

        began = time.monotonic()
        await asyncio.gather(*(one(number) for number in range(jobs)))
        submitted = jobs / (time.monotonic() - began)
        await until(partial(all_done, runtime))
        rate = jobs / (time.monotonic() - began)
        delays = [await start_delay(runtime, several[0]) for _ in range(40)]
    figures = {"jobs a second": rate, "submitted a second": submitted, "reference jobs a second": plain[0]}
    start = {"p50 ms": statistics.median(delays) * 1e3, "p99 ms": max(delays) * 1e3, "reference p50 ms": plain[1] * 1e3}
    reference = "procrastinate alone"
    return [
        row(f"{jobs:,} tiny jobs, 20 organizations, 2 workers", figures, reference, rate / plain[0]),
        row("from commit to start, idle", start, reference, statistics.median(delays) / plain[1]),
    ]


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    while not await check():  # noqa: ASYNC110 - what is waited for happens in other processes
        await asyncio.sleep(0.02)


async def all_done(runtime: Runtime) -> bool:
    return not await runtime.system.fetch("select from store.jobs where state <> 'COMPLETED' limit 1")


async def following(runtime: Runtime, count: int) -> bool:
    return runtime.feed.followers >= count


async def settled(runtime: Runtime, actor: Actor) -> None:
    """Both workers are up once a few jobs are done."""
    for _ in range(4):
        await start_delay(runtime, actor)


async def start_delay(runtime: Runtime, actor: Actor) -> float:
    job = await submit(runtime, actor, tiny())
    async for event in follow(runtime, actor, job.id):
        if event.job.terminal and event.job.started_at is not None:
            return (event.job.started_at - event.job.created_at).total_seconds()
    raise AssertionError("a follower ends with the job")


async def fan_out(where: Place, runtime: Runtime) -> list[Row]:
    several = await actors(runtime, 100, "watch")
    seconds, subscribers = 12.0, 1_000
    with processes(WORKER, 1, *where.addresses, "210"):
        jobs = [(actor, await submit(runtime, actor, tiny(seconds=seconds))) for actor in several for _ in range(2)]
        delays: list[float] = []

        async def listen(actor: Actor, job: JobRecord) -> None:
            async for event in follow(runtime, actor, job.id):
                if event.type is JobEventType.PROGRESS and event.job.progress.updated_at is not None:
                    delays.append((datetime.now(UTC) - event.job.progress.updated_at).total_seconds())  # noqa: PERF401 - a delay is measured when it is over

        listeners = [asyncio.create_task(listen(*jobs[number % len(jobs)])) for number in range(subscribers)]
        await asyncio.sleep(3)
        delays.clear()
        cpu, began = time.process_time(), time.monotonic()
        await asyncio.sleep(6)
        took = time.monotonic() - began
        used, events = time.process_time() - cpu, len(delays)
        await asyncio.gather(*listeners)
    ordered = sorted(delays[:events])
    figures = {
        "events a second": events / took,
        "p50 ms": ordered[events // 2] * 1e3,
        "p99 ms": ordered[int(events * 0.99)] * 1e3,
        "percent of a core": used / took * 100,
    }
    return [row("200 jobs, 2 updates a second, 1,000 subscribers", figures)]


async def idle_subscribers(where: Place, runtime: Runtime) -> list[Row]:
    count = 5_000
    [actor] = await actors(runtime, 1, "idle")
    jobs = [await submit(runtime, actor, tiny()) for _ in range(200)]

    async def listen(job: JobRecord) -> None:
        async for _ in follow(runtime, actor, job.id):
            pass

    before = psutil.Process().memory_info().rss
    listeners = [asyncio.create_task(listen(jobs[number % len(jobs)])) for number in range(count)]
    await until(partial(following, runtime, count))
    await asyncio.sleep(1)
    memory = (psutil.Process().memory_info().rss - before) / count
    cpu, began = time.process_time(), time.monotonic()
    await asyncio.sleep(11)
    first = transactions(where)
    await asyncio.sleep(5)
    rate = (transactions(where) - first) / 5
    used = (time.process_time() - cpu) / (time.monotonic() - began)
    for listener in listeners:
        listener.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)
    for table in ("queue.procrastinate_jobs", "store.job_progress", "store.jobs"):
        await runtime.system.execute(f"delete from {table}")
    figures = {"bytes a subscriber": memory, "percent of a core": used * 100, "transactions a second": rate}
    return [row("5,000 idle subscribers of 200 jobs", figures)]


async def idle_worker(where: Place) -> list[Row]:
    with processes(WORKER, 1, *where.addresses, "8"):
        await asyncio.sleep(13)  # sessions report what they did up to ten seconds late
        before = transactions(where)
        await asyncio.sleep(15)
        rate = (transactions(where) - before) / 15
    return [row("an idle worker process", {"transactions a second": rate})]


def transactions(where: Place) -> int:
    sql = "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()"
    return int(str(administer(where.dsn, sql)[0][0]))


async def reference(where: Place, jobs: int) -> tuple[float, float]:
    administer(where.dsn, "create schema plain")
    async with plain_dispatcher.make(where.dsn).open_async() as app:
        await app.schema_manager.apply_schema_async()
    with processes("bench.jobs.plain_dispatcher", 2, where.dsn):
        await asyncio.sleep(3)
        return await plain_dispatcher.measure(where.dsn, jobs)


async def main(jobs: int) -> list[Row]:
    with place() as where:
        async with runtime_of(where.app, where.system, where.folder) as runtime:
            rows = await idle_subscribers(where, runtime)
            rows += await idle_worker(where)
            rows += await throughput(where, runtime, jobs, await reference(where, jobs))
            rows += await fan_out(where, runtime)
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    parser.add_argument("--jobs", type=int, default=2_000, help="how many tiny jobs")
    given = parser.parse_args()
    measured = uvloop.run(main(given.jobs))
    write_table(measured)
    if given.json is not None:
        given.json.write_text(json.dumps(measured, indent=2) + "\n")
