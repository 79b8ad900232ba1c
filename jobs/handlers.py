"""Who carries out which kind of job. One home: a new kind is one line here."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from domain.vocabulary import JobKind
from jobs.activity_exports import run_activity_export
from jobs.bulk import run_bulk
from jobs.exports import run_export
from jobs.imports import run_import
from jobs.reverts import run_revert
from jobs.running import JobEnd, RunningJob
from jobs.runtime import Runtime

Handler = Callable[[Runtime, RunningJob], Awaitable[JobEnd]]
"""Carries out a claimed job from its checkpoint to an end. May raise JobFailed, and lets JobCancelled, JobFenced and
JobReleased pass (or turns JobCancelled into a JobEnd of state CANCELLED with its own counts)."""

HANDLERS: Final[Mapping[JobKind, Handler]] = {
    JobKind.EXPORT: run_export,
    JobKind.ACTIVITY_EXPORT: run_activity_export,
    JobKind.IMPORT: run_import,
    JobKind.REVERT: run_revert,
    JobKind.BULK_UPDATE: run_bulk,
    JobKind.BULK_ASSIGN: run_bulk,
    JobKind.BULK_DELETE: run_bulk,
}
