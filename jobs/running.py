"""What a handler holds while its job runs: the claim, and the ways to report, to save and to notice the end."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from db.connections import Connection
from db.job_claims import ClaimedJob
from db.progress import Report, Reported, check_claim, save_progress
from domain.actors import Actor
from domain.errors import JobCancelled, JobFenced
from domain.job_requests import NewFile
from domain.json import JsonObject, JsonValue
from domain.vocabulary import JobState

_SETTLING_SECONDS: Final = 1.0
"""How long a phase must run before its rate means anything."""


class JobReleased(Exception):
    """The worker is shutting down: the job goes back to the queue and goes on at its checkpoint elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnd:
    """How a run ended: a terminal state, AWAITING_MAPPING or AWAITING_REVIEW.

    `result` None keeps what was saved. `also` is carried out in the finishing transaction, after the claim was
    checked; whatever it writes is there exactly when the end is. `summary` is the activity entry's line; None: a
    general one.
    """

    state: JobState
    result: JsonObject | None = None
    files: tuple[NewFile, ...] = ()
    row_count: int = 0
    byte_count: int = 0
    expires_at: datetime | None = None
    summary: str | None = None
    lead_count: int | None = None
    details: JsonObject = field(default_factory=dict[str, JsonValue])
    also: Callable[[Connection], Awaitable[None]] | None = None


class RunningJob:
    """A claimed job. One handler uses it, on one event loop.

    `ending` is set by a handler that has noticed it was cancelled and comes to its end by itself, in bounded time.
    """

    def __init__(self, claimed: ClaimedJob) -> None:
        self.record: Final = claimed.record
        self.epoch: Final = claimed.record.epoch
        self.actor: Final[Actor] = claimed.actor
        self.cancelled = False
        self.fenced = False
        self.draining = False
        self.ending = False
        before = claimed.record.progress
        self.reported = Reported(before.phase, before.processed, before.total)
        self._phase_began = (time.monotonic(), 0)
        self._revision = claimed.record.revision

    @property
    def id(self) -> UUID:
        """The job's id."""
        return self.record.id

    @property
    def organization_id(self) -> UUID:
        """The job's organization: what a unit of work is opened with."""
        return self.record.organization_id

    def key(self, name: str) -> str:
        """A key for the store that no other run of this job uses; `name` is ours, never a caller's."""
        return f"jobs/{self.organization_id}/{self.id}/{self.epoch}/{name}"

    def report(self, phase: str, processed: int, total: int | None) -> None:
        """How far the job is, in rows; kept in memory and written every half second, so call it as often as you like.

        Raises JobCancelled or JobFenced where the worker has noticed it since.
        """
        self._raise_if_ended()
        self._note(phase, processed, total)

    async def fence(self, connection: Connection) -> None:
        """Call first in each transaction that writes: nothing of it will be committed after another claim.

        A later claim waits for this transaction or ends it; cancelling does not wait. Raises JobFenced, JobCancelled,
        or JobReleased where the worker is shutting down (so a job that cannot resume should not fence before its end).
        """
        self._raise_if_ended()
        if self.draining:
            raise JobReleased
        claim = await check_claim(connection, self.id)
        if claim is None or claim.epoch != self.epoch:
            raise JobFenced(self.id, self.epoch)
        if claim.cancel_requested:
            raise JobCancelled

    async def save(
        self, connection: Connection, result: JsonObject, *, processed: int, total: int | None, phase: str
    ) -> None:
        """Write result and progress in the block's own transaction, so that they are true whenever it is committed.

        Call it last: it locks the job's row until the commit. Raises JobFenced.
        """
        self._note(phase, processed, total)
        revision = await save_progress(connection, (self.id, self.epoch), self.reported, result)
        if revision is None:
            raise JobFenced(self.id, self.epoch)
        self.saw(revision)

    def told(self) -> Report:
        """What is to be written of the progress now."""
        return Report(self.organization_id, self.id, self.epoch, self._revision, self.reported)

    def saw(self, revision: int) -> None:
        """Remember the revision that the stored progress has."""
        self._revision = revision

    def _raise_if_ended(self) -> None:
        if self.fenced:
            raise JobFenced(self.id, self.epoch)
        if self.cancelled:
            raise JobCancelled

    def _note(self, phase: str, processed: int, total: int | None) -> None:
        now = time.monotonic()
        if phase != self.reported.phase:
            self._phase_began = (now, processed)
        began, first = self._phase_began
        seconds = now - began
        rate = (processed - first) / seconds if seconds >= _SETTLING_SECONDS and processed > first else None
        eta = round((total - processed) / rate) if rate and total is not None and total >= processed else None
        self.reported = Reported(phase, processed, total, rate, eta)
