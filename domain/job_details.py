"""What a job's kind adds to the row that all jobs share, ready to be shown to one caller."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.exports import ResolvedColumn
from domain.imports import Dialect, ImportColumn, ImportCounts, ImportPlan, RevertResult
from domain.json import JsonObject
from domain.paging import Count
from domain.vocabulary import (
    BulkOutcome,
    Compression,
    DeliveryChannel,
    DeliveryState,
    ExportFormat,
    ImportIssueCode,
    ImportMode,
    JobKind,
    JobState,
    JobTrigger,
    LeadFieldKey,
    RowOutcome,
    Severity,
    UserErrorCode,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportDetails:
    """An export, of leads or of the activity log. `spec` has the shape of ExportSpecInput."""

    format: ExportFormat
    compression: Compression
    columns: tuple[ResolvedColumn, ...]
    spec: JsonObject
    filter_description: str
    unmasked: bool
    masked_fields: tuple[LeadFieldKey, ...]
    sample: bool
    row_count: int | None = None
    snapshot_at: datetime | None = None
    delta_token: str | None = None
    file_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportDetails:
    """An import; samples and unknown values of `columns` are masked for the caller. `options` is ImportOptionsInput."""

    file_name: str
    mode: ImportMode
    columns: tuple[ImportColumn, ...]
    options: JsonObject
    counts: ImportCounts
    file_sha256: str | None = None
    dialect: Dialect | None = None
    total_rows: int | None = None
    plan: ImportPlan | None = None
    retry_of_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevertDetails:
    """An undo; `summary` is None until it has begun."""

    import_job_id: UUID
    dry_run: bool
    summary: RevertResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkDetails:
    """A bulk operation with its counts of leads."""

    dry_run: bool
    matched: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class BulkLeadResult:
    """What became of one lead; `lead_id` is the shown id, as given where it names nothing."""

    lead_id: str
    outcome: BulkOutcome
    code: UserErrorCode | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDelivery:
    """How one recipient was told of a file; `target` is an address or an endpoint's URL."""

    channel: DeliveryChannel
    target: str
    state: DeliveryState
    attempts: int
    last_error: str | None = None
    delivered_at: datetime | None = None


class Table(tuple[tuple[str | None, ...], ...]):
    """Rows of texts, which are the answer as they are: nobody need look at each cell again."""

    __slots__ = ()


class Columns(tuple[ResolvedColumn, ...]):
    """Columns, whose fields are texts and the answer as they are."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPreview:
    """The first rows of an export as its file would have them, masked for the caller."""

    columns: Columns
    rows: Table
    row_count: Count
    estimated_bytes: int
    estimated_seconds: float
    masked_fields: tuple[LeadFieldKey, ...]
    file_name: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadIdsValidation:
    """Shown lead ids, sorted into those that exist and those that do not; `total` counts what was given."""

    total: int
    valid: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()
    malformed: tuple[str, ...] = ()
    not_found: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueFilter:
    """Which issues of an import; None: no constraint. Rows as a spreadsheet counts, both ends included."""

    severity: tuple[Severity, ...] | None = None
    code: tuple[ImportIssueCode, ...] | None = None
    field: LeadFieldKey | None = None
    column: str | None = None
    row_from: int | None = None
    row_to: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFilter:
    """Which rows of an import; None: no constraint. Rows as a spreadsheet counts, both ends included."""

    outcome: tuple[RowOutcome, ...] | None = None
    code: tuple[ImportIssueCode, ...] | None = None
    row_from: int | None = None
    row_to: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs; None: no constraint. `created_at` is an operator document like a lead filter's."""

    kind: tuple[JobKind, ...] | None = None
    state: tuple[JobState, ...] | None = None
    format: tuple[ExportFormat, ...] | None = None
    created_by_id: str | None = None
    schedule_id: str | None = None
    trigger: tuple[JobTrigger, ...] | None = None
    created_at: JsonObject | None = None
    search: str | None = None
