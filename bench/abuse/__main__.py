"""`make bench-abuse`: what each attack does to somebody else's small queries, and to the server's memory."""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import psutil

from bench.abuse.attacks import ATTACKS, Target
from bench.document import write_lines
from bench.rows import Row
from tests.serving import REPOSITORY, Server, demo_folder

SECONDS = 2.0
"""How long an attack is repeated."""
HEAD = (
    "| attack, over and over | answer | times | others' p50 ms | p99 ms | longest ms | memory MB |",
    "|---|---|---|---|---|---|---|",
)


async def neighbour(target: Target, act: Callable[[], Awaitable[None]]) -> list[float]:
    """The milliseconds of each small query of a second client while something goes on."""
    command = (sys.executable, "-m", "bench.abuse.neighbour", target.url, target.token)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=REPOSITORY, stdin=pipe, stdout=pipe)
    assert process.stdout is not None
    await process.stdout.readline()  # it has asked its first
    await act()
    out, _ = await process.communicate(b"\n")
    return [seconds * 1e3 for seconds in json.loads(out)]


def memory(server: Server) -> float:
    """Resident megabytes of the server alone: the readers of files are processes with limits of their own."""
    return psutil.Process(server.process.pid).memory_info().rss / (1 << 20)


async def measured(server: Server, target: Target, name: str) -> Row:
    said, times = "", 0

    async def repeat() -> None:
        nonlocal said, times
        began = time.monotonic()
        while time.monotonic() - began < SECONDS:
            said, times = await ATTACKS[name](target) if name else "", times + 1
            if not name:
                await asyncio.sleep(SECONDS)

    before = memory(server)
    answers = await neighbour(target, repeat)
    figures = {
        "p50 ms": statistics.median(answers),
        "p99 ms": statistics.quantiles(answers, n=100)[98],
        "longest ms": max(answers),
        "memory MB": memory(server) - before,
    }
    row = {"work": name or "nothing", "answer": said, "times": times if name else 0, "figures": figures}
    print(line(row), flush=True)
    return row


def line(row: Row) -> str:
    p50, p99, longest, grown = row["figures"].values()
    return (
        f"| {row['work']} | {row['answer']} | {row['times']} | {p50:.1f} | {p99:.1f} | {longest:.0f} | {grown:+.0f} |"
    )


async def run(only: str) -> list[Row]:
    with demo_folder() as folder:
        server = Server(
            folder, {"LEADPORT_RATE_PER_CALLER": "1000000000", "LEADPORT_RATE_PER_ORGANIZATION": "1000000000"}
        )
        try:
            async with httpx.AsyncClient() as http:
                target = Target(server.url, server.token(), http)
                chosen = [name for name in ATTACKS if only in name]
                for name in chosen:  # once, so that memory has what it keeps
                    await ATTACKS[name](target)
                return [await measured(server, target, name) for name in ("", *chosen)]
        finally:
            server.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.abuse")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--only", default="", help="attacks whose name holds this")
    given = parser.parse_args()
    print(*HEAD, sep="\n")
    result = asyncio.run(run(given.only))
    if given.json:
        given.json.write_text(json.dumps(result, indent=1), encoding="utf-8")
    if not given.only:
        write_lines("bench-abuse", (*HEAD, *map(line, result)), "security.md")
