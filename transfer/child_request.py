"""What the worker asks its parsing child to do, and the facts that judging a row needs."""

from enum import StrEnum

import msgspec

from domain.imports import ColumnMapping, Dialect, DialectSpec, ImportOptions
from domain.vocabulary import ImportFormat, LeadStage


class ChildMode(StrEnum):
    """OPEN: say how the file is written and mapped, then end. ROWS: everything. ERRORS: write the error file."""

    OPEN = "OPEN"
    ROWS = "ROWS"
    ERRORS = "ERRORS"


class StatusFact(msgspec.Struct, frozen=True):
    """A status of the organization; `id` is the UUID as text."""

    id: str
    key: str
    label: str
    stage: LeadStage


class UserFact(msgspec.Struct, frozen=True):
    """Somebody to whom leads can be assigned; `id` is the UUID as text."""

    id: str
    name: str
    email: str | None = None


class OrganizationFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What validation must know of the organization.

    `companies` and `chatbots` map `domain.lead_values.name_key(name)` to the UUID as text; they may be empty where no
    such column can be mapped. `custom_keys` are the keys that exist already. A lead may keep one of `retired_statuses`,
    none may be given one.
    """

    country: str = "US"
    time_zone: str = "UTC"
    statuses: tuple[StatusFact, ...] = ()
    retired_statuses: tuple[StatusFact, ...] = ()
    default_status_id: str | None = None
    companies: dict[str, str] = {}
    chatbots: dict[str, str] = {}
    users: tuple[UserFact, ...] = ()
    custom_keys: tuple[str, ...] = ()


class ChildLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes and rows that the child may use. A passed limit ends in `Failed`, never in more memory."""

    max_rows: int = 5_000_000
    max_bytes: int = 1 << 30
    """Of the file as uploaded and once unpacked."""
    max_cell_bytes: int = 1 << 20
    max_line_bytes: int = 16 << 20
    max_columns: int = 16_384
    memory_bytes: int = 1 << 30
    """RLIMIT_AS of the child while it reads XLSX and JSON."""
    block_rows: int = 5_000
    block_bytes: int = 8 << 20
    max_issues: int = 100_000
    """How many single issues are sent in `Block.issues` over the whole run; groups stay exact."""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where the next block begins.

    `rows` counts the data rows before it (blank lines are none), `record` is the spreadsheet's number of the next
    record, `line` its physical line, `offset` its byte in the text that the child reads: the uploaded bytes, or what
    it made of them in its scratch directory (unpacked, in UTF-8, as CSV), which is the same in every run.
    """

    rows: int = 0
    record: int = 1
    line: int = 1
    offset: int = 0


class RowMessage(msgspec.Struct, frozen=True):
    """What the worker found wrong with a row, for the error file. `row` as in `Issue`.

    `message` None: what the child told of the row in `Ready.retired`.
    """

    row: int
    message: str | None


class ChildRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the child.

    `path` is the file as uploaded, on local disk; `scratch` an existing private directory that the worker removes
    afterwards. `dialect` is what the caller said, `decided` the dialect that an earlier run of the same job stored
    (then nothing is detected again). `constants` are columns of `leads` with one text for all rows (`import_job_id`,
    `created_by`, ...; None is NULL). `partial`: `path` holds only the head of the file (mode OPEN).
    `only_rows`: of a retry, the rows of the original import that may run: by `_row` where the file has that column,
    else by their own number; all others are `Block.excluded`.
    `errors_path`: where to write the error file (ROWS from the beginning, or ERRORS); `import_id` is written into its
    `_import` column; `row_messages` are the rows that the worker itself refused (ERRORS), in file order.
    """

    mode: ChildMode
    path: str
    scratch: str
    file_name: str = ""
    format: ImportFormat | None = None
    dialect: DialectSpec = msgspec.field(default_factory=DialectSpec)
    decided: Dialect | None = None
    mapping: tuple[ColumnMapping, ...] = ()
    options: ImportOptions = msgspec.field(default_factory=ImportOptions)
    facts: OrganizationFacts = msgspec.field(default_factory=OrganizationFacts)
    limits: ChildLimits = msgspec.field(default_factory=ChildLimits)
    constants: dict[str, str | None] = {}
    start: Position | None = None
    partial: bool = False
    only_rows: tuple[int, ...] | None = None
    import_id: str | None = None
    errors_path: str | None = None
    row_messages: tuple[RowMessage, ...] = ()
