"""A job as everybody sees it: row, progress, files. Long actions are jobs; the row is the truth."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.actors import ActorRef
from domain.json import JsonObject, JsonValue
from domain.vocabulary import JobFailureCode, JobFileRole, JobKind, JobState, JobTrigger

TERMINAL: Final = frozenset(
    {JobState.CANCELLED, JobState.COMPLETED, JobState.COMPLETED_WITH_ERRORS, JobState.FAILED, JobState.EXPIRED}
)
WAITING: Final = frozenset({JobState.AWAITING_MAPPING, JobState.AWAITING_REVIEW})
CLAIMS_PER_REVISION: Final = 1_000
"""Each claim adds this much to `revision`, so that a new worker's progress never looks older than its predecessor's."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is. `rows_per_second` and `eta_seconds` are None until there is something to reckon with."""

    phase: str = "queued"
    processed: int = 0
    total: int | None = None
    rows_per_second: float | None = None
    eta_seconds: int | None = None
    updated_at: datetime | None = None

    @property
    def percent(self) -> float | None:
        """0.0 to 100.0, None while the total is unknown."""
        if self.total is None:
            return None
        return 100.0 if self.total == 0 else min(100.0, self.processed * 100.0 / self.total)


@dataclass(frozen=True, slots=True)
class JobFailure:
    """Why a job failed, safe to show. `correlation_id` finds the details in the server's log."""

    code: JobFailureCode
    message: str
    retryable: bool
    correlation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A row of `jobs` with its progress.

    `spec` is the kind's spec (ExportSpec, ImportSpec, BulkSpec, RevertSpec) as JSON, `result` what the kind's worker
    recorded so far (ExportResult, ImportResult, ...). `epoch` counts the claims: the fencing token.
    """

    id: UUID
    organization_id: UUID
    kind: JobKind
    state: JobState
    name: str
    revision: int
    epoch: int
    actor: ActorRef
    trigger: JobTrigger
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    failure: JobFailure | None = None
    progress: Progress = field(default_factory=Progress)
    spec: JsonObject = field(default_factory=dict[str, JsonValue])
    result: JsonObject = field(default_factory=dict[str, JsonValue])
    schedule_id: UUID | None = None

    @property
    def terminal(self) -> bool:
        """Whether the job has ended for good."""
        return self.state in TERMINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFileRecord:
    """A file of a job.

    `key` is where the object store keeps it; `sensitive`: it holds values masked for some callers; `uploader_id` may
    open an ORIGINAL or ERRORS file whatever is masked for them.
    """

    id: UUID
    job_id: UUID
    role: JobFileRole
    name: str
    key: str
    content_type: str
    bytes: int
    rows: int | None
    sha256: str
    sensitive: bool
    uploader_id: UUID | None
    created_at: datetime
    expires_at: datetime
    deleted_at: datetime | None
    download_count: int
