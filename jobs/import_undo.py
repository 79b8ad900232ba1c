"""Undo, some leads at a time: what revertImport does, and what an import that must be all or nothing does to itself."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final
from uuid import UUID

from db.connections import Connection
from db.import_undo import Undoing, Undone, remove_created, restore_updated
from db.locks import Lock, take
from db.organizations import load_organization
from db.savepoints import roll_back_to_savepoint, set_savepoint
from domain.imports import ImportCounts, ImportResult, RevertResult
from domain.vocabulary import DuplicateScope
from jobs.running import RunningJob
from jobs.runtime import Runtime

__all__ = ["Undo", "undo_own"]

_LEADS: Final = 1_000
Save = Callable[[Connection, RevertResult], Awaitable[None]]


class Undo:
    """The undo of one import by a running job; `save` is called last in each transaction."""

    def __init__(self, runtime: Runtime, job: RunningJob, import_id: UUID, save: Save) -> None:
        self._runtime = runtime
        self._job = job
        self._import_id = import_id
        self._save = save
        self.dry_run = False

    async def run(self, result: RevertResult) -> RevertResult:
        """From where `result` stands to the end. A dry run does the same and takes each part back."""
        while True:
            result, more = await self._step(result)
            if not more:
                return result

    async def _step(self, result: RevertResult) -> tuple[RevertResult, bool]:
        async with self._runtime.database.unit(self._job.organization_id) as connection:
            await self._job.fence(connection)
            await take(connection, Lock.LEADS, self._job.organization_id)
            if self.dry_run:
                await set_savepoint(connection)
            undone = await self._undo(connection, result)
            if self.dry_run:
                await roll_back_to_savepoint(connection)
            after = _added(result, undone)
            await self._save(connection, after)
        return after, undone.cursor is not None or not result.removing

    async def _undo(self, connection: Connection, result: RevertResult) -> Undone:
        cursor = None if result.cursor is None else UUID(result.cursor)
        organization = await load_organization(connection, self._runtime.limits)
        undoing = Undoing(
            job_id=self._import_id,
            actor_name=self._job.actor.name,
            active_only=organization.settings.duplicate_scope is DuplicateScope.ACTIVE,
            size=_LEADS,
        )
        if result.removing:
            return await remove_created(connection, undoing, cursor)
        return await restore_updated(connection, undoing, cursor)


async def undo_own(runtime: Runtime, job: RunningJob, result: ImportResult) -> ImportResult:
    """Undo what this import wrote; the result then says that nothing of the file was done but its errors."""
    total = result.total_rows

    async def save(_connection: Connection, undone: RevertResult) -> None:  # the import's own result stays as it is
        job.report("undoing", undone.removed + undone.restored, total)

    await Undo(runtime, job, job.id, save).run(RevertResult())
    failed = result.counts.failed
    counts = ImportCounts(failed=failed, unprocessed=(total or 0) - failed, warnings=result.counts.warnings)
    return replace(result, counts=counts)


def _added(result: RevertResult, undone: Undone) -> RevertResult:
    ended = undone.cursor is None
    return RevertResult(
        removed=result.removed + undone.removed,
        restored=result.restored + undone.restored,
        kept_because_edited=result.kept_because_edited + undone.kept,
        already_gone=result.already_gone + undone.gone,
        found=result.found + (undone.removed + undone.kept if result.removing else 0),
        cursor=None if ended else str(undone.cursor),
        removing=result.removing or ended,
    )
