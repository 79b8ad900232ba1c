"""An export of the activity log with nothing left open: its columns, its file's name, its filter in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from domain.activity import ActivityExportRequest, ActivityFilter
from domain.export_names import with_extension
from domain.exports import FOR_PROGRAMS, ResolvedColumn
from domain.filter_input import read_instant
from domain.filter_text import condition_text
from domain.filters import Operator
from domain.vocabulary import Compression, ExportFormat, FieldType

__all__ = ["ACTIVITY_COLUMNS", "ActivityColumn", "ResolvedActivityExport", "resolve_activity_export"]


@dataclass(frozen=True, slots=True)
class ActivityColumn:
    """A column of the file; `header` is what people read, `key` what programs do."""

    header: str
    type: FieldType


ACTIVITY_COLUMNS: Final[Mapping[str, ActivityColumn]] = {
    "at": ActivityColumn("When", FieldType.DATETIME),
    "action": ActivityColumn("Action", FieldType.ENUM),
    "actor": ActivityColumn("Actor", FieldType.TEXT),
    "actor_kind": ActivityColumn("Actor kind", FieldType.ENUM),
    "actor_id": ActivityColumn("Actor id", FieldType.ID),
    "summary": ActivityColumn("Summary", FieldType.LONG_TEXT),
    "lead_count": ActivityColumn("Leads", FieldType.INTEGER),
    "job_id": ActivityColumn("Job id", FieldType.ID),
    "lead_id": ActivityColumn("Lead id", FieldType.ID),
    "ip_address": ActivityColumn("IP address", FieldType.TEXT),
    "details": ActivityColumn("Details", FieldType.LONG_TEXT),
    "activity_id": ActivityColumn("Activity id", FieldType.ID),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedActivityExport:
    """The request after defaults: decided when the job is made, stored with it.

    Relative periods of the filter count back from `asked_at`. `time_zone` is that of the file's instants.
    """

    format: ExportFormat
    columns: tuple[ResolvedColumn, ...]
    time_zone: str
    file_name: str
    filter_text: str
    asked_at: datetime
    filter: ActivityFilter = field(default_factory=ActivityFilter)


def resolve_activity_export(request: ActivityExportRequest, time_zone: str, now: datetime) -> ResolvedActivityExport:
    """The export that a request asks for. Raises BadInput for a wrong `filter.at`."""
    programs = request.format in FOR_PROGRAMS
    stem = now.astimezone(ZoneInfo(time_zone)).strftime("activity_%Y-%m-%d_%H%M%S")
    return ResolvedActivityExport(
        format=request.format,
        columns=tuple(
            ResolvedColumn(key, key if programs else column.header) for key, column in ACTIVITY_COLUMNS.items()
        ),
        time_zone=time_zone,
        file_name=with_extension(stem, request.format, Compression.NONE),
        filter_text=" and ".join(_phrases(request.filter)) or "All activity",
        asked_at=now,
        filter=request.filter,
    )


def _phrases(wanted: ActivityFilter) -> Iterator[str]:
    if wanted.action is not None:
        yield condition_text("Action", Operator.IN, wanted.action)
    named = (("Actor", wanted.actor_id), ("Job", wanted.job_id), ("Lead", wanted.lead_id))
    for label, shown_id in named:
        if shown_id is not None:
            yield condition_text(label, Operator.EQ, shown_id)
    for operator, value in read_instant(wanted.at, ("input", "filter", "at")) if wanted.at else ():
        yield condition_text("When", operator, value)
    if wanted.search is not None:
        yield condition_text("Summary", Operator.CONTAINS, wanted.search)
