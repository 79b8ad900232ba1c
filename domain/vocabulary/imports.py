"""How an import is read and merged."""

from enum import StrEnum


class MergeStrategy(StrEnum):
    """Merge strategy."""

    SKIP = "SKIP"
    OVERWRITE = "OVERWRITE"
    CREATE_NEW = "CREATE_NEW"
    FILL_BLANKS = "FILL_BLANKS"


class BlankCells(StrEnum):
    """Blank cells."""

    KEEP = "KEEP"
    CLEAR = "CLEAR"


class UnmappedColumns(StrEnum):
    """CUSTOM: each becomes the custom field named after its header."""

    IGNORE = "IGNORE"
    CUSTOM = "CUSTOM"


class ErrorPolicy(StrEnum):
    """Error policy."""

    SKIP_ROW = "SKIP_ROW"
    ABORT = "ABORT"


class ImportMode(StrEnum):
    """VALIDATE: report only. REVIEW: validate, then wait for commitImport. COMMIT: straight through."""

    VALIDATE = "VALIDATE"
    REVIEW = "REVIEW"
    COMMIT = "COMMIT"


class MatchKey(StrEnum):
    """Match key."""

    LEAD_ID = "LEAD_ID"
    EXTERNAL_ID = "EXTERNAL_ID"
    PHONE = "PHONE"
    EMAIL = "EMAIL"


class ImportFormat(StrEnum):
    """Import format."""

    CSV = "CSV"
    XLSX = "XLSX"
    JSON = "JSON"
    JSONL = "JSONL"


class DateOrder(StrEnum):
    """Date order."""

    YMD = "YMD"
    DMY = "DMY"
    MDY = "MDY"


class UploadState(StrEnum):
    """Upload state."""

    OPEN = "OPEN"
    COMPLETE = "COMPLETE"
    EXPIRED = "EXPIRED"


class DetectionConfidence(StrEnum):
    """Detection confidence."""

    GIVEN = "GIVEN"
    CERTAIN = "CERTAIN"
    LIKELY = "LIKELY"
    AMBIGUOUS = "AMBIGUOUS"


class RowOutcome(StrEnum):
    """Row outcome."""

    PENDING = "PENDING"
    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"
