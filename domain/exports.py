"""What an export is asked to do, and what it recorded. Stored with the job as JSON of the same shape."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.json import JsonObject
from domain.vocabulary import (
    BuiltinTemplate,
    Compression,
    ExportFormat,
    ExportProfile,
    HeaderStyle,
    LeadFieldKey,
    LeadSortField,
    PhoneFormat,
    SortDirection,
    SplitBy,
)

MAX_WAIT_SECONDS: Final = 30.0
MAX_SAMPLE_ROWS: Final = 10_000
MAX_COLUMNS: Final = 300
FOR_PROGRAMS: Final = frozenset({ExportFormat.JSON, ExportFormat.JSONL, ExportFormat.PARQUET})
"""Formats that programs read: their columns are called by key unless said otherwise."""


@dataclass(frozen=True, slots=True)
class LeadOrder:
    """The order of a list; ties and NULLs are settled by the id, NULLs last both ways."""

    field: LeadSortField = LeadSortField.CREATED_AT
    direction: SortDirection = SortDirection.DESC


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSpec:
    """A column asked for: a field or a custom key, never both, with a header of one's own or None."""

    field: LeadFieldKey | None = None
    custom: str | None = None
    header: str | None = None

    @property
    def key(self) -> str:
        """`lead_id`, or `custom.<key>`."""
        return self.field.value if self.field else f"custom.{self.custom}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """How the file is written; None means: the template's, else the product's default."""

    profile: ExportProfile | None = None
    delimiter: str | None = None
    bom: bool | None = None
    header_style: HeaderStyle | None = None
    phone_format: PhoneFormat | None = None
    time_zone: str | None = None
    date_format: str | None = None
    escape_formulas: bool | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSpec:
    """What to export. `filter` is a filter document (see domain.filter_input), `ids` shown lead ids.

    The fields stand for ExportSpecInput one to one, so that a stored spec can be shown and sent back.
    """

    filter: JsonObject | None = None
    order_by: LeadOrder | None = None
    ids: tuple[str, ...] | None = None
    limit: int | None = None
    template: BuiltinTemplate | None = None
    template_id: str | None = None
    columns: tuple[ColumnSpec, ...] | None = None
    format: ExportFormat | None = None
    compression: Compression | None = None
    split_by: SplitBy | None = None
    file: FileOptions | None = None
    since: str | None = None
    unmask: bool = False
    sample_rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Where to tell of the file: e-mail addresses, or a webhook endpoint. The mailed link lives `link_ttl_hours`."""

    email: tuple[str, ...] = ()
    webhook_endpoint_id: str | None = None
    link_ttl_hours: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """An export as asked for. `wait_seconds` is at most MAX_WAIT_SECONDS."""

    spec: ExportSpec
    name: str | None = None
    deliver: tuple[Delivery, ...] = ()
    wait_seconds: float = 0.0
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class ResolvedColumn:
    """A column as the file has it: registry key (`lead_id`, `custom.x`) and header."""

    key: str
    header: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedExport:
    """The spec after templates and defaults: nothing left open. Decided when the job is made, stored with it.

    `list_separators` tells by column key what joins the items of a list. `masked` are the columns whose values the
    file masks. `filter_text` is the filter as a line for people. `skip_when_empty`: no file where there are no rows.
    """

    spec: ExportSpec
    columns: tuple[ResolvedColumn, ...]
    format: ExportFormat
    compression: Compression
    split_by: SplitBy
    profile: ExportProfile
    delimiter: str
    bom: bool
    phone_format: PhoneFormat
    time_zone: str
    date_format: str
    escape_formulas: bool
    file_name: str
    filter_text: str
    order: LeadOrder
    masked: tuple[LeadFieldKey, ...]
    list_separators: dict[str, str] = field(default_factory=dict)
    deliver: tuple[Delivery, ...] = ()
    skip_when_empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """What the export's worker recorded; None until known."""

    row_count: int | None = None
    snapshot_at: datetime | None = None
    delta_token: str | None = None
    file_id: UUID | None = None
