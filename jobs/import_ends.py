"""How an import ends: its state, its counts, its error file, the line in the activity log."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from db.connections import Connection
from db.import_reads import refused_rows, unknown_values
from db.import_reports import fields_touched
from db.job_claims import insert_files
from db.merge_trial import forget
from domain.errors import JobFailed
from domain.ids import new_id
from domain.imports import FieldTouch, ImportCounts, ImportPlan, ImportResult, ImportSpec, ValueCount
from domain.job_requests import NewFile
from domain.lead_changes import shown_field
from domain.stored import encode
from domain.vocabulary import ImportIssueCode, JobFailureCode, JobFileRole, JobState
from jobs.import_child import parsing
from jobs.import_pass import rows_done
from jobs.import_source import Source, request_of
from jobs.import_touches import added_touches
from jobs.running import JobEnd, RunningJob
from jobs.runtime import Runtime
from transfer.messages import ChildMode, RowMessage

__all__ = ["abort", "awaiting", "cancelled", "committed", "error_file", "planned", "review", "with_unknown_values"]

_CHUNK: Final = 1 << 20
MAX_UNKNOWN_VALUES: Final = 200
_MESSAGES: Final = {
    ImportIssueCode.AMBIGUOUS_MATCH: "Several leads match: it cannot be told which one is meant.",
    ImportIssueCode.VERSION_CONFLICT: "The lead was changed since this file or plan was made.",
    ImportIssueCode.UNKNOWN_REFERENCE: "There is no lead with this id.",
    ImportIssueCode.CONSTRAINT: "The database does not take a value of this row.",
}
"""Of the codes that the merge refuses rows with; of others the child knows what to say."""


def committed(job: RunningJob, spec: ImportSpec, result: ImportResult, files: tuple[NewFile, ...]) -> JobEnd:
    """The end of a pass that wrote leads."""
    counts = result.counts
    state = JobState.COMPLETED_WITH_ERRORS if counts.failed else JobState.COMPLETED
    words = f"{counts.created} created, {counts.updated} updated, {counts.skipped} skipped, {counts.failed} failed"
    return JobEnd(
        state=state,
        result=encode(result),
        files=files,
        row_count=result.total_rows or 0,
        byte_count=spec.file_bytes,
        summary=f"Import {job.record.name}: {words}",
        lead_count=counts.created + counts.updated,
        details=dict(encode(counts)),
    )


async def planned(runtime: Runtime, job: RunningJob, result: ImportResult) -> ImportResult:
    """The result of a pass that only planned: the plan, exact, and nothing done yet."""
    async with runtime.database.unit(job.organization_id) as connection:
        touched = await fields_touched(connection, job.id)
        result = await with_unknown_values(connection, job, result)
    tally = result.tally
    plan = result.plan
    revision = 1 if plan is None else plan.revision
    changed = [replace(touch, field=name) for touch in touched if (name := shown_field(touch.field))]
    fields = added_touches(result.first_values, changed)
    return replace(
        result,
        first_values=(),
        plan=plan_of(tally, revision, fields),
        counts=ImportCounts(
            failed=tally.failed, unprocessed=(result.total_rows or 0) - tally.failed, warnings=tally.warnings
        ),
    )


async def with_unknown_values(connection: Connection, job: RunningJob, result: ImportResult) -> ImportResult:
    """The columns with their commonest values that are unknown."""
    groups = await unknown_values(connection, job.id, MAX_UNKNOWN_VALUES)
    columns = tuple(
        replace(
            column,
            unknown_values=tuple(
                ValueCount(str(group.value), group.rows, group.suggestion)
                for group in groups
                if group.column == column.header and group.field == column.field
            ),
        )
        for column in result.columns
    )
    return replace(result, columns=columns)


def review(job: RunningJob, result: ImportResult, files: tuple[NewFile, ...], *, waits: bool) -> JobEnd:
    """The end of VALIDATE, or of REVIEW, which waits for commitImport."""
    state = JobState.COMPLETED_WITH_ERRORS if result.counts.failed else JobState.COMPLETED
    return JobEnd(
        state=JobState.AWAITING_REVIEW if waits else state,
        result=encode(result),
        files=files,
        row_count=result.total_rows or 0,
        summary=f"Import {job.record.name}: validated, nothing written",
        also=None if waits else lambda connection: forget(connection, job.id),
    )


def awaiting(result: ImportResult) -> JobEnd:
    """Only a person can say how the file is written or what its columns mean."""
    return JobEnd(state=JobState.AWAITING_MAPPING, result=encode(result))


def cancelled(result: ImportResult, total: int | None) -> JobEnd:
    """What was written stays; the rest of the file is unprocessed, where its rows could be counted in time."""
    counts = result.counts
    done = counts.succeeded + counts.skipped + counts.failed
    if total is not None:
        result = replace(result, total_rows=total, counts=replace(counts, unprocessed=total - done))
    return JobEnd(state=JobState.CANCELLED, result=encode(result), row_count=done)


async def abort(runtime: Runtime, job: RunningJob, result: ImportResult, files: tuple[NewFile, ...]) -> JobFailed:
    """`onError: ABORT` with errors: what the file's errors are is kept, nothing of it is written."""
    async with runtime.database.unit(job.organization_id) as connection:
        await job.fence(connection)
        await insert_files(connection, job.id, files)
        total = result.total_rows or 0
        await job.save(connection, encode(result), processed=total, total=total, phase="validating")
    message = f"{result.counts.failed} of {total} rows have errors: nothing was imported, as asked for."
    return JobFailed(JobFailureCode.TOO_MANY_ERRORS, message)


