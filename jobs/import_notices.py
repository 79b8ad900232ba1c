"""Mails that tell who asked that an import is done, has failed, or needs an answer; never a lead's values."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from db.connections import Connection
from db.deliveries import plan_notices
from domain.ids import IdKind, format_id
from domain.imports import ImportSpec
from domain.outgoing import Notice
from domain.vocabulary import JobKind, JobState
from jobs.running import JobEnd, RunningJob

__all__ = ["tell_failed", "telling"]

_SUBJECTS = {
    JobState.AWAITING_MAPPING: "needs your answer: how the file is to be read",
    JobState.AWAITING_REVIEW: "waits for your review",
    JobState.COMPLETED: "is done",
    JobState.COMPLETED_WITH_ERRORS: "is done, with errors",
}


def telling(end: JobEnd, job: RunningJob, spec: ImportSpec) -> JobEnd:
    """The end, and with it the mails, in one transaction."""
    subject = _SUBJECTS.get(end.state)
    if not spec.notify or subject is None:
        return end
    notice = _notice(job, f"Import {job.record.name} {subject}", end.summary or "")
    return replace(end, also=_both(end.also, job, spec, notice))


async def tell_failed(connection: Connection, job: RunningJob, message: str) -> None:
    """The mails of an import that has failed, in the transaction of its end; other jobs have nobody to tell.

    It reads no more of the spec than it needs: what cannot be decoded must come to an end too.
    """
    asked = job.record.spec.get("notify") if job.record.kind is JobKind.IMPORT else None
    addresses = [address for address in asked if isinstance(address, str)] if isinstance(asked, list) else []
    await plan_notices(connection, job.id, addresses, _notice(job, f"Import {job.record.name} has failed", message))


def _both(
    first: Callable[[Connection], Awaitable[None]] | None, job: RunningJob, spec: ImportSpec, notice: Notice
) -> Callable[[Connection], Awaitable[None]]:
    async def also(connection: Connection) -> None:
        if first is not None:
            await first(connection)
        await plan_notices(connection, job.id, spec.notify, notice)

    return also


def _notice(job: RunningJob, subject: str, text: str) -> Notice:
    return Notice(" ".join(subject.split()), f"{text}\n\nIts id is {format_id(IdKind.JOB, job.id)}.\n")
