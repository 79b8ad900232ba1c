"""What each kind of job needs and leaves behind: permission, activity entries, what a caller may do with it now."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.actors import Actor
from domain.ids import IdKind, parse_id
from domain.jobs import WAITING, JobFileRecord, JobRecord
from domain.vocabulary import ActivityAction, JobAction, JobFileRole, JobKind, JobState, Permission, WebhookEvent


@dataclass(frozen=True, slots=True)
class JobRules:
    """The permission that a kind of job needs, and its activity entries; None: no entry."""

    permission: Permission
    noun: str
    started: ActivityAction | None
    finished: ActivityAction
    failed: ActivityAction
    cancelled: ActivityAction


_EXPORT_ACTS: Final = (
    ActivityAction.EXPORT_STARTED,
    ActivityAction.EXPORT_FINISHED,
    ActivityAction.EXPORT_FAILED,
    ActivityAction.EXPORT_CANCELLED,
)
_BULK_ACTS: Final = (
    ActivityAction.BULK_STARTED,
    ActivityAction.BULK_FINISHED,
    ActivityAction.BULK_FINISHED,
    ActivityAction.BULK_FINISHED,
)

RULES: Final[Mapping[JobKind, JobRules]] = {
    JobKind.IMPORT: JobRules(
        Permission.LEADS_IMPORT,
        "Import",
        ActivityAction.IMPORT_STARTED,
        ActivityAction.IMPORT_FINISHED,
        ActivityAction.IMPORT_FAILED,
        ActivityAction.IMPORT_CANCELLED,
    ),
    JobKind.REVERT: JobRules(
        Permission.LEADS_IMPORT,
        "Revert",
        None,
        ActivityAction.IMPORT_REVERTED,
        ActivityAction.IMPORT_FAILED,
        ActivityAction.IMPORT_CANCELLED,
    ),
    JobKind.EXPORT: JobRules(Permission.LEADS_EXPORT, "Export", *_EXPORT_ACTS),
    JobKind.ACTIVITY_EXPORT: JobRules(Permission.ACTIVITY_READ, "Activity export", *_EXPORT_ACTS),
    JobKind.BULK_UPDATE: JobRules(Permission.BULK_OPERATE, "Bulk update", *_BULK_ACTS),
    JobKind.BULK_ASSIGN: JobRules(Permission.LEADS_ASSIGN, "Bulk assignment", *_BULK_ACTS),
    JobKind.BULK_DELETE: JobRules(Permission.LEADS_DELETE, "Bulk deletion", *_BULK_ACTS),
}

EXPORT_KINDS: Final = frozenset({JobKind.EXPORT, JobKind.ACTIVITY_EXPORT})
BULK_KINDS: Final = frozenset({JobKind.BULK_UPDATE, JobKind.BULK_ASSIGN, JobKind.BULK_DELETE})
EVERY_KIND: Final = frozenset(JobKind)
CANCELLABLE: Final = WAITING | {JobState.QUEUED, JobState.RUNNING}
NOT_WHILE_UNDONE: Final = frozenset({JobAction.RETRY, JobAction.REVERT})
"""What cannot be done with an import while another job takes back what it has written."""


def visible_kinds(actor: Actor) -> frozenset[JobKind]:
    """The kinds of jobs that a caller may see: all of them with LEADS_READ, else those that they may start."""
    if actor.may(Permission.LEADS_READ):
        return EVERY_KIND
    return frozenset(kind for kind in JobKind if actor.may(RULES[kind].permission))


def ended_action(kind: JobKind, state: JobState) -> ActivityAction:
    """The activity entry that the end of a job leaves."""
    rules = RULES[kind]
    match state:
        case JobState.CANCELLED | JobState.EXPIRED:
            return rules.cancelled
        case JobState.FAILED:
            return rules.failed
        case _:
            return rules.finished


def events_of(kind: JobKind, state: JobState, *, has_file: bool) -> tuple[WebhookEvent, ...]:
    """What webhook endpoints are told when a job comes into this state; an export of nothing may have no file."""
    match state:
        case JobState.AWAITING_MAPPING | JobState.AWAITING_REVIEW:
            return (WebhookEvent.JOB_AWAITING_REVIEW,)
        case JobState.FAILED:
            return (WebhookEvent.JOB_FAILED,)
        case JobState.COMPLETED | JobState.COMPLETED_WITH_ERRORS if kind in EXPORT_KINDS and has_file:
            return WebhookEvent.JOB_FINISHED, WebhookEvent.EXPORT_READY
        case JobState.COMPLETED | JobState.COMPLETED_WITH_ERRORS | JobState.CANCELLED | JobState.EXPIRED:
            return (WebhookEvent.JOB_FINISHED,)
        case _:
            return ()


def actions_of(job: JobRecord, files: Sequence[JobFileRecord], actor: Actor, now: datetime) -> tuple[JobAction, ...]:
    """What the caller may do with a job that is not being undone, in the order of JobAction."""
    if not actor.may(RULES[job.kind].permission):
        return ()
    return tuple(_actions(job, kept(files, now)))


def is_available(file: JobFileRecord, now: datetime) -> bool:
    """Whether the file is neither deleted nor past its date."""
    return file.deleted_at is None and file.expires_at > now


def kept(files: Iterable[JobFileRecord], now: datetime) -> list[JobFileRecord]:
    """Those of the files that are available."""
    return [file for file in files if is_available(file, now)]


def is_revertible(job: JobRecord) -> bool:
    """Whether the import has written leads that nobody has taken back yet."""
    counts = job.result.get("counts")
    if job.kind is not JobKind.IMPORT or not job.terminal or not isinstance(counts, Mapping):
        return False
    return bool(counts.get("created") or counts.get("updated")) and not job.result.get("revertJobId")


def undone_import(job: JobRecord) -> UUID | None:
    """The import that the job takes back, None where it does something else."""
    shown = job.spec.get("importJobId") if job.kind is JobKind.REVERT else None
    return parse_id(IdKind.JOB, shown) if isinstance(shown, str) else None


def is_retryable(job: JobRecord, files: Sequence[JobFileRecord]) -> bool:
    """Whether a failed job may run again as it is: not once what it works on is deleted, and no undone import.

    `files` are those of its files that are still kept.
    """
    if job.state is not JobState.FAILED or job.failure is None or not job.failure.retryable:
        return False
    if job.kind in BULK_KINDS:
        return job.expires_at is not None
    if job.kind is JobKind.IMPORT:
        return not job.result.get("revertJobId") and any(file.role is JobFileRole.ORIGINAL for file in files)
    return True


def _actions(job: JobRecord, files: Sequence[JobFileRecord]) -> Iterator[JobAction]:
    offered = {
        JobAction.CANCEL: job.state in CANCELLABLE,
        JobAction.MAP: job.kind is JobKind.IMPORT and job.state in WAITING,
        JobAction.COMMIT: job.state is JobState.AWAITING_REVIEW,
        JobAction.REVERT: is_revertible(job),
        JobAction.RETRY: is_retryable(job, files),
        JobAction.DOWNLOAD: bool(files),
        JobAction.DELETE_FILES: bool(files) and job.terminal,
    }
    return (action for action, offer in offered.items() if offer)