async def error_file(
    runtime: Runtime, job: RunningJob, spec: ImportSpec, source: Source, result: ImportResult
) -> tuple[NewFile, ...]:
    """The rows that failed, ready to be corrected and sent again; nothing where none did."""
    if not result.tally.failed:
        return ()
    refused = await _refused(runtime, job)
    if refused or not source.errors.exists():
        await _write_again(job, spec, source, (result, refused))
    name = f"{Path(spec.file_name).stem}_errors.csv"
    key = job.key("errors.csv")
    stored = await runtime.store.put(key, _chunks(source.errors), content_type="text/csv", download_name=name)
    return (
        NewFile(
            id=new_id(),
            role=JobFileRole.ERRORS,
            name=name,
            key=key,
            content_type="text/csv",
            bytes=stored.bytes,
            sha256=stored.sha256,
            rows=result.tally.failed,
            expires_at=datetime.now(UTC) + timedelta(days=source.facts.organization.settings.import_retention_days),
            sensitive=True,
            uploader_id=job.actor.id,
        ),
    )


async def _refused(runtime: Runtime, job: RunningJob) -> tuple[RowMessage, ...]:
    async with runtime.database.unit(job.organization_id) as connection:
        return tuple(RowMessage(row, _MESSAGES.get(code)) for row, code in await refused_rows(connection, job.id))


async def _write_again(
    job: RunningJob, spec: ImportSpec, source: Source, found: tuple[ImportResult, tuple[RowMessage, ...]]
) -> None:
    """The child writes along what it refuses itself; here it reads the file again, with what the merge refused."""
    result, refused = found
    request = request_of(source, spec, job, result.dialect)
    source.errors.unlink(missing_ok=True)
    path = str(source.errors)
    again = msgspec.structs.replace(request, mode=ChildMode.ERRORS, errors_path=path, row_messages=refused)
    async with parsing(again) as said:
        async for _ in said:
            job.report("writing errors", rows_done(result.tally), result.total_rows)


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while data := file.read(_CHUNK):
            yield data


def plan_of(tally: ImportCounts, revision: int, fields: tuple[FieldTouch, ...]) -> ImportPlan:
    """What was tallied, as a plan."""
    return ImportPlan(
        revision=revision,
        creates=tally.created,
        updates=tally.updated,
        unchanged=tally.unchanged,
        skips=tally.skipped,
        errors=tally.failed,
        fields_touched=fields,
    )
