"""What this server alone is held to.

Deep pages cost what the first does, isolation costs a search nothing, and no listed query reads all leads.
"""

import asyncio
from collections.abc import Sequence

import asyncpg
import psutil
import psycopg

from bench.queries.client import Call, Connection, load
from bench.queries.world import Subject, World, cpu_seconds
from bench.rows import Row
from db.cursors import Place, fingerprint, write_cursor
from db.dsn import for_asyncpg
from db.pool import GATE
from domain.exports import LeadOrder
from domain.filters import EVERYTHING

PAGE = 40
DEEP = 8_000
DOCUMENT = "query($after: String) {{ leads(first: {first}{after}) {{ nodes {{ id name email score createdAt }} }} }}"
SEARCHED = """with matches as materialized (select id, created_at from {0} where {1}search_text like $2 limit 1001)
select l.id, l.name from (select * from matches order by created_at desc, id desc limit 51) k
join {0} l on {1}l.id = k.id order by k.created_at desc, k.id desc"""
"""As the server searches; the second place is for the organization, where no view adds it."""
STATISTICS_SECONDS = 12
"""An idle connection tells what it has read after ten seconds."""
SEARCHES = 400
TERMS = ("durand 12", "kumar 34", "lead777", "cohen 9")


async def read_no_table_whole(where: World, server: Subject, calls: Sequence[Call]) -> None:
    """Raises AssertionError where PostgreSQL counts a sequential scan of leads after the server's calls."""
    before = await _sequential_scans(where)
    for call in calls:
        connections = [await Connection.open(server.port) for _ in range(10)]
        await load(connections, call, 100)
        for connection in connections:
            connection.close()
    after = await _sequential_scans(where)
    assert after == before, f"{after - before} sequential scans of leads"
    print(f"no sequential scan of leads in {len(calls)} works", flush=True)


async def _sequential_scans(where: World) -> int:
    await asyncio.sleep(STATISTICS_SECONDS)
    with psycopg.connect(where.dsn) as connection:
        found = connection.execute("select seq_scan from pg_stat_user_tables where relname = 'leads'").fetchone()
        assert found is not None
        return found[0]


async def deep_pages(where: World, server: Subject, leads: int) -> Row:
    deep = min(DEEP, int(leads * 0.34) // PAGE - 1)
    with psycopg.connect(where.dsn) as connection:
        found = connection.execute(
            "select created_at, id from store.leads where organization_id = %s "
            "order by created_at desc, id desc offset %s limit 1",
            [where.organization, deep * PAGE - 1],
        ).fetchone()
        assert found is not None
    cursor = write_cursor(fingerprint(LeadOrder(), EVERYTHING), Place(*found))
    first = {"query": DOCUMENT.format(first=PAGE, after="").replace("query($after: String) ", "")}
    last = {"query": DOCUMENT.format(first=PAGE, after=", after: $after"), "variables": {"after": cursor}}
    calls = [Call.of(server.port, "/graphql", where.token, body) for body in (last, first)]
    used = await _interleaved(where, server, calls)
    return _row(f"page {deep:,}", "page 1", used)


async def _interleaved(where: World, server: Subject, calls: Sequence[Call]) -> list[float]:
    """CPU milliseconds a request of each call."""
    used, count = [0.0] * len(calls), 100
    for _ in range(6):
        for index, call in enumerate(calls):
            connection = await Connection.open(server.port)
            await load([connection], call, 5)
            before = server.cpu() + where.database_cpu()
            await load([connection], call, count)
            used[index] += server.cpu() + where.database_cpu() - before
            connection.close()
    return [seconds / 6 / count * 1000 for seconds in used]


async def isolated_search(where: World) -> Row:
    """The same search by the server's role through the view, and by the owner with the organization spelt out."""
    isolated = await asyncpg.connect(where.environment["BENCH_DSN"])
    owner = await asyncpg.connect(for_asyncpg(where.dsn).dsn)
    through = SEARCHED.format("app.leads", "").join(GATE)
    bare = SEARCHED.format("store.leads", "organization_id = $1::uuid and ")
    backends = [psutil.Process(connection.get_server_pid()) for connection in (isolated, owner)]
    began = [0.0, 0.0]
    for turn in range(-10 * len(TERMS), SEARCHES):
        if turn == 0:
            began = [cpu_seconds(backend) for backend in backends]
        term = f"%{TERMS[turn % len(TERMS)]}%"
        rows = await isolated.fetch(through, str(where.organization), term)
        assert rows == await owner.fetch(bare, str(where.organization), term)
        assert rows
    used = [(cpu_seconds(backend) - start) / SEARCHES * 1000 for backend, start in zip(backends, began, strict=True)]
    await isolated.close()
    await owner.close()
    return _row("search, isolated", "search without isolation", used)


def _row(work: str, reference: str, used: Sequence[float]) -> Row:
    ratio = round(used[0] / used[1], 3)
    print(f"{work}: {ratio:.2f} times {reference} ({used[0]:.2f} and {used[1]:.2f} ms)", flush=True)
    figures = {work: {"cpu ms": round(used[0], 3)}, reference: {"cpu ms": round(used[1], 3)}}
    return {"work": work, "subject": "leadport", "reference": reference, "ratio": ratio, "figures": figures}
