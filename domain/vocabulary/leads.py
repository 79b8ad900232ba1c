"""The closed vocabularies of a lead and of lists of leads."""

from enum import StrEnum
from typing import Final


class LeadStage(StrEnum):
    """Fixed meaning behind the statuses that each organization names itself."""

    DRAFT = "DRAFT"
    NEW = "NEW"
    CONTACTED = "CONTACTED"
    QUALIFYING = "QUALIFYING"
    QUALIFIED = "QUALIFIED"
    APPOINTMENT = "APPOINTMENT"
    WON = "WON"
    LOST = "LOST"
    OTHER = "OTHER"


CLOSED_STAGES: Final = frozenset({LeadStage.WON, LeadStage.LOST})
"""Leads at these are done with; all others are active."""


class LeadSource(StrEnum):
    """Lead source."""

    WEB = "WEB"
    MOBILE = "MOBILE"
    PHONE = "PHONE"
    EMAIL = "EMAIL"
    REFERRAL = "REFERRAL"
    WALK_IN = "WALK_IN"
    SOCIAL_MEDIA = "SOCIAL_MEDIA"
    WHATSAPP = "WHATSAPP"
    CHATBOT = "CHATBOT"
    IMPORTED_OUTBOUND = "IMPORTED_OUTBOUND"
    API = "API"
    UNKNOWN = "UNKNOWN"


class InterestLevel(StrEnum):
    """Interest level."""

    HOT = "HOT"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class Confidence(StrEnum):
    """Confidence."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class LeadCategory(StrEnum):
    """Lead category."""

    BUYING_INTENT = "BUYING_INTENT"
    PRICING_INQUIRY = "PRICING_INQUIRY"
    DEMO_REQUEST = "DEMO_REQUEST"
    GENERAL_INQUIRY = "GENERAL_INQUIRY"


class DuplicateScope(StrEnum):
    """ACTIVE: only leads whose stage is neither WON nor LOST count as duplicates."""

    ACTIVE = "ACTIVE"
    ALL = "ALL"


class MaskingMode(StrEnum):
    """Masking mode."""

    PARTIAL = "PARTIAL"
    REDACT = "REDACT"


class FieldType(StrEnum):
    """Field type."""

    TEXT = "TEXT"
    LONG_TEXT = "LONG_TEXT"
    INTEGER = "INTEGER"
    DECIMAL = "DECIMAL"
    BOOLEAN = "BOOLEAN"
    DATETIME = "DATETIME"
    ENUM = "ENUM"
    LIST = "LIST"
    PHONE = "PHONE"
    EMAIL = "EMAIL"
    ID = "ID"


class PeriodUnit(StrEnum):
    """Period unit."""

    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"


class LeadSortField(StrEnum):
    """Lead sort field."""

    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"
    NAME = "NAME"
    SCORE = "SCORE"
    CONVERTED_AT = "CONVERTED_AT"
    LAST_CALL_AT = "LAST_CALL_AT"
    CONVERSION_VALUE = "CONVERSION_VALUE"


class SortDirection(StrEnum):
    """Sort direction."""

    ASC = "ASC"
    DESC = "DESC"


class LeadGroupBy(StrEnum):
    """Lead group by."""

    STATUS = "STATUS"
    STAGE = "STAGE"
    SOURCE = "SOURCE"
    CATEGORY = "CATEGORY"
    CONFIDENCE = "CONFIDENCE"
    INTEREST_LEVEL = "INTEREST_LEVEL"
    LANGUAGE = "LANGUAGE"
    COMPANY = "COMPANY"
    CHATBOT = "CHATBOT"
    ASSIGNEE = "ASSIGNEE"
    COUNTRY = "COUNTRY"
    CREATED_DAY = "CREATED_DAY"
    CREATED_WEEK = "CREATED_WEEK"
    CREATED_MONTH = "CREATED_MONTH"


class BulkOutcome(StrEnum):
    """Bulk outcome."""

    CHANGED = "CHANGED"
    UNCHANGED = "UNCHANGED"
    NOT_FOUND = "NOT_FOUND"
    FAILED = "FAILED"
