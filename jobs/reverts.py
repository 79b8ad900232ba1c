"""The handler of undo: revertImport as a job that goes on where it was stopped."""

from dataclasses import replace
from uuid import UUID

from db.connections import Connection
from db.import_undo import remember_undo
from db.jobs import load_job
from domain.errors import JobFailed
from domain.ids import IdKind, format_id, parse_id
from domain.imports import ImportResult, RevertResult, RevertSpec
from domain.stored import decode, encode
from domain.vocabulary import JobFailureCode, JobState
from jobs.import_undo import Undo
from jobs.running import JobEnd, RunningJob
from jobs.runtime import Runtime

__all__ = ["run_revert"]


async def run_revert(runtime: Runtime, job: RunningJob) -> JobEnd:
    """Undo an import, or count what an undo would do."""
    spec = decode(RevertSpec, job.record.spec)
    import_id = parse_id(IdKind.JOB, spec.import_job_id)
    if import_id is None:
        raise JobFailed(JobFailureCode.INTERNAL, "The import to undo has no id.")
    imported = await _imported(runtime, job, import_id)
    total = imported.counts.created + imported.counts.updated

    async def save(connection: Connection, result: RevertResult) -> None:
        done = result.removed + result.restored + result.kept_because_edited
        await job.save(connection, encode(result), processed=done, total=max(total, done), phase="undoing")

    undo = Undo(runtime, job, import_id, save)
    undo.dry_run = spec.dry_run
    result = await undo.run(decode(RevertResult, job.record.result))

    async def also(connection: Connection) -> None:
        if not spec.dry_run:
            await remember_undo(connection, import_id, format_id(IdKind.JOB, job.id))

    result = _with_gone(result, imported)
    words = f"{result.removed} removed, {result.restored} restored, {result.kept_because_edited} kept"
    return JobEnd(
        state=JobState.COMPLETED,
        result=encode(result),
        row_count=result.removed + result.restored,
        summary=f"{job.record.name}: {words}",
        lead_count=None if spec.dry_run else result.removed + result.restored,
        also=also,
    )


async def _imported(runtime: Runtime, job: RunningJob, import_id: UUID) -> ImportResult:
    async with runtime.database.unit(job.organization_id) as connection:
        stored = await load_job(connection, import_id)
    if stored is None:
        raise JobFailed(JobFailureCode.INTERNAL, "The import to undo is gone.")
    return decode(ImportResult, stored.record.result)


def _with_gone(result: RevertResult, imported: ImportResult) -> RevertResult:
    """Created leads that were not found were deleted by somebody before."""
    return replace(result, already_gone=result.already_gone + max(0, imported.counts.created - result.found))
