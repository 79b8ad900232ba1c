"""Imports that are cancelled know how many rows their file has, whatever they were doing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from db.locks import Lock, take
from domain.jobs import JobRecord
from domain.vocabulary import JobState
from jobs.lifecycle import cancel
from jobs.runtime import Runtime
from tests.conftest import MakeOrganization
from tests.jobs.importing import Importing, csv, result_of, shown, working
from tests.jobs.under_fire import until

ROWS = 12_000
WAITING = """select exists (select from pg_locks join pg_database d on d.oid = database
where locktype = 'advisory' and not granted and datname = current_database())"""


@pytest.fixture
async def busy(runtime: Runtime, database_url: str, new_organization: MakeOrganization) -> AsyncIterator[Importing]:
    async with working(runtime, database_url):
        yield Importing.of(runtime, await new_organization())


def rows(count: int, source: str = "web") -> bytes:
    return csv(*((f"Lead {n}", f"+1212{2_000_000 + n}", source) for n in range(count)))


@asynccontextmanager
async def locked_out(busy: Importing, data: bytes, **request: object) -> AsyncIterator[JobRecord]:
    """An import that is cancelled while it waits for the organization's lock, which is held here."""
    async with busy.runtime.database.unit(busy.organization.id) as connection:
        await take(connection, Lock.LEADS, busy.organization.id)
        job = await busy.start(data, allow_same_file=True, **request)

        async def waiting() -> bool:
            return bool(await connection.fetchval(WAITING))

        await until(waiting)
        await cancel(busy.runtime, busy.actor, job.id)
        yield job


async def test_a_block_that_outlasts_the_cancelling_is_given_up_and_the_rows_are_counted(busy: Importing):
    async with locked_out(busy, rows(ROWS)) as job:
        ended = await busy.ended(job)
    counts, total = result_of(ended).counts, result_of(ended).total_rows
    assert ended.state is JobState.CANCELLED
    assert (counts.created, counts.unprocessed, total) == (0, ROWS, ROWS)
    assert await busy.leads() == []


async def test_a_cancelled_retry_counts_its_own_rows_alone(busy: Importing):
    bad = rows(ROWS, "nowhere").splitlines(keepends=True)
    first = await busy.run(rows(1_000) + b"".join(bad[1_001:]))
    assert result_of(first).counts.failed == ROWS - 1_000
    async with locked_out(busy, rows(ROWS), retry_of=shown(first)) as job:
        pass
    ended = await busy.ended(job)
    counts = result_of(ended).counts
    assert ended.state is JobState.CANCELLED
    assert counts.unprocessed > 0
    assert result_of(ended).total_rows == counts.created + counts.unprocessed == ROWS - 1_000
