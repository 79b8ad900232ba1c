"""The activity log and what is reckoned from it and from jobs."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.actors import ActorRef
from domain.json import JsonObject, JsonValue
from domain.vocabulary import ActivityAction, ExportFormat, ImportIssueCode


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRecord:
    """One act. `ip_address` is None for acts of the system; lead values in `details` are masked."""

    id: UUID
    at: datetime
    action: ActivityAction
    actor: ActorRef
    summary: str
    job_id: UUID | None = None
    lead_id: UUID | None = None
    lead_count: int | None = None
    ip_address: str | None = None
    details: JsonObject = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityFilter:
    """Which acts; None: no constraint. `at` is an operator document like a lead filter's."""

    action: tuple[ActivityAction, ...] | None = None
    actor_id: str | None = None
    job_id: str | None = None
    lead_id: str | None = None
    at: JsonObject | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityExportRequest:
    """An export of the log as asked for."""

    filter: ActivityFilter = field(default_factory=ActivityFilter)
    format: ExportFormat = ExportFormat.CSV
    wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationStats:
    """Jobs of one family that ended. `error_rate` is failed rows by rows, 0.0 to 1.0; exports have no failed rows.

    The seconds and the rate are of jobs that ran in one go; None where there are none.
    """

    jobs: int = 0
    rows: int = 0
    failed_jobs: int = 0
    error_rate: float = 0.0
    p50_seconds: float | None = None
    p95_seconds: float | None = None
    rows_per_second: float | None = None
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class IssueStat:
    """How many rows had an issue of this code in this field."""

    code: ImportIssueCode
    field: str | None
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """What jobs recorded from `since` (included) to `until` (not)."""

    since: datetime
    until: datetime
    imports: OperationStats
    exports: OperationStats
    bulk: OperationStats
