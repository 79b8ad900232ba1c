"""What a long action is, and where it stands."""

from enum import StrEnum


class JobKind(StrEnum):
    """Job kind."""

    IMPORT = "IMPORT"
    REVERT = "REVERT"
    EXPORT = "EXPORT"
    ACTIVITY_EXPORT = "ACTIVITY_EXPORT"
    BULK_UPDATE = "BULK_UPDATE"
    BULK_ASSIGN = "BULK_ASSIGN"
    BULK_DELETE = "BULK_DELETE"


class JobState(StrEnum):
    """EXPIRED: waited for mapping or review until its file was deleted."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    AWAITING_MAPPING = "AWAITING_MAPPING"
    AWAITING_REVIEW = "AWAITING_REVIEW"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_ERRORS = "COMPLETED_WITH_ERRORS"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"


class JobTrigger(StrEnum):
    """Job trigger."""

    USER = "USER"
    API = "API"
    SCHEDULE = "SCHEDULE"


class JobAction(StrEnum):
    """Job action."""

    CANCEL = "CANCEL"
    MAP = "MAP"
    COMMIT = "COMMIT"
    REVERT = "REVERT"
    RETRY = "RETRY"
    DOWNLOAD = "DOWNLOAD"
    DELETE_FILES = "DELETE_FILES"


class JobFileRole(StrEnum):
    """Job file role."""

    DATA = "DATA"
    MANIFEST = "MANIFEST"
    ORIGINAL = "ORIGINAL"
    ERRORS = "ERRORS"
    REPORT = "REPORT"


class JobEventType(StrEnum):
    """Job event type."""

    SNAPSHOT = "SNAPSHOT"
    PROGRESS = "PROGRESS"
    STATE = "STATE"
