"""What an import is asked to do, and what it recorded. Stored with the job as JSON."""

from dataclasses import dataclass, field
from typing import Final

from domain.fields import DEFAULT_REQUIRED
from domain.stored import KEY
from domain.vocabulary import (
    BlankCells,
    DateOrder,
    DetectionConfidence,
    DuplicateScope,
    ErrorPolicy,
    ImportFormat,
    ImportIssueCode,
    ImportMode,
    LeadFieldKey,
    MatchKey,
    MergeStrategy,
    RowOutcome,
    Severity,
    UnmappedColumns,
)

DEFAULT_MATCH_ON: Final = (MatchKey.LEAD_ID, MatchKey.EXTERNAL_ID, MatchKey.PHONE)
MAX_STORED_ISSUES: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DialectSpec:
    """What the caller says of the file; None is detected. `header_row` is 1-based, 0: no header."""

    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None
    header_row: int | None = None
    sheet: str | None = None
    date_order: DateOrder | None = None
    decimal_mark: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class ValueMapping:
    """Replaces an exact source value; `to` None makes the cell blank."""

    source: str = field(metadata={KEY: "from"})
    to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    """What a column of the file becomes. Named by header text or zero-based index; `field` or `custom` or `ignore`."""

    column: str | None = None
    index: int | None = None
    field: LeadFieldKey | None = None
    custom: str | None = None
    values: tuple[ValueMapping, ...] = ()
    default: str | None = None
    ignore: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldValue:
    """A value for a field where the row has none."""

    value: str
    field: LeadFieldKey | None = None
    custom: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """How rows are judged and merged. None: the organization's setting."""

    merge_strategy: MergeStrategy = MergeStrategy.SKIP
    match_on: tuple[MatchKey, ...] = DEFAULT_MATCH_ON
    duplicate_scope: DuplicateScope | None = None
    blank_cells: BlankCells = BlankCells.KEEP
    unmapped: UnmappedColumns = UnmappedColumns.IGNORE
    on_error: ErrorPolicy = ErrorPolicy.SKIP_ROW
    required: tuple[LeadFieldKey, ...] = DEFAULT_REQUIRED
    must_be_valid: tuple[LeadFieldKey, ...] = ()
    default_country: str | None = None
    defaults: tuple[FieldValue, ...] = ()
    add_tags: tuple[str, ...] = ()
    assignee_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSpec:
    """What to import. `source_key` is where the object store keeps the file; `retry_of` a shown job id."""

    source_key: str
    file_name: str
    file_bytes: int
    mode: ImportMode = ImportMode.COMMIT
    format: ImportFormat | None = None
    dialect: DialectSpec = field(default_factory=DialectSpec)
    mapping: tuple[ColumnMapping, ...] = ()
    options: ImportOptions = field(default_factory=ImportOptions)
    retry_of: str | None = None
    notify: tuple[str, ...] = ()
    committing: bool = False
    """Set by commitImport: the reviewed plan is to be carried out."""
    reviewed_at_xid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """An import as asked for: an upload's id, or inline bytes already put into the store as `source_key`."""

    upload_id: str | None = None
    source_key: str | None = None
    file_name: str | None = None
    file_bytes: int | None = None
    name: str | None = None
    mode: ImportMode = ImportMode.COMMIT
    format: ImportFormat | None = None
    dialect: DialectSpec = field(default_factory=DialectSpec)
    mapping_id: str | None = None
    mapping: tuple[ColumnMapping, ...] = ()
    options: ImportOptions | None = None
    save_mapping_as: str | None = None
    retry_of: str | None = None
    notify: tuple[str, ...] = ()
    allow_same_file: bool = False
    wait_seconds: float = 0.0
    idempotency_key: str | None = None


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
    """Where the next block begins: rows read so far, byte offset and physical line of the next record."""

    row: int = 0
    offset: int = 0
    line: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What the import's worker recorded so far; written with each block, in the block's transaction."""

    file_sha256: str | None = None
    dialect: Dialect | None = None
    columns: tuple[ImportColumn, ...] = ()
    total_rows: int | None = None
    counts: ImportCounts = field(default_factory=ImportCounts)
    plan: ImportPlan | None = None
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    stored_issues: int = 0


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
class RevertSpec:
    """Which import to undo (a shown job id); a dry run only counts."""

    import_job_id: str
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RevertResult:
    """What the undo did or would do. `checkpoint_row`: rows of the import already undone."""

    removed: int = 0
    restored: int = 0
    kept_because_edited: int = 0
    already_gone: int = 0
    checkpoint_row: int = 0
