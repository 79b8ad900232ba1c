"""Carries out exports: one snapshot, one file (or an archive of parts), its manifest, or nothing at all."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from db.connections import Connection
from db.deliveries import plan_deliveries
from db.export_schedules import remember_token
from db.export_snapshot import Snapshot, count_selected, open_snapshot
from db.organizations import load_organization
from domain.errors import JobFailed
from domain.export_names import CONTENT_TYPES, PACKED_TYPES
from domain.exports import ExportResult, ResolvedExport
from domain.ids import new_id
from domain.job_requests import NewFile
from domain.records import OrganizationRecord
from domain.stored import decode, encode
from domain.vocabulary import JobFailureCode, JobFileRole, JobState
from jobs.export_manifest import MEDIA_TYPE, Made, about, as_told, manifest, manifest_name, store_manifest
from jobs.export_mock import with_mock_leads
from jobs.export_parts import Layout, formatting_of, holds_masked_values, masks_of_export, masks_of_readers
from jobs.export_requests import selection_of
from jobs.export_writing import Writing, write_data
from jobs.running import JobEnd, RunningJob
from jobs.runtime import Runtime

LONGEST_SECONDS: Final = 3_600.0
"""How long a snapshot may be held: it keeps the database from clearing away old rows."""


async def run_export(runtime: Runtime, job: RunningJob) -> JobEnd:
    """The handler of EXPORT: after an interruption it begins anew, under keys of its own.

    Raises JobFailed, JobCancelled, JobFenced, StorageUnavailable, asyncpg.PostgresError.
    """
    resolved = decode(ResolvedExport, job.record.spec)
    job.report("counting", 0, None)
    async with time_limit(), runtime.database.snapshot(job.organization_id) as connection:
        snapshot = await open_snapshot(connection, resolved.time_zone)
        organization = await load_organization(connection)
        writing = await _writing(runtime, job, connection, (resolved, organization, snapshot))
        if not writing.layout.total and resolved.skip_when_empty:
            return _nothing(job, snapshot)
        stored = await write_data(writing)
    made = Made(resolved, snapshot.at, snapshot.delta_token, writing.layout.total, stored)
    return await _end(writing, organization, made)


@asynccontextmanager
async def time_limit() -> AsyncGenerator[None]:
    """Raises JobFailed where the block takes longer than a snapshot may be held."""
    limit = asyncio.timeout(LONGEST_SECONDS)
    try:
        async with limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise JobFailed(JobFailureCode.LIMIT_EXCEEDED, "The export took longer than an hour.") from None


async def _writing(
    runtime: Runtime,
    job: RunningJob,
    connection: Connection,
    given: tuple[ResolvedExport, OrganizationRecord, Snapshot],
) -> Writing:
    resolved, organization, snapshot = given
    selection = selection_of(resolved, organization, job.actor)
    if resolved.spec.sample_rows is not None:
        selection = await with_mock_leads(connection, selection, resolved.spec.sample_rows)
    total = await count_selected(connection, selection)
    layout = Layout(
        resolved=resolved,
        formatting=formatting_of(resolved, organization, masks_of_export(resolved, organization, job.actor)),
        total=total,
        moment=snapshot.at,
        about=partial(about, as_told(resolved, masks_of_readers(organization, job.actor)), snapshot.at),
    )
    return Writing(runtime, job, connection, selection, layout)


async def _end(writing: Writing, organization: OrganizationRecord, made: Made) -> JobEnd:
    """The files of the job and what it recorded; they are there for others once this is written."""
    expires_at = datetime.now(UTC) + timedelta(days=organization.settings.export_retention_days)
    resolved, job = made.resolved, writing.job
    sensitive = holds_masked_values(resolved, organization, job.actor)
    data = NewFile(
        id=new_id(),
        role=JobFileRole.DATA,
        name=resolved.file_name,
        key=made.stored.key,
        content_type=PACKED_TYPES.get(resolved.compression) or CONTENT_TYPES[resolved.format],
        bytes=made.stored.bytes,
        sha256=made.stored.sha256,
        expires_at=expires_at,
        rows=made.rows,
        sensitive=sensitive,
        uploader_id=job.record.actor.id,
    )
    described = await _write_manifest(writing, organization, made, expires_at)
    return JobEnd(
        state=JobState.COMPLETED,
        result=encode(_result(made, data.id)),
        files=(data, described),
        row_count=made.rows,
        byte_count=made.stored.bytes,
        expires_at=expires_at,
        summary=f"{made.rows} leads exported to {resolved.file_name}",
        lead_count=made.rows,
        details={"file": resolved.file_name, "unmasked": resolved.spec.unmask, "sample": _sample(resolved)},
        also=lambda connection: _publish(connection, writing, made, data),
    )


async def _write_manifest(
    writing: Writing, organization: OrganizationRecord, made: Made, expires_at: datetime
) -> NewFile:
    told = replace(made, resolved=as_told(made.resolved, masks_of_readers(organization, writing.job.actor)))
    document = manifest(told, writing.job.id, organization.slug)
    key, name = writing.job.key("manifest"), made.resolved.file_name
    stored = await store_manifest(writing.runtime.store, key, name, document)
    return NewFile(
        id=new_id(),
        role=JobFileRole.MANIFEST,
        name=manifest_name(name),
        key=stored.key,
        content_type=MEDIA_TYPE,
        bytes=stored.bytes,
        sha256=stored.sha256,
        expires_at=expires_at,
        uploader_id=writing.job.record.actor.id,
    )


async def _publish(connection: Connection, writing: Writing, made: Made, data: NewFile) -> None:
    """What becomes true together with the file: its deliveries, and where its schedule goes on."""
    await plan_deliveries(connection, writing.job.id, data, made.resolved.deliver)
    if not _sample(made.resolved):
        await _go_on(connection, writing.job, made.delta_token)


def _nothing(job: RunningJob, snapshot: Snapshot) -> JobEnd:
    result = ExportResult(row_count=0, snapshot_at=snapshot.at, delta_token=snapshot.delta_token)
    return JobEnd(
        state=JobState.COMPLETED,
        result=encode(result),
        summary="Nothing to export",
        lead_count=0,
        also=lambda connection: _go_on(connection, job, snapshot.delta_token),
    )


async def _go_on(connection: Connection, job: RunningJob, token: str) -> None:
    if job.record.schedule_id is not None:
        await remember_token(connection, job.record.schedule_id, token)


def _result(made: Made, file_id: UUID) -> ExportResult:
    sample = _sample(made.resolved)
    return ExportResult(
        row_count=made.rows,
        snapshot_at=None if sample else made.snapshot_at,
        delta_token=None if sample else made.delta_token,
        file_id=file_id,
    )


def _sample(resolved: ResolvedExport) -> bool:
    return resolved.spec.sample_rows is not None
