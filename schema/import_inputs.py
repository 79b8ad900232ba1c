"""What imports are asked to do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

import strawberry

from domain import imports, requests
from domain.checks import (
    dialect_problems,
    mapping_problems,
    name_problems,
    options_problems,
    require,
    wait_problems,
)
from domain.errors import Problem
from domain.stored import decode, to_json
from domain.texts import nul_problems
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
from schema.arguments import INPUT, document, optional, read
from schema.scalars import BigInt, Upload


@strawberry.input(description="A file to send. The size is checked again when the file is used.")
class CreateUploadInput:
    file_name: str = strawberry.field(description="Shown to people and part of no path.")
    bytes: BigInt | None = optional("The size, where known.")
    content_type: str | None = optional("Media type; the content decides.")

    def to_domain(self) -> requests.CreateUpload:
        """The request. Raises BadInput for an explicit null."""
        return read(requests.CreateUpload, self)


@strawberry.input(one_of=True, description="Where the file is.")
class ImportSourceInput:
    upload_id: strawberry.ID | None = optional("An upload that is complete.")
    file: Upload | None = optional("The file itself, for small ones.")


@strawberry.input(description="What is omitted is detected, and shown on the job with its evidence.")
class DialectInput:
    encoding: str | None = optional("As IANA names it, e.g. windows-1252.")
    delimiter: str | None = optional("What stands between cells: one character.")
    quote: str | None = optional("What encloses cells: one character.")
    escape: str | None = optional('For files that write \\" instead of "".')
    header_row: int | None = optional("1-based; 0: the file has no header and columns are named by index.")
    sheet: str | None = optional("The sheet to read; omitted: the first with cells.")
    date_order: DateOrder | None = optional("The order of day, month and year.")
    decimal_mark: str | None = optional("A point or a comma.")
    time_zone: str | None = optional("IANA name of the zone of instants without offset.")


@strawberry.input(description="What one value of the file becomes.")
class ValueMappingInput:
    from_: str = strawberry.field(name="from", description="The value in the file, exactly.")
    to: str | None = optional("What it becomes; omitted: blank.")


@strawberry.input(
    description="By header text, or by zero-based index (no header, repeated headers). Several columns may name the "
    "same text field: their values are joined with a blank, in mapping order (first and last name). `values` maps "
    "exact source values; `default` serves blanks and, where `values` is given, what it does not list."
)
class ColumnMappingInput:
    column: str | None = optional("The column's header.")
    index: int | None = optional("The column's place, from 0.")
    field: LeadFieldKey | None = optional("The field it becomes.")
    custom: str | None = optional("The key of one of the organization's own fields.")
    values: list[ValueMappingInput] | None = optional("Value by value.")
    default: str | None = optional("For blank cells.")
    ignore: bool = strawberry.field(default=False, description="Leave the column out.")


@strawberry.input(description="A value for rows that have none.")
class FieldValueInput:
    field: LeadFieldKey | None = optional("The field.")
    custom: str | None = optional("The key of one of the organization's own fields.")
    value: str = strawberry.field(description="As a cell would have it.")


@strawberry.input(description="How rows are judged and merged.")
class ImportOptionsInput:
    merge_strategy: MergeStrategy = strawberry.field(
        default=MergeStrategy.SKIP, description="What a row does to the lead that it matches."
    )
    match_on: list[MatchKey] = strawberry.field(
        default_factory=lambda: list(imports.DEFAULT_MATCH_ON),
        description="In this order; the first key with a value decides.",
    )
    duplicate_scope: DuplicateScope | None = optional("Omitted: as Settings.duplicateScope says.")
    blank_cells: BlankCells = strawberry.field(
        default=BlankCells.KEEP, description="What a blank cell does to a lead that has a value."
    )
    unmapped: UnmappedColumns = strawberry.field(
        default=UnmappedColumns.IGNORE, description="What becomes of columns that match no field."
    )
    on_error: ErrorPolicy = strawberry.field(
        default=ErrorPolicy.SKIP_ROW, description="What a row with an error does to the import."
    )
    required: list[LeadFieldKey] | None = optional(
        "Which fields a row must have; name, phone and source unless said otherwise."
    )
    must_be_valid: list[LeadFieldKey] | None = optional(
        "A phone or e-mail that does not validate is kept as written, with a warning; the row fails only where its "
        "field is listed here."
    )
    default_country: str | None = optional("ISO 3166; omitted: as Settings.defaultCountry says.")
    defaults: list[FieldValueInput] | None = optional("Values for rows that have none.")
    add_tags: list[str] | None = optional("Tags for every lead that the import creates or changes.")
    assignee_id: strawberry.ID | None = optional("Who looks after the leads that the import creates.")


@strawberry.input(description="A file to import.")
class ImportLeadsInput:
    source: ImportSourceInput = strawberry.field(description="Where the file is.")
    name: str | None = optional("The job's name for people; omitted: the file's.")
    mode: ImportMode = strawberry.field(default=ImportMode.COMMIT, description="How far it goes by itself.")
    format: ImportFormat | None = optional("Omitted: detected.")
    dialect: DialectInput | None = optional("How the file is written.")
    mapping_id: strawberry.ID | None = optional("A saved mapping.")
    mapping: list[ColumnMappingInput] | None = optional(
        "Columns not listed keep the automatic match by key, label and alias; what matches nothing follows "
        "options.unmapped."
    )
    options: ImportOptionsInput | None = optional("Replaces the saved mapping's options as a whole.")
    save_mapping_as: str | None = optional("Saves mapping and options under this name.")
    retry_of: strawberry.ID | None = optional(
        "The import whose corrected error file this is; recognised by its `_import` column when omitted. Only its "
        "failed rows run."
    )
    notify: list[str] | None = optional("E-mail addresses told when it is done or needs an answer.")
    allow_same_file: bool = strawberry.field(
        default=False, description="The same bytes were imported before: refused unless true."
    )
    wait_seconds: float = strawberry.field(default=0, description="Wait this long for the end, at most 30 seconds.")
    idempotency_key: str | None = optional("The same key and input again give the same job.")

    def to_domain(self) -> imports.ImportRequest:
        """The request; an inline file is read from `source.file`. Raises BadInput or Rejected."""
        given = dict(document(self, INPUT))
        given.pop("source")
        request = decode(imports.ImportRequest, {name: to_json(value) for name, value in given.items()})
        require(
            (
                *name_problems(request.name, *INPUT, "name"),
                *name_problems(request.save_mapping_as, *INPUT, "saveMappingAs"),
                *_rules_problems(request.dialect, request.mapping, request.options),
                *_text_problems(given),
                *wait_problems(request.wait_seconds, INPUT),
            )
        )
        upload = self.source.upload_id
        return replace(request, upload_id=upload) if isinstance(upload, str) else request


@strawberry.input(description="Answers AWAITING_MAPPING, or changes a plan under review; the file is validated again.")
class UpdateImportInput:
    id: strawberry.ID = strawberry.field(description="The import.")
    dialect: DialectInput | None = optional("Replaces what was given before, as a whole.")
    mapping: list[ColumnMappingInput] | None = optional("Replaces what was given before, as a whole.")
    options: ImportOptionsInput | None = optional("Replaces what was given before, as a whole.")
    save_mapping_as: str | None = optional("Saves mapping and options under this name.")

    def to_domain(self) -> requests.UpdateImport:
        """The request. Raises BadInput or Rejected."""
        request = read(requests.UpdateImport, self)
        require(
            (
                *name_problems(request.save_mapping_as, *INPUT, "saveMappingAs"),
                *_rules_problems(request.dialect, request.mapping or (), request.options),
                *_text_problems(document(self, INPUT)),
            )
        )
        return request


@strawberry.input(
    description="PLAN_STALE when planRevision is not the current one. A row whose lead changed after the review is not "
    "applied but fails with VERSION_CONFLICT; new duplicates follow the strategy."
)
class CommitImportInput:
    id: strawberry.ID = strawberry.field(description="The import.")
    plan_revision: int = strawberry.field(description="The revision of the plan that was reviewed.")

    def to_domain(self) -> requests.CommitImport:
        """The request."""
        return read(requests.CommitImport, self)


@strawberry.input(description="The undo of an import.")
class RevertImportInput:
    id: strawberry.ID = strawberry.field(description="The import to undo.")
    dry_run: bool = strawberry.field(default=False, description="Count only.")
    wait_seconds: float = strawberry.field(default=0, description="Wait this long for the end, at most 30 seconds.")

    def to_domain(self) -> requests.RevertImport:
        """The request. Raises Rejected for a wait that is too long."""
        request = read(requests.RevertImport, self)
        require(wait_problems(request.wait_seconds, INPUT))
        return request


def _text_problems(given: Mapping[str, object]) -> Iterator[Problem]:
    """Texts that cannot be stored; of the dialect all but a sheet's name are judged by themselves."""
    dialect = cast("Mapping[str, object]", given.get("dialect", {}))
    yield from nul_problems(dialect.get("sheet"), (*INPUT, "dialect", "sheet"))
    for name in ("mapping", "options"):
        yield from nul_problems(given.get(name), (*INPUT, name))


def _rules_problems(
    dialect: imports.DialectSpec | None,
    mapping: Sequence[imports.ColumnMapping],
    options: imports.ImportOptions | None,
) -> Iterator[Problem]:
    if dialect:
        yield from dialect_problems(dialect, (*INPUT, "dialect"))
    yield from mapping_problems(mapping, (*INPUT, "mapping"))
    if options:
        yield from options_problems(options, (*INPUT, "options"))
