"""Figures from jobs, through the API."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.ids import new_id
from domain.vocabulary import JobKind, JobState, Permission, Role
from tests.resolvers.office import Desk, Office

STATS = "jobs rows failedJobs errorRate p50Seconds p95Seconds rowsPerSecond bytes"
METRICS = f"""query($from: DateTime!, $to: DateTime!, $first: Int = 10) {{ metrics(from: $from, to: $to) {{
  imports {{ {STATS} }} exports {{ {STATS} }} bulk {{ {STATS} }} topIssues(first: $first) {{ code field rows }} }} }}"""
START = datetime(2026, 3, 1, tzinfo=UTC)
NOTHING = {
    "jobs": 0, "rows": "0", "failedJobs": 0, "errorRate": 0.0, "p50Seconds": None, "p95Seconds": None,
    "rowsPerSecond": None, "bytes": "0",
}  # fmt: skip


async def ended(
    desk: Desk,
    kind: JobKind,
    seconds: float | None,
    rows: int = 0,
    *,
    state: JobState = JobState.COMPLETED,
    result: dict[str, object] | None = None,
    after: timedelta = timedelta(0),
    epoch: int = 1,
    issues: tuple[tuple[str, str | None, int], ...] = (),
) -> None:
    """A job that ended so long after START, having run for so many seconds."""
    finished = START + after
    started = None if seconds is None else finished - timedelta(seconds=seconds)
    job_id = new_id()
    async with desk.runtime.database.unit(desk.organization.id) as connection:
        await connection.execute(
            "insert into jobs (id, kind, state, name, actor_kind, actor_name, trigger, spec, result, row_count,"
            " byte_count, epoch, created_at, started_at, finished_at)"
            " values ($1, $2, $3, 'job', 'USER', 'Owner', 'USER', '{}', $4, $5, $6, $7, $8, $9, $10)",
            job_id, kind, state, result or {}, rows, rows * 10, epoch, finished - timedelta(hours=1), started, finished,
        )  # fmt: skip
        await connection.executemany(
            "insert into import_issue_groups (job_id, group_key, code, severity, field, rows, first_row, message)"
            " values ($1, $2, $3, 'ERROR', $4, $5, 2, '')",
            [(job_id, f"{number}", code, field, count) for number, (code, field, count) in enumerate(issues)],
        )


async def metrics(
    desk: Desk, start: datetime = START, end: datetime = START + timedelta(days=1), **more: object
) -> dict:
    answer = await desk.ask(METRICS, **{"from": start.isoformat(), "to": end.isoformat(), **more})
    return answer["metrics"]


async def test_each_family_counts_its_own_jobs_rows_failures_and_bytes(desk: Desk):
    await ended(desk, JobKind.IMPORT, 2, 100, result={"counts": {"failed": 10}}, state=JobState.COMPLETED_WITH_ERRORS)
    await ended(desk, JobKind.IMPORT, 4, 300, result={"counts": {"failed": 30}})
    await ended(desk, JobKind.REVERT, 6, 100)
    await ended(desk, JobKind.IMPORT, None, 0, state=JobState.FAILED)
    await ended(desk, JobKind.EXPORT, 1, 50)
    await ended(desk, JobKind.ACTIVITY_EXPORT, 3, 150, state=JobState.FAILED)
    await ended(desk, JobKind.BULK_DELETE, 5, 10, result={"failed": 5})
    found = await metrics(desk)
    assert found["imports"] == {
        "jobs": 4, "rows": "500", "failedJobs": 1, "errorRate": pytest.approx(0.08), "p50Seconds": 4.0,
        "p95Seconds": pytest.approx(5.8), "rowsPerSecond": pytest.approx(500 / 12), "bytes": "5000",
    }  # fmt: skip
    assert found["exports"] == {
        "jobs": 2, "rows": "200", "failedJobs": 1, "errorRate": 0.0, "p50Seconds": 2.0, "p95Seconds": 2.9,
        "rowsPerSecond": 50.0, "bytes": "2000",
    }  # fmt: skip
    assert (found["bulk"]["jobs"], found["bulk"]["errorRate"]) == (1, 0.5)


async def test_without_jobs_every_figure_is_there_and_empty(desk: Desk):
    assert await metrics(desk) == {"imports": NOTHING, "exports": NOTHING, "bulk": NOTHING, "topIssues": []}


async def test_a_job_belongs_to_the_time_in_which_it_ended_the_start_included_and_the_end_not(desk: Desk):
    for after in (timedelta(microseconds=-1), timedelta(0), timedelta(hours=23), timedelta(days=1)):
        await ended(desk, JobKind.EXPORT, 1, 1, after=after)
    assert (await metrics(desk))["exports"]["jobs"] == 2


async def test_the_time_that_a_job_waited_for_somebody_is_not_its_own(desk: Desk):
    await ended(desk, JobKind.IMPORT, 2, 100)
    await ended(desk, JobKind.IMPORT, 90_000, 100, epoch=2)
    found = (await metrics(desk))["imports"]
    assert (found["jobs"], found["p95Seconds"], found["rowsPerSecond"]) == (2, 2.0, 50.0)


async def test_jobs_that_have_not_ended_do_not_count(desk: Desk):
    async with desk.runtime.database.unit(desk.organization.id) as connection:
        await connection.execute(
            "insert into jobs (id, kind, state, name, actor_kind, actor_name, trigger, spec, result, created_at)"
            " values ($1, 'IMPORT', 'AWAITING_REVIEW', 'job', 'USER', 'Owner', 'USER', '{}', '{}', $2)",
            new_id(), START,
        )  # fmt: skip
    assert (await metrics(desk))["imports"] == NOTHING


async def test_the_commonest_issues_are_summed_over_imports_and_bounded(desk: Desk):
    issues = (("REQUIRED", "phone", 3), ("REQUIRED", "phone", 4), ("UNKNOWN_VALUE", "custom.kind", 5))
    await ended(desk, JobKind.IMPORT, 1, 10, issues=issues)
    await ended(desk, JobKind.IMPORT, 1, 10, issues=(("UNKNOWN_VALUE", "custom.kind", 1), ("CONSTRAINT", None, 2)))
    await ended(desk, JobKind.IMPORT, 1, 10, issues=(("REQUIRED", "name", 99),), after=timedelta(days=1))
    assert (await metrics(desk))["topIssues"] == [
        {"code": "REQUIRED", "field": "phone", "rows": "7"},
        {"code": "UNKNOWN_VALUE", "field": "custom.kind", "rows": "6"},
        {"code": "CONSTRAINT", "field": None, "rows": "2"},
    ]
    assert len((await metrics(desk, first=1))["topIssues"]) == 1


async def test_a_real_job_is_counted_with_its_rows_and_bytes(desk: Desk):
    await desk.leads({"name": "A"})
    export = """mutation { exportLeads(input: {spec: {columns: [{field: NAME}]}, waitSeconds: 20}) {
      job { state rowCount file { bytes } } } }"""
    job = (await desk.ask(export))["exportLeads"]["job"]
    now = datetime.now(UTC)
    found = (await metrics(desk, now - timedelta(minutes=5), now + timedelta(minutes=5)))["exports"]
    assert (found["jobs"], found["rows"], found["bytes"]) == (1, "1", job["file"]["bytes"])
    assert 0 < found["p50Seconds"] < 60


async def test_instants_without_offset_are_of_the_organizations_zone(desk: Desk):
    await ended(desk, JobKind.EXPORT, 1, 1, after=timedelta(hours=-1))
    zone = "update organizations set settings = settings || $1"
    async with desk.runtime.database.unit(desk.organization.id) as connection:
        await connection.execute(zone, {"timeZone": "Asia/Tokyo"})
    answer = await desk.ask(METRICS, **{"from": "2026-03-01T08:00:00", "to": "2026-03-01T09:00:00"})
    assert answer["metrics"]["exports"]["jobs"] == 1


@pytest.mark.parametrize(
    "variables",
    [
        {"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"},
        {"from": "2026-03-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"},
        {"from": "yesterday", "to": "2026-03-01T00:00:00Z"},
        {"from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z", "first": 0},
        {"from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z", "first": 101},
    ],
)
async def test_a_wrong_time_or_number_is_told(desk: Desk, variables: dict[str, object]):
    assert await desk.refusal(METRICS, **variables) == "BAD_USER_INPUT"


async def test_a_local_time_that_ends_after_the_last_year_is_told(office: Office):
    desk = await office.desk(zone="America/New_York")
    times = {"from": "2026-03-01T00:00:00", "to": "9999-12-31T23:00:00"}
    assert await desk.refusal(METRICS, **times) == "BAD_USER_INPUT"


async def test_s15_the_jobs_of_another_organization_are_not_counted(desk: Desk):
    stranger = await desk.office.desk()
    await ended(stranger, JobKind.IMPORT, 1, 10, issues=(("REQUIRED", "phone", 3),))
    assert await metrics(desk) == {"imports": NOTHING, "exports": NOTHING, "bulk": NOTHING, "topIssues": []}


@pytest.mark.parametrize("role", list(Role))
async def test_s16_every_role_may_see_them_as_it_may_see_the_jobs(desk: Desk, role: Role):
    assert (await metrics(desk.seat(role)))["imports"] == NOTHING


async def test_s16_a_program_that_may_not_read_leads_may_not_see_them(desk: Desk):
    variables = {"from": START.isoformat(), "to": (START + timedelta(days=1)).isoformat()}
    assert await desk.program(Permission.ACTIVITY_READ).refusal(METRICS, **variables) == "FORBIDDEN"
