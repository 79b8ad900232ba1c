"""What an import is asked to do. Stored with the job as JSON."""

from dataclasses import dataclass, field
from typing import Final

from domain.fields import DEFAULT_REQUIRED
from domain.import_results import (
    Checkpoint,
    Detected,
    Dialect,
    FieldChange,
    FieldTouch,
    ImportColumn,
    ImportCounts,
    ImportPass,
    ImportPlan,
    ImportResult,
    ImportRow,
    Issue,
    IssueGroup,
    RevertResult,
    ValueCount,
)
from domain.stored import KEY
from domain.vocabulary import (
    BlankCells,
    DateOrder,
    DuplicateScope,
    ErrorPolicy,
    ImportFormat,
    ImportMode,
    LeadFieldKey,
    MatchKey,
    MergeStrategy,
    UnmappedColumns,
)

__all__ = [
    "DEFAULT_MATCH_ON",
    "MAX_STORED_ISSUES",
    "UPDATING",
    "Checkpoint",
    "ColumnMapping",
    "Detected",
    "Dialect",
    "DialectSpec",
    "FieldChange",
    "FieldTouch",
    "FieldValue",
    "ImportColumn",
    "ImportCounts",
    "ImportOptions",
    "ImportPass",
    "ImportPlan",
    "ImportRequest",
    "ImportResult",
    "ImportRow",
    "ImportSpec",
    "Issue",
    "IssueGroup",
    "RevertResult",
    "RevertSpec",
    "ValueCount",
    "ValueMapping",
]

DEFAULT_MATCH_ON: Final = (MatchKey.LEAD_ID, MatchKey.EXTERNAL_ID, MatchKey.PHONE)
MAX_STORED_ISSUES: Final = 100_000
UPDATING: Final = frozenset({MergeStrategy.OVERWRITE, MergeStrategy.FILL_BLANKS})
"""Strategies by which a row may change a lead that is there already."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RevertSpec:
    """Which import to undo (a shown job id); a dry run only counts."""

    import_job_id: str
    dry_run: bool = False
