"""What callers do to imports that exist: answer, commit, undo; and the mappings that they have saved."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from db.connections import Connection
from db.import_facts import load_facts
from db.import_requests import delete_mapping, imports_being_undone, list_mappings, write_result
from db.jobs import load_job, lock_job
from domain.actors import Actor
from domain.errors import ConflictProblem, Problem, Rejected, StateProblem, not_found
from domain.ids import IdKind, parse_id
from domain.imports import ImportResult, ImportSpec, RevertSpec
from domain.job_requests import SMALL_ROW_COUNT, NewJob
from domain.job_rules import is_revertible
from domain.jobs import WAITING, JobRecord
from domain.records import MappingRecord
from domain.requests import CommitImport, RevertImport, UpdateImport
from domain.stored import decode, encode
from domain.vocabulary import JobKind, JobState, Permission, UserErrorCode
from jobs.import_files import look_into, refuse_problems
from jobs.import_requests import check_options, keep_mapping
from jobs.lifecycle import requeue, submit
from jobs.progress import wait
from jobs.runtime import Runtime

__all__ = ["commit_import", "mappings", "remove_mapping", "revert_import", "update_import"]

_ID: Final = ("input", "id")


async def update_import(runtime: Runtime, actor: Actor, request: UpdateImport) -> JobRecord:
    """Answer AWAITING_MAPPING or change a plan under review: the file is validated again.

    Raises Forbidden, or Rejected: NOT_FOUND, WRONG_STATE, and what importLeads says of mapping and options.
    """
    actor.require(Permission.LEADS_IMPORT)
    async with runtime.database.unit(actor.organization_id) as connection:
        job = await _import(connection, request.id)
        _require(job, job.state in WAITING)
        spec = _answered(decode(ImportSpec, job.spec), request)
        facts = await load_facts(connection, runtime.limits)
        await check_options(connection, spec.options)
    refuse_problems(await look_into(runtime, spec, facts))
    async with runtime.database.unit(actor.organization_id) as connection:
        await _import(connection, request.id, lock=True)
        if request.save_mapping_as:
            await keep_mapping(connection, request.save_mapping_as, spec.mapping, spec.options)
        await write_result(connection, job.id, encode(_replanned(decode(ImportResult, job.result))))
        return await requeue(runtime, job.id, connection, spec=encode(spec))


async def commit_import(runtime: Runtime, actor: Actor, request: CommitImport) -> JobRecord:
    """Carry out the plan that was reviewed. Raises Forbidden, Rejected (PLAN_STALE, WRONG_STATE, NOT_FOUND)."""
    actor.require(Permission.LEADS_IMPORT)
    async with runtime.database.unit(actor.organization_id) as connection:
        job = await _import(connection, request.id, lock=True)
        _require(job, job.state is JobState.AWAITING_REVIEW)
        result = decode(ImportResult, job.result)
        revision = None if result.plan is None else result.plan.revision
        if revision != request.plan_revision:
            message = "The plan has changed since you looked at it."
            path = ("input", "planRevision")
            raise Rejected(ConflictProblem(UserErrorCode.PLAN_STALE, message, path, current_plan_revision=revision))
        spec = replace(decode(ImportSpec, job.spec), committing=True, reviewed_at_xid=result.snapshot)
        return await requeue(runtime, job.id, connection, spec=encode(spec))


async def revert_import(runtime: Runtime, actor: Actor, request: RevertImport) -> JobRecord:
    """Undo an import by a job. Raises Forbidden, Rejected (NOT_REVERTIBLE, NOT_FOUND)."""
    actor.require(Permission.LEADS_IMPORT)
    async with runtime.database.unit(actor.organization_id) as connection:
        job = await _import(connection, request.id, lock=True)
        if not is_revertible(job) or await imports_being_undone(connection, [request.id]):
            message = "This import has written nothing that could be undone (any more)."
            raise Rejected(Problem(UserErrorCode.NOT_REVERTIBLE, message, _ID))
        counts = decode(ImportResult, job.result).counts
        what = "Dry run of undoing" if request.dry_run else "Undo of"
        new = NewJob(
            kind=JobKind.REVERT,
            name=f"{what} {job.name}",
            spec=encode(RevertSpec(import_job_id=request.id, dry_run=request.dry_run)),
            large=counts.created + counts.updated > SMALL_ROW_COUNT,
            summary=f"{what} {job.name} started",
        )
        undo = await submit(runtime, actor, new, connection)
    return await wait(runtime, actor, undo.id, request.wait_seconds)


async def mappings(runtime: Runtime, actor: Actor) -> Sequence[MappingRecord]:
    """The organization's saved mappings. Raises Forbidden."""
    actor.require(Permission.LEADS_IMPORT)
    async with runtime.database.unit(actor.organization_id) as connection:
        return await list_mappings(connection)


async def remove_mapping(runtime: Runtime, actor: Actor, shown_id: str) -> str:
    """Delete a saved mapping; returns its id. Raises Forbidden, Rejected (NOT_FOUND)."""
    actor.require(Permission.LEADS_IMPORT)
    mapping_id = parse_id(IdKind.MAPPING, shown_id)
    async with runtime.database.unit(actor.organization_id) as connection:
        if mapping_id is None or not await delete_mapping(connection, mapping_id):
            raise not_found("mapping", shown_id, "id")
    return shown_id


def _answered(spec: ImportSpec, request: UpdateImport) -> ImportSpec:
    return replace(
        spec,
        dialect=spec.dialect if request.dialect is None else request.dialect,
        mapping=spec.mapping if request.mapping is None else request.mapping,
        options=spec.options if request.options is None else request.options,
        committing=False,
        reviewed_at_xid=None,
    )


def _replanned(result: ImportResult) -> ImportResult:
    """Begin again; the plan only keeps its number, one higher."""
    plan = result.plan
    return ImportResult(
        file_sha256=result.file_sha256, plan=None if plan is None else replace(plan, revision=plan.revision + 1)
    )


async def _import(connection: Connection, shown_id: str, *, lock: bool = False) -> JobRecord:
    job_id = parse_id(IdKind.JOB, shown_id)
    read = lock_job if lock else load_job
    stored = None if job_id is None else await read(connection, job_id)
    if stored is None or stored.record.kind is not JobKind.IMPORT:
        raise not_found("import", shown_id, *_ID)
    return stored.record


def _require(job: JobRecord, allowed: bool) -> None:  # noqa: FBT001 - the condition itself
    if not allowed:
        message = f"The import is {job.state}: this is not possible now."
        raise Rejected(StateProblem(UserErrorCode.WRONG_STATE, message, _ID, job.state))
