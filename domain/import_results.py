"""What an import found in its file and recorded of every row. Stored with the job as JSON."""

from dataclasses import dataclass, field
from enum import StrEnum

from domain.vocabulary import (
    DetectionConfidence,
    ImportFormat,
    ImportIssueCode,
    MatchKey,
    RowOutcome,
    Severity,
)


@dataclass(frozen=True, slots=True)
class Detected:
    """A detected property with what speaks for it. Values travel as text (`utf-8`, `;`, `DMY`, `.`)."""

    value: str
    confidence: DetectionConfidence
    evidence: str | None = None
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How the file is written: detected or given, stored with the job, used by every later step."""

    format: ImportFormat
    encoding: Detected
    delimiter: Detected
    quote: str | None
    escape: str | None
    header_row: int
    date_order: Detected
    decimal_mark: Detected
    time_zone: str
    bom: bool
    sheet: str | None = None
    sheets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ValueCount:
    """An unknown value, how many rows have it, and the nearest known one."""

    value: str
    count: int
    suggestion: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportColumn:
    """A column of the file and what it becomes.

    `field` is a registry key (`phone`) or `custom.<key>`, None: nothing.
    """

    index: int
    header: str
    field: str | None
    suggested_field: str | None = None
    suggestion_score: float | None = None
    samples: tuple[str, ...] = ()
    blank_count: int | None = None
    unknown_values: tuple[ValueCount, ...] = ()
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong in one row.

    `row` as a spreadsheet shows it: the header is row 1. `line` is the physical line, None for formats without lines.
    """

    row: int
    line: int | None
    column: str | None
    field: str | None
    code: ImportIssueCode
    severity: Severity
    message: str
    value: str | None = None
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class IssueGroup:
    """Issues of one code, column and field (and value, where the value is what is unknown)."""

    code: ImportIssueCode
    severity: Severity
    column: str | None
    field: str | None
    value: str | None
    rows: int
    first_row: int
    message: str
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class FieldChange:
    """What a row does to one field of its lead, as text."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCounts:
    """created + updated + unchanged + skipped + failed + unprocessed = total rows, always."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0
    unprocessed: int = 0
    warnings: int = 0

    @property
    def succeeded(self) -> int:
        """Rows whose lead is now as the file says."""
        return self.created + self.updated + self.unchanged


@dataclass(frozen=True, slots=True)
class FieldTouch:
    """How often a plan writes a field: set where it was empty, overwritten, cleared."""

    field: str
    set: int = 0
    overwritten: int = 0
    cleared: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """What COMMIT would do, exactly. `revision` grows each time the file is validated again."""

    revision: int
    creates: int
    updates: int
    unchanged: int
    skips: int
    errors: int
    fields_touched: tuple[FieldTouch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Where the next block begins: rows read so far; number, physical line and byte offset of the next record.

    `block` counts the blocks before it.
    """

    row: int = 0
    record: int = 1
    offset: int = 0
    line: int = 1
    block: int = 0


class ImportPass(StrEnum):
    """Which time the file is being read."""

    NONE = "NONE"
    PLAN = "PLAN"
    COMMIT = "COMMIT"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What the import's worker recorded so far; written with each block, in the block's transaction.

    `counts` is what has been done to leads. `reading` is the pass that `checkpoint` and `tally` belong to: a plan
    tallies what it would do, and in `first_values` what new leads would get. `snapshot` is the database's when the
    plan was begun (text of `pg_snapshot`).
    """

    file_sha256: str | None = None
    dialect: Dialect | None = None
    columns: tuple[ImportColumn, ...] = ()
    total_rows: int | None = None
    counts: ImportCounts = field(default_factory=ImportCounts)
    plan: ImportPlan | None = None
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    stored_issues: int = 0
    reading: ImportPass = ImportPass.NONE
    tally: ImportCounts = field(default_factory=ImportCounts)
    first_values: tuple[FieldTouch, ...] = ()
    snapshot: str | None = None
    revert_job_id: str | None = None


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A row of the plan or of the result. `lead_id` is None where no lead came of it."""

    row: int
    line: int | None
    outcome: RowOutcome
    lead_id: str | None
    matched_by: MatchKey | None
    changes: tuple[FieldChange, ...] = ()
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RevertResult:
    """What the undo did or would do, in leads. First updated leads are restored, then created ones removed.

    `found` counts the created leads that were there still. `cursor` is the id of the last
    lead done in the current part, `removing` whether that is the second one.
    """

    removed: int = 0
    restored: int = 0
    kept_because_edited: int = 0
    already_gone: int = 0
    found: int = 0
    cursor: str | None = None
    removing: bool = False
