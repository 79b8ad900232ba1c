"""SECURITY-TESTS 17: for every shape of statement, the gate sets the organization before the view reads it.

The answer must be the same whatever the session was set to before: nothing, a foreign organization, or the right one.
It is asked of the PostgreSQL of all tests, and of every other supported version that this machine has.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from db.dsn import for_asyncpg
from db.embedded.binaries import KNOWN_FOLDERS, OLDEST_MAJOR, find_binaries, major_of
from db.migrate import migrate
from db.pool import GATE, Database
from db.roles import app_dsn, system_dsn
from db.system import SystemDatabase
from domain.records import OrganizationRecord
from tests.conftest import SECRET, cloned, maker, opened, running
from tests.db.rows import add_leads

SHAPES = {
    "page": "select id, organization_id o from leads order by created_at desc, id desc limit 50",
    "first rows without order": "select id, organization_id o from leads limit 500",
    "count": "select count(*) n, min(organization_id::text) o from leads",
    "bounded count": """select count(*) n, min(o::text) o from (
        select organization_id o from leads where stage = 'NEW' limit 10001) x""",
    "groups": "select status_id, count(*) n, min(organization_id::text) o from leads group by status_id order by 1",
    "grouping sets": """select stage, source, count(*) n, min(organization_id::text) o from leads
        group by grouping sets ((stage), (source), ()) order by 1, 2""",
    "search": "select id, organization_id o from leads where search_text ilike '%d 12%' order by id",
    "join": """select l.id, l.organization_id o, s.label from leads l join statuses s on s.id = l.status_id
        order by l.id limit 9""",
    "left join from the small table": """select l.id, l.organization_id o, s.label from statuses s
        left join leads l on s.id = l.status_id order by l.id limit 9""",
    "page joined outside": """select p.id, p.o, s.label, u.name assignee from (
        select id, organization_id o, status_id, assignee_id, created_at from leads
        where stage <> 'LOST' order by created_at desc, id desc limit 20) p
        left join statuses s on s.id = p.status_id left join users u on u.id = p.assignee_id
        order by p.created_at desc, p.id desc""",
    "lateral": """select s.key, x.id, x.o from statuses s cross join lateral (
        select id, organization_id o from leads where status_id = s.id order by created_at desc, id desc limit 2) x
        order by s.key, x.id""",
    "union": """select count(*) n, min(organization_id::text) o from leads
        union all select count(*), min(organization_id::text) from statuses""",
    "materialized cte": """with a as materialized (select * from leads), b as (
        select stage, count(*) n, min(organization_id::text) o from a group by 1) select * from b order by 1""",
    "page of a search": """with matches as materialized (
        select m.id, m.created_at from app.leads m where m.search_text like '%lead%' limit 1001)
        select l.id, l.organization_id o, (select count(*) from matches) n from (
          (select created_at k0, id k1 from matches where (select count(*) from matches) <= 1000
           order by created_at desc, id desc limit 9)
          union all (select p.created_at, p.id from app.leads p where p.search_text like '%lead%'
           and (select count(*) from matches) > 1000 order by p.created_at desc, p.id desc limit 9) limit 9) k
        join app.leads l on l.id = k.k1 order by k.k0 desc, k.k1 desc""",
    "inlined cte": """with a as not materialized (select * from leads)
        select id, organization_id o from a where score > 90""",
    "recursive cte": """with recursive walk as (
        (select id, organization_id o, 1 n from leads order by id limit 1)
        union all select l.id, l.organization_id, n + 1 from walk, lateral (
          select id, organization_id from leads where id > walk.id order by id limit 1) l where n < 5)
        select * from walk""",
    "window": """select id, organization_id o, row_number() over (partition by stage order by created_at, id) n
        from leads order by id limit 20""",
    "distinct": "select distinct organization_id o from leads",
    "distinct on": "select distinct on (stage) stage, id, organization_id o from leads order by stage, id",
    "scalar sub-selects": """select (select count(*) from leads) n, (select min(organization_id::text) from leads) o,
        (select jsonb_agg(x.id) from (select id from leads order by created_at desc, id desc limit 5) x) ids""",
    "exists": """select id, organization_id o from leads l where exists (
        select from statuses s where s.id = l.status_id and s.key <> 'lost') order by id limit 5""",
    "not in": """select id, organization_id o from leads where status_id not in (
        select id from statuses where stage = 'WON') order by id limit 5""",
    "aggregated json": """select l.id, l.organization_id o, (
        select coalesce(json_agg(json_build_object('text', n.text)), '[]')
        from notes n where n.lead_id = l.id) notes from leads l order by id limit 5""",
    "partitioned table": "select count(*) n, min(organization_id::text) o from import_issues",
}
GATED = "select q.* from ({}) q where (select set_config('app.organization_id', $1, true)) is not null"


INSTALLED = sorted({folder.resolve() for pattern in KNOWN_FOLDERS for folder in Path("/").glob(pattern)})
OTHERS = [
    folder for folder in INSTALLED if (major_of(folder) or 0) >= OLDEST_MAJOR and folder != find_binaries().resolve()
]


@pytest.fixture(
    scope="module", params=[None, *OTHERS], ids=lambda folder: f"PostgreSQL {major_of(folder)}" if folder else "this"
)
def place(request: pytest.FixtureRequest, template_database: str) -> Iterator[str]:
    """The administrator's address of a migrated database of each version."""
    if request.param is None:
        with cloned(template_database) as dsn:
            yield dsn
        return
    with running(request.param) as cluster:
        migrate(cluster.dsn(), SECRET)
        yield cluster.dsn()


