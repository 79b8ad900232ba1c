"""How an export is written and delivered."""

from enum import StrEnum


class ExportFormat(StrEnum):
    """Export format."""

    CSV = "CSV"
    XLSX = "XLSX"
    JSON = "JSON"
    JSONL = "JSONL"
    TXT = "TXT"
    PARQUET = "PARQUET"


class Compression(StrEnum):
    """Compression."""

    NONE = "NONE"
    ZIP = "ZIP"
    GZIP = "GZIP"
    ZSTD = "ZSTD"


class BuiltinTemplate(StrEnum):
    """Without template and columns: LEADS."""

    BASIC = "BASIC"
    FULL = "FULL"
    CRM = "CRM"
    LEADS = "LEADS"
    OUTBOUND_STATUS = "OUTBOUND_STATUS"
    CHATBOT = "CHATBOT"


class SplitBy(StrEnum):
    """Split by."""

    NONE = "NONE"
    COMPANY = "COMPANY"
    STATUS = "STATUS"


class ExportProfile(StrEnum):
    """EXCEL: BOM, CRLF, formula escape. PLAIN: no BOM, LF, values untouched, for programs."""

    EXCEL = "EXCEL"
    PLAIN = "PLAIN"


class HeaderStyle(StrEnum):
    """Header style."""

    LABEL = "LABEL"
    KEY = "KEY"


class PhoneFormat(StrEnum):
    """Phone format."""

    E164 = "E164"
    INTERNATIONAL = "INTERNATIONAL"


class DeliveryChannel(StrEnum):
    """Delivery channel."""

    EMAIL = "EMAIL"
    WEBHOOK = "WEBHOOK"


class DeliveryState(StrEnum):
    """Delivery state."""

    PENDING = "PENDING"
    SENT = "SENT"
    FAILED = "FAILED"


class WebhookEvent(StrEnum):
    """Payloads carry ids, states and counts, never lead values or links."""

    JOB_FINISHED = "JOB_FINISHED"
    JOB_FAILED = "JOB_FAILED"
    JOB_AWAITING_REVIEW = "JOB_AWAITING_REVIEW"
    EXPORT_READY = "EXPORT_READY"
