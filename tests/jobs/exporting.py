"""Exports from request to file, carried out by the worker's own code in this process."""

import csv
import io
import json
from uuid import UUID

from db.job_files import files_of
from db.jobs import load_job
from domain.actors import Actor
from domain.exports import ExportRequest, ExportSpec
from domain.jobs import JobFileRecord, JobRecord
from domain.records import OrganizationRecord
from domain.vocabulary import JobFileRole, JobKind, Role
from jobs.export_requests import submit_export
from jobs.exports import run_export
from jobs.handlers import Handler
from jobs.queue import DispatchOptions, Token
from jobs.runtime import Runtime
from jobs.worker import Worker
from tests.conftest import actor_of

OPTIONS = DispatchOptions(dsn="", large=1, small=1, drain_seconds=1)


class Exporting:
    """An organization, somebody in it, and short ways to export."""

    def __init__(self, runtime: Runtime, organization: OrganizationRecord, role: Role = Role.OWNER) -> None:
        self.runtime = runtime
        self.organization = organization
        self.actor: Actor = actor_of(role, organization)

    async def submit(self, **spec: object) -> JobRecord:
        return await submit_export(self.runtime, self.actor, ExportRequest(spec=ExportSpec(**spec)))

    async def run(self, job: JobRecord, handler: Handler = run_export) -> JobRecord:
        async with self.runtime.database.unit(self.organization.id) as connection:
            stored = await load_job(connection, job.id)
        assert stored is not None
        worker = Worker(self.runtime, OPTIONS, {JobKind.EXPORT: handler})
        await worker.deliver(Token(self.organization.id, job.id, stored.engine_id or 0))
        return await self.load(job.id)

    async def load(self, job_id: UUID) -> JobRecord:
        async with self.runtime.database.unit(self.organization.id) as connection:
            stored = await load_job(connection, job_id)
        assert stored is not None
        return stored.record

    async def export(self, **spec: object) -> JobRecord:
        return await self.run(await self.submit(**spec))

    async def file(self, job: JobRecord, role: JobFileRole = JobFileRole.DATA) -> JobFileRecord:
        async with self.runtime.database.unit(self.organization.id) as connection:
            files = (await files_of(connection, [job.id]))[job.id]
        [found] = [file for file in files if file.role is role]
        return found

    async def bytes(self, job: JobRecord, role: JobFileRole = JobFileRole.DATA) -> bytes:
        file = await self.file(job, role)
        return b"".join([piece async for piece in self.runtime.store.read(file.key)])

    async def rows(self, job: JobRecord) -> list[list[str]]:
        text = (await self.bytes(job)).decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text, newline="")))

    async def manifest(self, job: JobRecord) -> dict[str, object]:
        return json.loads(await self.bytes(job, JobFileRole.MANIFEST))

    async def activity(self) -> list[str]:
        sql = "select action from activity order by at, id"
        return [row["action"] for row in await self.runtime.database.read(self.organization.id, sql)]
