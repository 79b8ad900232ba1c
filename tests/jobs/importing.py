"""Imports through the real job: a file into the store, the use case, a worker, and the leads that came of it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from db.roles import system_dsn
from domain.actors import Actor
from domain.ids import IdKind, format_id, parse_id
from domain.imports import ColumnMapping, ImportOptions, ImportRequest, ImportResult
from domain.jobs import JobRecord
from domain.records import OrganizationRecord
from domain.stored import decode
from domain.vocabulary import JobFileRole, LeadFieldKey, MergeStrategy, Role
from jobs.import_requests import import_leads
from jobs.progress import wait
from jobs.queue import DispatchOptions
from jobs.runtime import Runtime
from jobs.uploads import receive
from jobs.worker import Worker
from tests.conftest import SECRET, actor_of

PATIENCE = 60


@asynccontextmanager
async def working(runtime: Runtime, database_url: str, **options: float) -> AsyncIterator[Worker]:
    """A worker in this process, with the product's own handlers."""
    dispatch = DispatchOptions(
        dsn=system_dsn(database_url, SECRET), large=4, small=8, drain_seconds=5, **{"lease_seconds": 10, **options}
    )
    worker, stop = Worker(runtime, dispatch), asyncio.Event()
    task = asyncio.create_task(worker.run(stop))
    try:
        yield worker
    finally:
        stop.set()
        await task


def csv(*rows: Sequence[object], header: str = "name,phone,source") -> bytes:
    return "\n".join([header, *(",".join(map(str, row)) for row in rows), ""]).encode()


def to(column: str, field: LeadFieldKey, **more: object) -> ColumnMapping:
    return ColumnMapping(column=column, field=field, **more)


@dataclass
class Importing:
    """Somebody who imports into an organization."""

    runtime: Runtime
    organization: OrganizationRecord
    actor: Actor

    @classmethod
    def of(cls, runtime: Runtime, organization: OrganizationRecord, role: Role = Role.PRO) -> "Importing":
        return cls(runtime, organization, actor_of(role, organization))

    async def send(self, data: bytes, name: str = "leads.csv") -> str:
        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(data), 1 << 20):
                yield data[start : start + (1 << 20)]

        limits = self.organization.limits
        wide = type(limits)(max_inline_upload_bytes=limits.max_upload_bytes)
        upload = await receive(self.runtime, self.actor, wide, (name, chunks()))
        return format_id(IdKind.UPLOAD, upload.id)

    async def start(self, data: bytes, name: str = "leads.csv", **request: object) -> JobRecord:
        return await self.begin(await self.send(data, name), **request)

    async def begin(self, upload_id: str, **request: object) -> JobRecord:
        return await import_leads(self.runtime, self.actor, ImportRequest(upload_id=upload_id, **request))

    async def run(self, data: bytes, name: str = "leads.csv", **request: object) -> JobRecord:
        job = await self.start(data, name, **{"allow_same_file": True, **request})
        return await self.ended(job)

    async def ended(self, job: JobRecord, seconds: float = PATIENCE) -> JobRecord:
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            job = await wait(self.runtime, self.actor, job.id, 20)
            if job.terminal or job.state.startswith("AWAITING"):
                return job
            assert asyncio.get_running_loop().time() < deadline, job

    async def load(self, job_id: UUID) -> JobRecord:
        return await wait(self.runtime, self.actor, job_id, 0)

    async def rows(self, sql: str, *args: object) -> list[dict[str, object]]:
        return [dict(row) for row in await self.runtime.database.read(self.organization.id, sql, *args)]

    async def leads(self, columns: str = "name, phone_key", where: str = "true") -> list[tuple[object, ...]]:
        rows = await self.rows(f"select {columns} from app.leads where {where} order by id")
        return [tuple(row.values()) for row in rows]

    async def file(self, job: JobRecord, role: JobFileRole) -> bytes | None:
        rows = await self.rows("select key from app.job_files where job_id = $2 and role = $3", job.id, role)
        if not rows:
            return None
        return b"".join([piece async for piece in self.runtime.store.read(str(rows[0]["key"]))])


def result_of(job: JobRecord) -> ImportResult:
    return decode(ImportResult, job.result)


def counts_of(job: JobRecord) -> dict[str, int]:
    counts = result_of(job).counts
    return {
        name: value
        for name in ("created", "updated", "unchanged", "skipped", "failed", "unprocessed")
        if (value := getattr(counts, name))
    }


def overwriting(**options: object) -> ImportOptions:
    return ImportOptions(merge_strategy=MergeStrategy.OVERWRITE, **options)


def shown(job: JobRecord) -> str:
    return format_id(IdKind.JOB, job.id)


Columns = Mapping[str, str]
__all__ = ["Importing", "counts_of", "csv", "overwriting", "parse_id", "result_of", "shown", "to", "working"]
