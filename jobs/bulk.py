"""Carries out bulk operations: block after block of the target, each in one transaction with its counts."""

from dataclasses import replace
from typing import Final

from db.activity import Act, doer_of, record
from db.bulk import Block, change_leads, delete_leads, end_of_target
from db.bulk_statements import BulkChange
from db.connections import Connection
from db.import_facts import add_custom_fields
from db.locks import Lock, take
from db.organizations import load_organization
from db.status_writes import delete_status
from domain.bulk import BulkResult, BulkSpec
from domain.errors import JobFailed, Rejected
from domain.ids import IdKind, parse_id
from domain.stored import decode, encode
from domain.vocabulary import ActivityAction, JobFailureCode, JobKind, JobState
from jobs.bulk_requests import resolve_change
from jobs.running import JobEnd, RunningJob
from jobs.runtime import Runtime

__all__ = ["run_bulk"]

BLOCK_LEADS: Final = 5_000
_PHASES: Final = {
    JobKind.BULK_UPDATE: "updating",
    JobKind.BULK_ASSIGN: "assigning",
    JobKind.BULK_DELETE: "deleting",
}


async def run_bulk(runtime: Runtime, job: RunningJob) -> JobEnd:
    """The handler of BULK_UPDATE, BULK_ASSIGN and BULK_DELETE. Raises JobFailed, JobCancelled, JobFenced."""
    spec = decode(BulkSpec, job.record.spec)
    result = decode(BulkResult, job.record.result)
    run = _Run(runtime, job, spec)
    last = await run.prepare()
    while result.position < last:
        # a dry run writes nothing that a later block could see, so that it looks at everything at once
        to = last if spec.dry_run else min(result.position + BLOCK_LEADS, last)
        result = await run.block(result, to)
    return run.end(result)


class _Run:
    """One run of a bulk operation."""

    def __init__(self, runtime: Runtime, job: RunningJob, spec: BulkSpec) -> None:
        self._runtime = runtime
        self._job = job
        self._spec = spec
        self._change: BulkChange | None = None

    async def prepare(self) -> int:
        """Look up what the change names; returns the last place of the target. Raises JobFailed."""
        async with self._runtime.database.unit(self._job.organization_id) as connection:
            await self._job.fence(connection)
            if self._job.record.kind is not JobKind.BULK_DELETE:
                self._change = await self._resolve(connection)
            return await end_of_target(connection, self._job.id)

    async def block(self, before: BulkResult, to: int) -> BulkResult:
        """Carry out the leads up to a place of the target; returns the counts that were saved with it."""
        async with self._runtime.database.unit(self._job.organization_id) as connection:
            await self._job.fence(connection)
            if not self._spec.dry_run:
                await take(connection, Lock.LEADS, self._job.organization_id)
            block = Block(self._job.id, before.position, to, before.processed)
            done = await self._carry_out(connection, block)
            await self._note_deletion(connection, done.changed)
            after = _added(before, done)
            phase = _PHASES[self._job.record.kind]
            await self._job.save(connection, encode(after), processed=after.processed, total=after.matched, phase=phase)
        return after

    def end(self, result: BulkResult) -> JobEnd:
        """The end, once the whole target is done."""
        kind, dry = self._job.record.kind, " would be" if self._spec.dry_run else ""
        drop = parse_id(IdKind.STATUS, self._spec.drop_status) if self._spec.drop_status else None

        async def also(connection: Connection) -> None:
            if drop is not None:
                await delete_status(connection, drop)

        word = {JobKind.BULK_UPDATE: "updated", JobKind.BULK_ASSIGN: "assigned", JobKind.BULK_DELETE: "deleted"}[kind]
        return JobEnd(
            state=JobState.COMPLETED_WITH_ERRORS if result.failed else JobState.COMPLETED,
            result=encode(result),
            row_count=result.matched,
            summary=f"{result.changed:,} of {result.matched:,} leads{dry} {word}",
            lead_count=result.changed,
            details={"matched": result.matched, "unchanged": result.unchanged, "failed": result.failed},
            also=also,
        )

    async def _resolve(self, connection: Connection) -> BulkChange:
        organization = await load_organization(connection)
        try:
            change = await resolve_change(connection, organization, self._job.actor, self._spec)
        except Rejected as error:
            raise JobFailed(JobFailureCode.INTERNAL, f"This can no longer be done: {error}") from error
        if change.lead.custom.values and not change.dry_run:
            await add_custom_fields(connection, change.lead.custom.values)
        return change

    async def _note_deletion(self, connection: Connection, leads: int) -> None:
        """Deleted leads are gone whatever becomes of the job, so that each block says so itself."""
        if self._job.record.kind is not JobKind.BULK_DELETE or self._spec.dry_run or not leads:
            return
        summary = f"{leads:,} {'lead' if leads == 1 else 'leads'} deleted"
        act = Act(action=ActivityAction.LEAD_DELETED, summary=summary, job_id=self._job.id, lead_count=leads)
        await record(connection, doer_of(self._job.actor), act)

    async def _carry_out(self, connection: Connection, block: Block) -> BulkResult:
        if self._change is None:
            return await delete_leads(connection, block, dry_run=self._spec.dry_run)
        return await change_leads(connection, block, self._change)


def _added(before: BulkResult, block: BulkResult) -> BulkResult:
    return replace(
        before,
        changed=before.changed + block.changed,
        unchanged=before.unchanged + block.unchanged,
        failed=before.failed + block.failed,
        position=block.position,
        processed=before.processed + block.processed,
    )