@pytest.fixture(scope="module")
async def database(place: str) -> AsyncIterator[Database]:
    async with opened(Database, app_dsn(place, SECRET)) as database:
        yield database


@pytest.fixture(scope="module")
async def organizations(place: str, database: Database) -> tuple[OrganizationRecord, OrganizationRecord]:
    async with opened(SystemDatabase, system_dsn(place, SECRET)) as system:
        ours, theirs = await maker(system)(), await maker(system)()
    for organization in (ours, theirs):
        await add_leads(database, organization, 400)
    return ours, theirs


@pytest.mark.parametrize("shape", SHAPES)
async def test_s17_a_statement_behind_the_gate_shows_the_organization_it_names(
    shape: str, place: str, organizations: tuple[OrganizationRecord, OrganizationRecord]
):
    ours, theirs = organizations
    connection = await asyncpg.connect(for_asyncpg(app_dsn(place, SECRET)).dsn)
    try:
        answers = {
            (before and before[-4:], plan): await answer(connection, SHAPES[shape], before, plan, str(ours.id))
            for before in (None, str(theirs.id), str(ours.id))
            for plan in ("auto", "force_generic_plan", "force_custom_plan")
        }
    finally:
        await connection.close()
    expected = next(iter(answers.values()))
    assert expected
    assert all(rows == expected for rows in answers.values()), answers
    assert {row["o"] and str(row["o"]) for row in expected} <= {str(ours.id), None}


async def answer(
    connection: asyncpg.Connection, shape: str, before: str | None, plan: str, organization: str
) -> list[dict[str, object]]:
    await connection.execute(f"reset all; set plan_cache_mode = {plan}")
    if before is not None:
        await connection.execute(f"set app.organization_id = '{before}'")
    statement = await connection.prepare(GATED.format(shape))
    for _ in range(6):  # from the sixth run on PostgreSQL may choose the generic plan
        rows = await statement.fetch(organization)
    return [dict(row) for row in rows]


def test_s17_the_tested_gate_is_the_one_that_reads_go_through():
    assert "x".join(GATE) == GATED.format("x")


async def test_s17_a_cast_error_does_not_tell_a_foreign_value(
    database: Database, organizations: tuple[OrganizationRecord, OrganizationRecord]
):
    ours, theirs = organizations
    async with database.unit(theirs.id) as connection:
        await connection.execute("update leads set external_id = 'secret of theirs'")
    async with database.unit(ours.id) as connection:
        await connection.execute("update leads set external_id = '7'")
    rows = await database.read(ours.id, "select id from leads where external_id::int = 7")
    assert len(rows) == 400
