"""F1: imports whose worker is killed at random points lose nothing, double nothing and end as if nobody had."""

import random

import pytest

from domain.imports import ImportOptions
from domain.vocabulary import JobState, MergeStrategy
from jobs.runtime import Runtime
from tests.conftest import MakeOrganization
from tests.jobs.importing import Importing, counts_of, working
from tests.jobs.under_fire import Fire, check_invariants, import_under_fire, many, table

KILLS = 4
"""In one import: the fifth run is the last that a job is given."""


async def compare(
    fire: Fire, calm: Importing, fresh: MakeOrganization, strategy: MergeStrategy, *, rows: int, runs: list[list[float]]
) -> None:
    """Import into organizations with the same tenth of the leads: once undisturbed, then each time under fire."""
    data, before = many(rows, rows), many(rows // 10, 1, first=rows // 3)
    async with working(calm.runtime, fire.url):
        await calm.ended(await calm.start(before), 600)
        quiet = await calm.ended(await calm.start(data, options=ImportOptions(merge_strategy=strategy)), 600)
    expected = await table(calm)
    for points in runs:
        importing = Importing.of(calm.runtime, await fresh())
        async with working(calm.runtime, fire.url):
            await importing.ended(await importing.start(before), 600)
        job = await import_under_fire(fire, importing, data, strategy, points)
        assert job.state is JobState.COMPLETED_WITH_ERRORS
        assert counts_of(job) == counts_of(quiet)
        await check_invariants(importing, job, strategy)
        assert await table(importing) == expected


@pytest.mark.parametrize(
    ("strategy", "seed"),
    [pytest.param(MergeStrategy.SKIP, 1, marks=pytest.mark.chaos), (MergeStrategy.OVERWRITE, 2)],
    ids=["SKIP", "OVERWRITE"],
)
async def test_f1_a_killed_worker_loses_and_doubles_nothing(
    fire: Fire, runtime: Runtime, new_organization: MakeOrganization, strategy: MergeStrategy, seed: int
):
    choose = random.Random(seed)
    calm = Importing.of(runtime, await new_organization())
    runs = [[choose.uniform(0, 0.6) for _ in range(2)]]
    await compare(fire, calm, new_organization, strategy, rows=30_000, runs=runs)


@pytest.mark.chaos
@pytest.mark.parametrize("strategy", list(MergeStrategy))
async def test_f1_twenty_kills_of_a_long_import_leave_the_table_of_an_undisturbed_run(
    fire: Fire, runtime: Runtime, new_organization: MakeOrganization, strategy: MergeStrategy
):
    choose = random.Random(str(strategy))
    calm = Importing.of(runtime, await new_organization())
    runs = [[choose.uniform(0, 0.95) for _ in range(KILLS)] for _ in range(20 // KILLS)]
    await compare(fire, calm, new_organization, strategy, rows=300_000, runs=runs)
