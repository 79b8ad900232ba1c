"""What exports, templates and schedules are asked to do."""

import strawberry

from domain import exports, requests
from domain.checks import delivery_problems, name_problems, require, time_zone_problems, wait_problems
from domain.errors import Path
from domain.vocabulary import (
    BuiltinTemplate,
    Compression,
    ExportFormat,
    ExportProfile,
    HeaderStyle,
    LeadFieldKey,
    PhoneFormat,
    SplitBy,
)
from schema.arguments import INPUT, optional, read
from schema.filters import LeadFilter, LeadOrder


@strawberry.input(description="A column of an export: a field or a custom key.")
class ExportColumnInput:
    field: LeadFieldKey | None = optional("The field.")
    custom: str | None = optional("The key of one of the organization's own fields.")
    header: str | None = optional("A header of one's own.")


@strawberry.input(description="How the file is written.")
class FileOptionsInput:
    profile: ExportProfile | None = optional(
        "Omitted here and in the template: EXCEL, LABEL, E164, Settings.timeZone, YYYY-MM-DD HH:MM:SS."
    )
    delimiter: str | None = optional("Omitted: a comma.")
    bom: bool | None = optional("Whether the file begins with a byte order mark; omitted: as the profile says.")
    header_style: HeaderStyle | None = optional("Labels or keys.")
    phone_format: PhoneFormat | None = optional("E.164 or for reading.")
    time_zone: str | None = optional("IANA name of the zone that instants are written in.")
    date_format: str | None = optional("Made of YYYY, MM, DD, HH, MM and SS.")
    escape_formulas: bool | None = optional("Whether a text that a spreadsheet would run gets a leading '.")
    name: str | None = optional(
        "Omitted: the template's name, else leads_export_{date}_{time}, with {filter} when a filter is set. Tokens "
        "{status} {date} {time} {format} {filter} {organization}; sanitised to [A-Za-z0-9._-]."
    )


@strawberry.input(description="What to export.")
class ExportSpecInput:
    filter: LeadFilter | None = optional("Exactly what `leads` takes: what you see is what you export.")
    order_by: LeadOrder | None = optional("Omitted: newest first.")
    ids: list[strawberry.ID] | None = optional("Selected leads only; combined with `filter` by AND.")
    limit: int | None = optional("At most this many rows.")
    template: BuiltinTemplate | None = optional("A builtin set of columns.")
    template_id: strawberry.ID | None = optional("A saved template; what is given here goes before it.")
    columns: list[ExportColumnInput] | None = optional("The columns in their order.")
    format: ExportFormat | None = optional("Omitted here and in the template: CSV, NONE, NONE.")
    compression: Compression | None = optional("How the file is packed.")
    split_by: SplitBy | None = optional("One archive with a file for each.")
    file: FileOptionsInput | None = optional("How the file is written.")
    since: str | None = optional(
        "deltaToken of an earlier export: only leads changed since; deleted ones, and ones that left the filter, come "
        "with DELETED_AT or their new values and are marked in the column `_change`."
    )
    unmask: bool = strawberry.field(
        default=False, description="Unmasked values; needs LEADS_UNMASK, and is written to the activity log."
    )
    sample_rows: int | None = optional(
        "Mock data: this many realistic invented rows that satisfy the filter, no real lead read; the file name starts "
        "with mock-."
    )

    def to_domain(self, path: Path = (*INPUT, "spec")) -> exports.ExportSpec:
        """The spec, its values not yet judged: domain/export_plan does. Raises BadInput for an explicit null."""
        return read(exports.ExportSpec, self, path)


@strawberry.input(
    description="Exactly one of the two. The mailed link is bound to the file and works without signing in until "
    "linkTtlHours or the file's end; the data itself is never mailed."
)
class DeliveryInput:
    email: list[str] | None = optional("Addresses to mail a link to.")
    webhook_endpoint_id: strawberry.ID | None = optional("An endpoint to tell.")
    link_ttl_hours: int | None = optional("How long the mailed link lives.")


@strawberry.input(description="`waitSeconds` (at most 30): a small export comes back finished, its URL already signed.")
class ExportLeadsInput:
    spec: ExportSpecInput = strawberry.field(description="What to export.")
    name: str | None = optional("The job's name for people.")
    deliver: list[DeliveryInput] | None = optional("Who is told of the file.")
    wait_seconds: float = strawberry.field(default=0, description="Wait this long for the end, at most 30 seconds.")
    idempotency_key: str | None = optional("The same key and input again give the same job.")

    def to_domain(self) -> exports.ExportRequest:
        """The request. Raises BadInput for an explicit null, Rejected for what is wrong beside the spec."""
        request = read(exports.ExportRequest, self)
        require(
            (
                *name_problems(request.name, *INPUT, "name"),
                *delivery_problems(request.deliver, (*INPUT, "deliver")),
                *wait_problems(request.wait_seconds, INPUT),
            )
        )
        return request


@strawberry.input(description="A template to create, or with `id` to replace.")
class SaveExportTemplateInput:
    id: strawberry.ID | None = optional("The template to replace.")
    name: str = strawberry.field(description="Unique in the organization.")
    spec: ExportSpecInput = strawberry.field(description="What exports with this template leave out.")

    def to_domain(self) -> requests.SaveTemplate:
        """The request. Raises BadInput or Rejected."""
        request = read(requests.SaveTemplate, self)
        require(name_problems(request.name, *INPUT, "name", required=True))
        return request


@strawberry.input(description="A schedule to create, or with `id` to replace.")
class ExportScheduleInput:
    id: strawberry.ID | None = optional("The schedule to replace.")
    name: str = strawberry.field(description="Its name for people.")
    cron: str = strawberry.field(description="Five fields: minute, hour, day of month, month, day of week.")
    time_zone: str = strawberry.field(description="IANA name of the zone that `cron` is in.")
    enabled: bool | None = optional("Omitted: true for a new one, else as before.")
    spec: ExportSpecInput = strawberry.field(description="What to export.")
    incremental: bool | None = optional("Each run gives only what changed since the one before; omitted: false.")
    skip_when_empty: bool | None = optional("No file and no delivery where there are no rows; omitted: false.")
    deliver: list[DeliveryInput] = strawberry.field(description="Who is told of each file.")

    def to_domain(self) -> requests.SaveSchedule:
        """The request; `cron` is judged where it is used. Raises BadInput or Rejected."""
        request = read(requests.SaveSchedule, self)
        require(
            (
                *name_problems(request.name, *INPUT, "name", required=True),
                *time_zone_problems(request.time_zone, *INPUT, "timeZone"),
                *delivery_problems(request.deliver, (*INPUT, "deliver")),
            )
        )
        return request
