"""Jobs inside other objects, and what every job has."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from uuid import UUID

from strawberry.dataloader import DataLoader

from db.import_requests import imports_being_undone
from db.job_files import files_of
from db.job_lists import load_jobs
from domain.actors import Actor
from domain.downloads import may_open
from domain.ids import IdKind, format_id
from domain.job_rules import (
    NOT_WHILE_UNDONE,
    actions_of,
    is_available,
    is_revertible,
    kept,
    undone_import,
    visible_kinds,
)
from domain.jobs import JobFileRecord, JobRecord
from domain.records import SignedUrl
from domain.settings import OrganizationSettings
from domain.vocabulary import JobAction
from jobs.links import link_to
from jobs.runtime import Runtime

__all__ = ["JobPort"]


class JobPort:
    """Implements the JobReads of schema/context.py for one caller."""

    def __init__(self, runtime: Runtime, actor: Actor, settings: OrganizationSettings) -> None:
        self._runtime = runtime
        self._actor = actor
        self._settings = settings

    async def job(self, job_id: UUID) -> JobRecord | None:
        """A job with its progress, of a kind that the caller may see."""
        job = await self._jobs.load(job_id)
        return job if job and job.kind in visible_kinds(self._actor) else None

    async def actions(self, job: JobRecord) -> Sequence[JobAction]:
        """What the caller may do with the job now."""
        files, now = await self.files(job), datetime.now(UTC)
        actions = frozenset(actions_of(job, files, self._actor, now))
        if not any(may_open(self._actor, self._settings, job.kind, file) for file in kept(files, now)):
            actions -= {JobAction.DOWNLOAD}
        if not actions.isdisjoint(NOT_WHILE_UNDONE) and not await self._may_begin(job):
            actions -= NOT_WHILE_UNDONE
        return [action for action in JobAction if action in actions]

    async def _may_begin(self, job: JobRecord) -> bool:
        """Whether the import that the job is, or takes back, is left alone by other jobs."""
        imported = undone_import(job)
        if imported is not None:
            record = await self._jobs.load(imported)
            if record is None or not is_revertible(record):
                return False
        return not await self._undoing.load(imported or job.id)

    async def files(self, job: JobRecord) -> Sequence[JobFileRecord]:
        """Every file of the job, deleted ones too."""
        return await self._files.load(job.id)

    def available(self, file: JobFileRecord) -> bool:
        """Whether the file is still kept."""
        return is_available(file, datetime.now(UTC))

    async def download(self, file: JobFileRecord, ttl_seconds: int) -> SignedUrl | None:
        """A fresh link to the file; None where the caller may not have it, or it is gone. Raises BadInput."""
        return await link_to(self._runtime, self._actor, self._settings, file, ttl_seconds)

    @cached_property
    def _jobs(self) -> DataLoader[UUID, JobRecord | None]:
        return DataLoader(load_fn=self._load_jobs, cache=False)  # the context of a subscription lives for hours

    @cached_property
    def _files(self) -> DataLoader[UUID, Sequence[JobFileRecord]]:
        return DataLoader(load_fn=self._load_files, cache=False)  # the context of a subscription lives for hours

    @cached_property
    def _undoing(self) -> DataLoader[UUID, bool]:
        return DataLoader(load_fn=self._load_undoing, cache=False)  # the context of a subscription lives for hours

    async def _load_jobs(self, ids: list[UUID]) -> Sequence[JobRecord | None]:
        found = await load_jobs(self._runtime.database, self._actor.organization_id, ids)
        return [found.get(job_id) for job_id in ids]

    async def _load_files(self, ids: list[UUID]) -> Sequence[Sequence[JobFileRecord]]:
        async with self._runtime.database.unit(self._actor.organization_id) as connection:
            found = await files_of(connection, ids)
        return [found[job_id] for job_id in ids]

    async def _load_undoing(self, ids: list[UUID]) -> Sequence[bool]:
        shown = [format_id(IdKind.JOB, job_id) for job_id in ids]
        async with self._runtime.database.unit(self._actor.organization_id) as connection:
            found = await imports_being_undone(connection, shown)
        return [one in found for one in shown]
