"""Behind PgBouncer in transaction mode everything works, with a direct address for what listens alone."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import httpx
import pytest

from db.roles import app_dsn, system_dsn
from tests.acceptance.calling import IMPORT, Caller, rows_of
from tests.acceptance.conftest import token_of
from tests.conftest import SECRET
from tests.pooler import POOL, PROGRAM, Pooler, pgbouncer
from tests.serving import SECRET_KEYS, Server, clean_environment, demo_folder, run_command
from tests.test_two_machines import worker

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed")

ROWS = 12_000
PAGE = """query ($after: String) { leads(first: 50, after: $after, filter: {source: {eq: WEB}}) {
  totalCount { value } nodes { id name notes(first: 1) { nodes { text } } } pageInfo { hasNextPage endCursor } } }"""
NOTE = 'mutation ($id: ID!) { addNote(input: {leadId: $id, text: "Called"}) { userErrors { code } } }'


@pytest.fixture
def pooled(database_url: str) -> Iterator[tuple[Pooler, dict[str, str]]]:
    """The pooler, and the settings of a server that knows no other way to the database, its worker's apart."""
    app, system = app_dsn(database_url, SECRET), system_dsn(database_url, SECRET)
    with pgbouncer(app, system) as pooler:
        yield (
            pooler,
            {
                "LEADPORT_APP_DATABASE_URL": pooler.through(app),
                "LEADPORT_SYSTEM_DATABASE_URL": pooler.through(system),
                "LEADPORT_STATEMENT_CACHE_SIZE": "0",
                "LEADPORT_SECRET_KEYS": SECRET_KEYS,
            },
        )


@pytest.fixture
async def caller(pooled: tuple[Pooler, dict[str, str]], database_url: str) -> AsyncIterator[Caller]:
    _, environment = pooled
    with ExitStack() as stack:
        folder = stack.enter_context(demo_folder())
        files = {"LEADPORT_STORAGE_URL": f"file://{folder}/files"}
        whole = {**clean_environment(), **environment, **files}
        direct = {"LEADPORT_WORKER_DATABASE_URL": system_dsn(database_url, SECRET)}
        made = run_command(folder / "commands", whole, "organization", "acme", "--country", "FR")
        assert made.returncode == 0, made.stderr
        server = Server(folder / "web", {**environment, **files, "LEADPORT_WORKER": "false"})
        stack.callback(server.stop)
        stack.enter_context(worker(folder / "worker", whole | direct))
        async with httpx.AsyncClient() as http:
            yield Caller(server.url, token_of("acme", "ADMIN"), http)


async def test_queries_imports_exports_and_subscriptions_work_behind_pgbouncer(
    pooled: tuple[Pooler, dict[str, str]], caller: Caller
):
    pooler, _ = pooled
    file = "name,phone,source\n" + "".join(f"Lead {n},+336{n:08d},web\n" for n in range(ROWS))
    payload = await caller.ask(IMPORT, input={"source": {"uploadId": await caller.upload(file.encode())}})
    job = payload["importLeads"]["job"]["id"]
    events = [event["job"] async for event in caller.follow(id=job)]
    assert (events[0]["type"], events[-1]["job"]["state"]) == ("SNAPSHOT", "COMPLETED")
    assert (await caller.ended(job))["counts"]["created"] == ROWS
    many = await asyncio.gather(*(page_by_page(caller, 3) for _ in range(20)))
    assert [len(set(ids)) for ids in many] == [150] * 20
    noted = await asyncio.gather(*(caller.ask(NOTE, id=lead) for lead in many[0]))
    assert all(answer["addNote"]["userErrors"] == [] for answer in noted)
    done, data = await caller.export({"template": "LEADS", "filter": {"source": {"eq": "WEB"}}})
    assert (done["rowCount"], len(rows_of(data))) == (ROWS, ROWS + 1)
    pools = {row["user"]: row for row in pooler.ask("show pools") if str(row["user"]).startswith("leadport")}
    assert set(pools) == {"leadport_app", "leadport_system"}, "nobody went past it but the worker's dispatcher"
    assert {row["pool_mode"] for row in pools.values()} == {"transaction"}
    assert all(int(str(row["sv_active"])) + int(str(row["sv_idle"])) <= POOL for row in pools.values())


async def page_by_page(caller: Caller, pages: int) -> list[str]:
    ids: list[str] = []
    place: dict[str, object] = {}
    for _ in range(pages):
        page = (await caller.ask(PAGE, **place))["leads"]
        assert page["totalCount"]["value"] >= 10_000
        ids += [node["id"] for node in page["nodes"]]
        place = {"after": page["pageInfo"]["endCursor"]}
    return ids


async def test_a_job_starts_at_once_although_its_token_was_written_through_pgbouncer(caller: Caller):
    """The worker listens on a connection of its own, which a notification out of the pool reaches."""
    await caller.export({"template": "LEADS"})
    began = time.monotonic()
    for _ in range(3):
        await caller.export({"template": "LEADS"})
    assert time.monotonic() - began < 12, "each was found by the poll that comes every 5 seconds"
