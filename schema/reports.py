"""What an import says of its file: dialect, columns, plan, issues, rows."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from domain import imports, job_details
from domain.ids import IdKind, format_id, parse_id
from domain.records import MappingRecord, UploadRecord
from domain.stored import decode
from domain.vocabulary import (
    DetectionConfidence,
    ImportFormat,
    ImportIssueCode,
    LeadFieldKey,
    MatchKey,
    RowOutcome,
    Severity,
    UploadState,
)
from schema.arguments import constraints, optional
from schema.context import Info
from schema.files import SignedUrl
from schema.leads import Lead
from schema.nodes import CountedConnection, Mirror, Node
from schema.scalars import BigInt


@strawberry.type(
    description="A guess shows its evidence; AMBIGUOUS stops the job in AWAITING_MAPPING instead of guessing (e.g. "
    "every day is 12 or less)."
)
class Detected(Mirror[imports.Detected]):
    value: str | None = strawberry.field(description="What was found, or given.")
    confidence: DetectionConfidence = strawberry.field(description="How sure it is.")
    evidence: str | None = strawberry.field(description="What speaks for it, for people.")
    alternatives: list[str] = strawberry.field(description="What else it could be.")


@strawberry.type(description="How a file is written.")
class Dialect(Mirror[imports.Dialect]):
    format: ImportFormat = strawberry.field(description="The format of the file.")
    encoding: Detected = strawberry.field(description="The character encoding, as IANA names it.")
    delimiter: Detected = strawberry.field(description="What stands between cells.")
    quote: str | None = strawberry.field(description="What encloses cells.")
    escape: str | None = strawberry.field(description="What stands before a quote inside a cell, where not doubled.")
    header_row: int = strawberry.field(description="1-based; 0: there is none.")
    sheet: str | None = strawberry.field(description="The sheet that is read.")
    sheets: list[str] = strawberry.field(description="Every sheet of the workbook.")
    date_order: Detected = strawberry.field(description="The order of day, month and year.")
    decimal_mark: Detected = strawberry.field(description="What stands before decimals.")
    time_zone: str = strawberry.field(description="The zone of instants without offset.")
    bom: bool = strawberry.field(description="Whether the file begins with a byte order mark.")


@strawberry.type(description="A value that no enum, status or reference has.")
class ValueCount(Mirror[imports.ValueCount]):
    value: str = strawberry.field(description="As it stands in the file.")
    count: int = strawberry.field(description="Rows that have it.")
    suggestion: str | None = strawberry.field(description="The nearest known value.")


@strawberry.type(description="A column of the file and what it becomes.")
class ImportColumn(Mirror[imports.ImportColumn]):
    index: int = strawberry.field(description="Zero-based.")
    header: str = strawberry.field(description="As it stands in the file.")
    field: str | None = strawberry.field(description="A LeadFieldKey in lower case, or custom.<key>; null: nothing.")
    suggested_field: str | None = strawberry.field(description="What it may be, where the match is not sure.")
    suggestion_score: float | None = strawberry.field(description="How near the match is, 0.0 to 1.0.")
    samples: list[str] = strawberry.field(description="The first values, masked like any other.")
    blank_count: int | None = strawberry.field(description="Rows without a value; null until the file is read.")
    unknown_values: list[ValueCount] = strawberry.field(description="Values that need a mapping, the commonest first.")
    ignored: bool = strawberry.field(description="Whether it is left out on purpose.")


@strawberry.type(description="warnings counts rows with a warning and no error.")
class ImportCounts(Mirror[imports.ImportCounts]):
    created: int = strawberry.field(description="Rows that became leads.")
    updated: int = strawberry.field(description="Rows that changed a lead.")
    unchanged: int = strawberry.field(description="Rows whose lead has all their values already.")
    skipped: int = strawberry.field(description="Rows left out as duplicates.")
    failed: int = strawberry.field(description="Rows with an error.")
    unprocessed: int = strawberry.field(description="Rows not reached.")
    warnings: int = strawberry.field(description="Rows with a warning and no error.")


@strawberry.type(description="How often a plan writes a field.")
class FieldTouch(Mirror[imports.FieldTouch]):
    field: str = strawberry.field(description="A LeadFieldKey in lower case, or custom.<key>.")
    set: int = strawberry.field(description="Leads that get a first value, new leads included.")
    overwritten: int = strawberry.field(description="Leads whose value is replaced.")
    cleared: int = strawberry.field(description="Leads whose value is emptied.")


@strawberry.type(description="What COMMIT would do, for the whole file, exact.")
class ImportPlan(Mirror[imports.ImportPlan]):
    revision: int = strawberry.field(description="Grows with every validation; commitImport names it.")
    creates: int = strawberry.field(description="Rows that would become leads.")
    updates: int = strawberry.field(description="Rows that would change a lead.")
    unchanged: int = strawberry.field(description="Rows that would change nothing.")
    skips: int = strawberry.field(description="Rows that would be left out as duplicates.")
    errors: int = strawberry.field(description="Rows that would fail.")
    fields_touched: list[FieldTouch] = strawberry.field(description="Field by field.")


@strawberry.type(description="Issues of one code, column and field, and of one value where that is what is unknown.")
class ImportIssueGroup(Mirror[imports.IssueGroup]):
    code: ImportIssueCode = strawberry.field(description="What is wrong.")
    severity: Severity = strawberry.field(description="Whether the rows fail.")
    column: str | None = strawberry.field(description="The column's header.")
    field: str | None = strawberry.field(description="A LeadFieldKey in lower case, or custom.<key>.")
    value: str | None = strawberry.field(description="The value, masked like any other.")
    rows: int = strawberry.field(description="How many rows.")
    first_row: int = strawberry.field(description="The first of them.")
    message: str = strawberry.field(description="For people.")
    suggestion: str | None = strawberry.field(description="What may be meant.")


@strawberry.type(description="One thing wrong with one row.")
class ImportIssue(Mirror[imports.Issue]):
    row: int = strawberry.field(description="Row as a spreadsheet shows it: the header is row 1.")
    line: int | None = strawberry.field(
        description="Physical line in the file; differs from row when a quoted cell holds line breaks."
    )
    column: str | None = strawberry.field(description="The column's header.")
    field: str | None = strawberry.field(description="A LeadFieldKey in lower case, or custom.<key>.")
    code: ImportIssueCode = strawberry.field(description="What is wrong.")
    severity: Severity = strawberry.field(description="Whether the row fails.")
    message: str = strawberry.field(description="For people.")
    value: str | None = strawberry.field(description="The cell, masked like any other.")
    suggestion: str | None = strawberry.field(description="What may be meant.")


@strawberry.type(description="What a row does to one field of its lead.")
class FieldChange(Mirror[imports.FieldChange]):
    field: str = strawberry.field(description="A LeadFieldKey in lower case, or custom.<key>.")
    before: str | None = strawberry.field(description="The value before, masked like any other.")
    after: str | None = strawberry.field(description="The value after, masked like any other.")


@strawberry.type(description="A row of the plan or of the result, with what it does to the lead field by field.")
class ImportRow:
    lead_id: strawberry.Private[str | None]
    row: int = strawberry.field(description="Row as a spreadsheet shows it: the header is row 1.")
    line: int | None = strawberry.field(description="Physical line in the file.")
    outcome: RowOutcome = strawberry.field(description="What became, or would become, of it.")
    matched_by: MatchKey | None = strawberry.field(description="What made it and the lead the same.")
    changes: list[FieldChange] = strawberry.field(description="What it does to the lead.")
    issues: list[ImportIssue] = strawberry.field(description="What is wrong with it.")

    @classmethod
    def of(cls, record: imports.ImportRow) -> "ImportRow":
        """The row as the API shows it."""
        return cls(
            lead_id=record.lead_id,
            row=record.row,
            line=record.line,
            outcome=record.outcome,
            matched_by=record.matched_by,
            changes=[FieldChange.of(change) for change in record.changes],
            issues=[ImportIssue.of(issue) for issue in record.issues],
        )

    @strawberry.field(description="The lead it became or matched.")
    async def lead(self, info: Info) -> Lead | None:
        lead_id = parse_id(IdKind.LEAD, self.lead_id) if self.lead_id else None
        return await info.context.leads.lead(lead_id) if lead_id else None


ImportIssueConnection = CountedConnection[ImportIssue]
ImportRowConnection = CountedConnection[ImportRow]


@strawberry.input(description="Which issues; omitted: no constraint.")
class ImportIssueFilter:
    severity: list[Severity] | None = optional("Errors, warnings or both.")
    code: list[ImportIssueCode] | None = optional("One of these codes.")
    field: LeadFieldKey | None = optional("Of this field.")
    column: str | None = optional("Of the column with this header.")
    row_from: int | None = optional("From this row on.")
    row_to: int | None = optional("Up to this row.")

    def to_domain(self) -> job_details.IssueFilter:
        """The filter. Raises BadInput for a null or an empty list."""
        return decode(job_details.IssueFilter, constraints(self, ("filter",)))


@strawberry.input(description="Which rows; omitted: no constraint.")
class ImportRowFilter:
    outcome: list[RowOutcome] | None = optional("One of these outcomes.")
    code: list[ImportIssueCode] | None = optional("With an issue of one of these codes.")
    row_from: int | None = optional("From this row on.")
    row_to: int | None = optional("Up to this row.")

    def to_domain(self) -> job_details.RowFilter:
        """The filter. Raises BadInput for a null or an empty list."""
        return decode(job_details.RowFilter, constraints(self, ("filter",)))


@strawberry.type(description="A saved answer to how columns become fields.")
class ImportMapping(Node):
    name: str = strawberry.field(description="Unique in the organization.")
    columns: JSON = strawberry.field(description="A list of the shape of ColumnMappingInput.")
    options: JSON = strawberry.field(description="The shape of ImportOptionsInput.")
    used_count: int = strawberry.field(description="Imports that used it.")
    updated_at: datetime = strawberry.field(description="When it was saved last.")

    @classmethod
    def of(cls, record: MappingRecord) -> "ImportMapping":
        """The mapping as the API shows it."""
        return cls(
            id=strawberry.ID(format_id(IdKind.MAPPING, record.id)),
            name=record.name,
            columns=JSON(record.columns),
            options=JSON(record.options),
            used_count=record.used_count,
            updated_at=record.updated_at,
        )


@strawberry.type(description="A file on its way in.")
class UploadSession(Node):
    record: strawberry.Private[UploadRecord]
    state: UploadState = strawberry.field(description="Whether the file is there.")
    file_name: str = strawberry.field(description="As given, cleaned for display.")
    bytes: BigInt | None = strawberry.field(description="The size as declared, or as received once complete.")
    expires_at: datetime = strawberry.field(description="Until then the file must be sent and used.")

    @classmethod
    def of(cls, record: UploadRecord) -> "UploadSession":
        """The upload as the API shows it."""
        return cls(
            record=record,
            id=strawberry.ID(format_id(IdKind.UPLOAD, record.id)),
            state=record.state,
            file_name=record.file_name,
            bytes=None if record.bytes is None else BigInt(record.bytes),
            expires_at=record.expires_at,
        )

    @strawberry.field(description="Where to send the file, whole, with the given method and headers.")
    async def put(self, info: Info) -> SignedUrl:
        return SignedUrl.of(await info.context.imports.upload_target(self.record))
