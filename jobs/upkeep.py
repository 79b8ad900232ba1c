"""Keeps jobs and files in order: lost jobs are queued again, what is past its date is deleted, orphans are swept."""

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from db.activity import Act, record, system_doer
from db.bulk_targets import drop_old_results, organizations_with_old_results
from db.idempotency import forget_answers
from db.job_files import expire_files, expire_waiting_jobs, organizations_with_expired_files, unknown_keys
from db.partitions import create_partitions
from db.queue import admit, organizations_waiting, sweep
from db.webhooks import plan_events
from domain.job_rules import events_of
from domain.vocabulary import ActivityAction, JobState
from jobs.runtime import Runtime
from jobs.uploads import drop_expired_uploads

ORPHAN_AGE: Final = timedelta(hours=24)
"""An object that no row names is deleted once it is older: whoever writes one has named it long before."""
ANSWER_AGE: Final = timedelta(days=7)
"""How long a pushed or created lead's idempotency key gives the same answer."""
_BATCH: Final = 500
_KEY_PARTS: Final = 3

_log = logging.getLogger(__name__)


async def mend(runtime: Runtime, lease_seconds: float) -> None:
    """Requeue the jobs of dead workers; admit what was left waiting. Cheap enough for every few seconds."""
    swept = await sweep(runtime.system, lease_seconds)
    if swept is None:
        return
    if swept.stalled or swept.requeued:
        _log.warning("%d tokens of dead workers, %d jobs queued again", swept.stalled, len(swept.requeued))
        runtime.feed.hint()
    limit = runtime.limits.max_concurrent_jobs
    for organization_id in await organizations_waiting(runtime.system, limit):
        async with runtime.database.unit(organization_id) as connection:
            await admit(connection, limit)


async def retain(runtime: Runtime) -> None:
    """Delete files past their date (history stays), end jobs that waited for them, delete orphaned objects.

    Also makes the partitions of the months to come, and forgets what became of each lead in old bulk operations and
    the answers to old idempotency keys.
    """
    await create_partitions(runtime.system)
    for organization_id in await organizations_with_expired_files(runtime.system):
        while keys := await _expire(runtime, organization_id):
            await runtime.store.delete(*keys)
    for organization_id in await organizations_with_old_results(runtime.system):
        while await _forget_results(runtime, organization_id):
            pass
    await drop_expired_uploads(runtime)
    await forget_answers(runtime.system, datetime.now(UTC) - ANSWER_AGE)
    await sweep_orphans(runtime, datetime.now(UTC) - ORPHAN_AGE)


async def _expire(runtime: Runtime, organization_id: UUID) -> list[str]:
    """Mark some of an organization's files past their date as deleted; the keys to delete from the store."""
    doer = system_doer()
    async with runtime.database.unit(organization_id) as connection:
        expired = await expire_files(connection, _BATCH)
        for job in expired:
            summary = f"{job.name}: files deleted after their time"
            await record(connection, doer, Act(action=ActivityAction.FILES_DELETED, summary=summary, job_id=job.id))
        for job in await expire_waiting_jobs(connection):
            summary = f"{job.name}: expired, since nobody answered before its file was deleted"
            await record(connection, doer, Act(action=ActivityAction.IMPORT_CANCELLED, summary=summary, job_id=job.id))
            events = events_of(job.kind, JobState.EXPIRED, has_file=False)
            await plan_events(connection, job.id, events, datetime.now(UTC))
    return [key for job in expired for key in job.keys]


async def _forget_results(runtime: Runtime, organization_id: UUID) -> bool:
    async with runtime.database.unit(organization_id) as connection:
        return await drop_old_results(connection)


async def sweep_orphans(runtime: Runtime, before: datetime) -> int:
    """Delete objects of jobs written before a moment that neither a file nor an open job needs; how many.

    Also what writers that were killed left unfinished by then, whatever it was to become.
    """
    deleted = 0
    async for batch in _batches(runtime, before):
        orphans = await unknown_keys(runtime.system, batch)
        await runtime.store.delete(*orphans)
        deleted += len(orphans)
    deleted += await runtime.store.drop_unfinished(before)
    if deleted:
        _log.info("%d orphaned objects deleted", deleted)
    return deleted


async def _batches(runtime: Runtime, before: datetime) -> AsyncIterator[list[tuple[str, UUID, UUID]]]:
    batch: list[tuple[str, UUID, UUID]] = []
    async for key in runtime.store.older_than("jobs", before):
        if (owner := _owner(key)) is not None:
            batch.append((key, *owner))
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _owner(key: str) -> tuple[UUID, UUID] | None:
    """Organization and job of `jobs/<organization>/<job>/…`; None for what is none of ours."""
    parts = key.split("/")
    if len(parts) <= _KEY_PARTS:
        return None
    try:
        return UUID(parts[1]), UUID(parts[2])
    except ValueError:
        return None
