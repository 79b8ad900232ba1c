"""A long activity log is read page by page from its index, over all its monthly partitions."""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from db.activity_reads import ActivityList, list_activity
from db.pool import GATE, Database
from db.system import SystemDatabase
from domain.activity import ActivityFilter
from domain.paging import PageRequest
from domain.records import OrganizationRecord
from tests.conftest import maker

ENTRIES = 30_000
SEED = """
insert into activity (id, at, action, actor_kind, actor_name, summary)
select gen_random_uuid(), now() + (n - $1) * interval '3 minutes', 'LEAD_UPDATED', 'SYSTEM', 'x', 'act ' || n
from generate_series(1, $1::int) n
"""


class Recorder:
    """The server's database, keeping what was read."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.read_last: tuple[str, tuple[object, ...]] = ("", ())

    async def read(self, organization_id: object, sql: str, *args: object) -> object:
        self.read_last = sql, args
        return await self.database.read(organization_id, sql, *args)


async def seeded(database: Database, system: SystemDatabase) -> OrganizationRecord:
    organization = await maker(system)()
    async with database.unit(organization.id) as connection:
        await connection.execute(SEED, ENTRIES)
    return organization


def scans(plan: dict[str, object]) -> Iterator[tuple[str, int]]:
    """Node type and rows of every leaf that reads the log."""
    if str(plan.get("Relation Name", "")).startswith("activity"):
        yield str(plan["Node Type"]), int(plan["Actual Rows"]) * int(plan["Actual Loops"])
    for inner in plan.get("Plans", []):
        yield from scans(inner)


async def test_a_page_deep_in_a_long_log_reads_its_own_entries_alone(
    database: Database, system_database: SystemDatabase
) -> None:
    organization = await seeded(database, system_database)
    wanted = ActivityList(organization_id=organization.id, now=datetime.now(UTC), zone=ZoneInfo("UTC"))
    recorder = Recorder(database)
    first = await list_activity(recorder, wanted, PageRequest(20))
    assert first.items[0].summary == f"act {ENTRIES}"
    assert first.count is not None
    assert (await first.count()).exact is False
    cursor = first.cursors[-1]
    for _ in range(3):
        page = await list_activity(recorder, wanted, PageRequest(500, cursor))
        cursor = page.cursors[-1]
    deep = await list_activity(recorder, wanted, PageRequest(20, cursor))
    assert deep.items[0].summary == f"act {ENTRIES - 20 - 1500}"
    sql, args = recorder.read_last
    async with database.unit(organization.id) as connection:
        explained = f"explain (analyze, format json) {sql.join(GATE)}"
        plan = (await connection.fetchval(explained, str(organization.id), *args))[0]["Plan"]
    found = list(scans(plan))
    assert found
    assert {kind for kind, _ in found} == {"Index Scan"}
    assert sum(rows for _, rows in found) <= 21 + len(found)


async def test_a_search_goes_through_a_long_log_within_the_statements_time(
    database: Database, system_database: SystemDatabase
) -> None:
    organization = await seeded(database, system_database)
    wanted = ActivityList(
        organization_id=organization.id,
        now=datetime.now(UTC),
        zone=ZoneInfo("UTC"),
        filter=ActivityFilter(search="ACT 777"),
    )
    page = await list_activity(database, wanted, PageRequest(20))
    assert [entry.summary for entry in page.items] == [
        *(f"act {number}" for number in range(7779, 7769, -1)), "act 777",
    ]  # fmt: skip
