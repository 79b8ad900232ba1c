"""Exports of the activity log, from the request to the file: one snapshot, one file, its manifest, or nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from db.activity_copy import copy_of_activity, count_activity
from db.activity_reads import ActivityList
from db.connections import Connection
from db.export_snapshot import open_snapshot
from db.organizations import load_organization
from domain import date_format
from domain.activity import ActivityExportRequest
from domain.activity_exports import ACTIVITY_COLUMNS, ResolvedActivityExport, resolve_activity_export
from domain.actors import Actor
from domain.errors import BadInput
from domain.export_names import CONTENT_TYPES
from domain.exports import ExportResult
from domain.ids import IdKind, format_id, new_id
from domain.job_requests import SMALL_ROW_COUNT, NewFile, NewJob
from domain.jobs import JobRecord
from domain.json import JsonObject
from domain.records import OrganizationRecord
from domain.stored import decode, encode, to_json
from domain.vocabulary import JobFileRole, JobKind, JobState, Permission
from jobs.export_manifest import MEDIA_TYPE, VERSION, manifest_name, store_manifest
from jobs.export_stream import Outlet, Stream, write_stream
from jobs.exports import time_limit
from jobs.lifecycle import submit
from jobs.running import JobEnd, RunningJob
from jobs.runtime import Runtime
from storage.store import StoredObject
from transfer.write_csv import CsvDialect
from transfer.write_file import FilePlan, RowWriter, row_writer

__all__ = ["run_activity_export", "submit_activity_export"]

_LONGEST_NAME: Final = 200


async def submit_activity_export(runtime: Runtime, actor: Actor, request: ActivityExportRequest) -> JobRecord:
    """Queue an export of the log. Raises BadInput for a wrong filter, Forbidden without ACTIVITY_READ."""
    actor.require(Permission.ACTIVITY_READ)
    async with runtime.database.unit(actor.organization_id) as connection:
        organization = await load_organization(connection)
        resolved = resolve_activity_export(request, organization.settings.time_zone, datetime.now(UTC))
        try:
            rows = await _count(connection, _wanted(organization, resolved), SMALL_ROW_COUNT + 1)
        except BadInput as error:
            raise error.under("input") from error
        job = NewJob(
            kind=JobKind.ACTIVITY_EXPORT,
            name=f"Activity export: {resolved.filter_text}"[:_LONGEST_NAME],
            spec=encode(resolved),
            large=rows > SMALL_ROW_COUNT,
            summary=f"Export of the activity log as {resolved.format}",
            details={"file": resolved.file_name, "format": resolved.format.name},
        )
        return await submit(runtime, actor, job, connection)


async def run_activity_export(runtime: Runtime, job: RunningJob) -> JobEnd:
    """The handler of ACTIVITY_EXPORT: after an interruption it begins anew, under keys of its own.

    Raises JobFailed, JobCancelled, JobFenced, StorageUnavailable, asyncpg.PostgresError.
    """
    resolved = decode(ResolvedActivityExport, job.record.spec)
    job.report("counting", 0, None)
    async with time_limit(), runtime.database.snapshot(job.organization_id) as connection:
        snapshot = await open_snapshot(connection, resolved.time_zone)
        organization = await load_organization(connection)
        rows = await _count(connection, _wanted(organization, resolved))
        run = _Run(runtime, job, organization, resolved, snapshot.at, rows)
        stored = await run.write_data(connection)
    return await run.end(stored)


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of an export of so many rows, as they were at `moment`."""

    runtime: Runtime
    job: RunningJob
    organization: OrganizationRecord
    resolved: ResolvedActivityExport
    moment: datetime
    rows: int

    async def write_data(self, connection: Connection) -> StoredObject:
        resolved = self.resolved
        kind, key = CONTENT_TYPES[resolved.format], self.job.key("data")
        copy = copy_of_activity(_wanted(self.organization, resolved), resolved)
        stream = Stream([copy], self._writer(), self.rows)
        async with self.runtime.store.writer(key, content_type=kind, download_name=resolved.file_name) as target:
            await write_stream(connection, stream, Outlet(target, bytes), self._report)
        return target.stored()

    async def end(self, stored: StoredObject) -> JobEnd:
        """The files of the job and what it recorded; they are there for others once this is written."""
        name = self.resolved.file_name
        data = self._file(JobFileRole.DATA, name, CONTENT_TYPES[self.resolved.format], stored)
        manifest = await store_manifest(self.runtime.store, self.job.key("manifest"), name, self._manifest(stored))
        described = self._file(JobFileRole.MANIFEST, manifest_name(name), MEDIA_TYPE, manifest)
        return JobEnd(
            state=JobState.COMPLETED,
            result=encode(ExportResult(row_count=self.rows, snapshot_at=self.moment, file_id=data.id)),
            files=(data, described),
            row_count=self.rows,
            byte_count=stored.bytes,
            expires_at=data.expires_at,
            summary=f"{self.rows:,} activity entries exported to {name}",
            details={"file": name, "entries": self.rows},
        )

    def _report(self, rows: int) -> None:
        self.job.report("writing", rows, self.rows)

    def _writer(self) -> RowWriter:
        plan = FilePlan(
            format=self.resolved.format,
            headers=[column.header for column in self.resolved.columns],
            types=[ACTIVITY_COLUMNS[column.key].type for column in self.resolved.columns],
            total=self.rows,
            dialect=CsvDialect(bom=True),
            date_pattern=date_format.to_postgresql(date_format.DEFAULT) or "",
            moment=self.moment,
            about=(
                ("File", self.resolved.file_name),
                ("Rows", str(self.rows)),
                ("Activity", self.resolved.filter_text),
                ("Taken at", self.moment.isoformat(timespec="seconds")),
                ("Time zone", self.resolved.time_zone),
            ),
            sheet="Activity",
        )
        return row_writer(plan)

    def _manifest(self, stored: StoredObject) -> JsonObject:
        resolved = self.resolved
        return {
            "manifestVersion": VERSION,
            "job": format_id(IdKind.JOB, self.job.id),
            "organization": self.organization.slug,
            "file": resolved.file_name,
            "format": resolved.format.name,
            "rows": self.rows,
            "bytes": stored.bytes,
            "sha256": stored.sha256,
            "snapshotAt": self.moment.isoformat(),
            "filterDescription": resolved.filter_text,
            "columns": [{"key": column.key, "header": column.header} for column in resolved.columns],
            "timeZone": resolved.time_zone,
            "filter": to_json(resolved.filter),
        }

    def _file(self, role: JobFileRole, name: str, content_type: str, stored: StoredObject) -> NewFile:
        days = self.organization.settings.export_retention_days
        return NewFile(
            id=new_id(),
            role=role,
            name=name,
            key=stored.key,
            content_type=content_type,
            bytes=stored.bytes,
            sha256=stored.sha256,
            expires_at=datetime.now(UTC) + timedelta(days=days),
            rows=self.rows if role is JobFileRole.DATA else None,
            uploader_id=self.job.record.actor.id,
        )


def _wanted(organization: OrganizationRecord, resolved: ResolvedActivityExport) -> ActivityList:
    zone = ZoneInfo(resolved.time_zone)
    return ActivityList(organization_id=organization.id, now=resolved.asked_at, zone=zone, filter=resolved.filter)


async def _count(connection: Connection, wanted: ActivityList, at_most: int | None = None) -> int:
    statement = count_activity(wanted, at_most)
    rows: int = await connection.fetchval(statement.sql, *statement.arguments)
    return rows
