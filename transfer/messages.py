"""What the worker and its parsing child process say to each other.

The child is `python -m transfer.child` (`CHILD_COMMAND`). The worker writes one `ChildRequest` as JSON to its standard
input and closes it; the child answers on standard output with frames: four bytes of length (big-endian), then the
message as MessagePack. The order is always `Opened`, then `Block`s in file order, then `Done`; or `Failed` at any
point, after which nothing follows. The child exits with 0 in all these cases; any other exit means that it was killed
or crashed (memory limit, a broken parser) and the file is to blame. Nothing is ever written to standard error but
what the interpreter says when it dies.

The pipe is the back-pressure: the child reads on only as fast as the worker takes blocks.

What a block carries is ready to load. `copy` holds one line for each valid row in PostgreSQL's COPY text format, with
the columns of `Opened.copy_columns` in that order; where no row is dropped the worker sends it as it is, otherwise it
keeps `copy.splitlines(keepends=True)[i]` of the surviving rows (text format never contains a raw line break). The same
lines fill a temporary table of the same columns for OVERWRITE and FILL_BLANKS.
"""

from enum import StrEnum
from typing import BinaryIO, Final

import msgspec

from domain.imports import (
    ColumnMapping,
    Dialect,
    DialectSpec,
    ImportColumn,
    ImportOptions,
    Issue,
    IssueGroup,
)
from domain.vocabulary import ImportFormat, JobFailureCode, LeadFieldKey, LeadStage, UserErrorCode

CHILD_MODULE: Final = "transfer.child"
MAX_FRAME_BYTES: Final = 256 << 20
_LENGTH_BYTES: Final = 4


class ChildMode(StrEnum):
    """OPEN: say how the file is written and mapped, then end. ROWS: everything. ERRORS: write the error file."""

    OPEN = "OPEN"
    ROWS = "ROWS"
    ERRORS = "ERRORS"


class ColumnOrigin(StrEnum):
    """Where the values of a COPY column come from.

    FILE: the row's cells. DEFAULT: an option's default for a field without a column, the same in each row. CONSTANT:
    `ChildRequest.constants`, or the organization's first status. DERIVED: made by the child from FILE columns (`id`,
    `phone_display`, `phone_key`, `email_key`, `search_text`, `stage`, `notes_count`). An update of an existing lead
    writes FILE columns, and DERIVED ones where their FILE columns were written; DEFAULT and CONSTANT serve new leads.
    """

    FILE = "FILE"
    DEFAULT = "DEFAULT"
    CONSTANT = "CONSTANT"
    DERIVED = "DERIVED"


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
    such column can be mapped. `custom_keys` are the keys that exist already.
    """

    country: str = "US"
    time_zone: str = "UTC"
    statuses: tuple[StatusFact, ...] = ()
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
    record, `line` its physical line, `offset` its byte in the unpacked UTF-8 text (XLSX: the same as `record`).
    """

    rows: int = 0
    record: int = 0
    line: int = 1
    offset: int = 0


class RowMessage(msgspec.Struct, frozen=True):
    """What the worker found wrong with a row, for the error file. `row` as in `Issue`."""

    row: int
    message: str


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


class MappingProblem(msgspec.Struct, frozen=True):
    """Why the mapping cannot be used: REQUIRED, or a column or field that is not there.

    `index` is the place in the request's mapping, None where the problem is of the whole (a missing required field).
    """

    code: UserErrorCode
    message: str
    field: LeadFieldKey | None = None
    index: int | None = None


class CopyColumn(msgspec.Struct, frozen=True):
    """A column of `leads` in the COPY lines; `field` is the registry key it was read from, where it was."""

    name: str
    origin: ColumnOrigin
    field: LeadFieldKey | None = None


class Opened(msgspec.Struct, frozen=True, kw_only=True, tag="opened"):
    """How the file is written and what its columns become.

    Where `problems` or `ambiguous` is not empty no blocks follow: `problems` are userErrors of the submitter,
    `ambiguous` names the properties of the dialect that only a person can decide (`date_order`): AWAITING_MAPPING.
    `extent` is what `Position.offset` will reach. `retry_of` is the shown job id in an `_import` column.
    `custom_keys` are all keys of custom fields that rows may carry, known or new. `sha256` is of the uploaded bytes.
    `original_columns`: the header of the file as written, which the error file repeats.
    """

    dialect: Dialect
    columns: tuple[ImportColumn, ...]
    copy_columns: tuple[CopyColumn, ...] = ()
    custom_keys: tuple[str, ...] = ()
    problems: tuple[MappingProblem, ...] = ()
    ambiguous: tuple[str, ...] = ()
    extent: int = 0
    sha256: str = ""
    retry_of: str | None = None
    original_columns: tuple[str, ...] = ()


class NewCompany(msgspec.Struct, frozen=True):
    """A company that rows name and the request's facts did not hold.

    The COPY lines already carry `id`. `rows` are indexes of ready rows: create the company only where one of them
    survives, before the rows, with `on conflict (organization_id, name_key) do nothing`; where another writer was
    faster, replace the text of `id` by the other's in this and every later block. A company not created in one block
    comes again, with the same id, in the next block that names it.
    """

    id: str
    name: str
    name_key: str
    rows: tuple[int, ...]


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The valid rows of a block: parallel lists, one entry a row.

    `ids` are the new leads' UUIDs as text, growing. `rows` and `lines` are where they stand (`lines` None for formats
    without lines). Keys are None where the row has none; a whole list is None where no column is mapped.
    `lead_ids` are UUIDs as text. `source_rows`: the `_row` of a corrected error file, None otherwise.
    `untouched` (empty for SKIP and CREATE_NEW): for each row a PostgreSQL array literal of COPY columns that must not
    change an existing lead: a blank cell under KEEP, a default standing in for a blank one, a masked cell.
    `notes` and `national_ids` are plain texts that the worker stores in their own way; they are not in `copy`
    (`notes_count` is, where notes are mapped). The custom fields are in `copy` as one JSON object, `custom`, to be
    merged into the lead's; `cleared_custom` lists, under CLEAR, the keys to remove for a row index.
    `warned` are the indexes of rows that have a warning.
    """

    ids: list[str] = []
    rows: list[int] = []
    lines: list[int] | None = None
    copy: bytes = b""
    lead_ids: list[str | None] | None = None
    external_ids: list[str | None] | None = None
    phone_keys: list[str | None] | None = None
    email_keys: list[str | None] | None = None
    versions: list[int | None] | None = None
    source_rows: list[int | None] | None = None
    untouched: list[str] = []
    notes: list[str | None] | None = None
    national_ids: list[str | None] | None = None
    cleared_custom: dict[int, tuple[str, ...]] = {}
    warned: list[int] = []


class Block(msgspec.Struct, frozen=True, kw_only=True, tag="block"):
    """Some thousand rows, judged.

    `len(ready.ids) + len(failed_rows)` rows of the import; `excluded` more stood in the file and are none of a retry's.
    `issues` are of failed and of warned rows, in row order, until `ChildLimits.max_issues` was reached in this run;
    `groups` count all of this block and are added up by (code, severity, column, field, value).
    `blanks` counts the empty cells by column. `next` is the checkpoint to store with this block.
    """

    number: int
    first_row: int
    last_row: int
    ready: Ready
    failed_rows: list[int] = []
    failed_lines: list[int] | None = None
    issues: list[Issue] = []
    groups: list[IssueGroup] = []
    companies: tuple[NewCompany, ...] = ()
    blanks: list[int] = []
    excluded: int = 0
    next: Position


class Done(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    """The end of the file. `total_rows` counts from the file's beginning, also after a resume.

    `error_rows` is how many rows the error file at `errors_path` holds, None where none was written.
    """

    total_rows: int
    error_rows: int | None = None


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The file cannot be read (on); `message` is safe to show and says where."""

    code: JobFailureCode
    message: str


Message = Opened | Block | Done | Failed

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Message)
_requests: Final = msgspec.json.Decoder(ChildRequest)


def encode_request(request: ChildRequest) -> bytes:
    """The bytes for the child's standard input."""
    return msgspec.json.encode(request)


def decode_request(data: bytes) -> ChildRequest:
    """The request behind the bytes of standard input."""
    return _requests.decode(data)


def decode(frame: bytes) -> Message:
    """The message in a frame, without its length."""
    return _decoder.decode(frame)


def frame_length(head: bytes) -> int:
    """How many bytes follow the four of `head`.

    Raises:
        ValueError: More than MAX_FRAME_BYTES: the stream is not the child's.
    """
    length = int.from_bytes(head, "big")
    if length > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {length} bytes")
    return length


def write_message(stream: BinaryIO, message: Message) -> None:
    """Writes one frame and flushes it."""
    data = _encoder.encode(message)
    stream.write(len(data).to_bytes(_LENGTH_BYTES, "big"))
    stream.write(data)
    stream.flush()


def read_message(stream: BinaryIO) -> Message | None:
    """The next message, None at the end of the stream. For synchronous readers and tests."""
    head = stream.read(_LENGTH_BYTES)
    if len(head) < _LENGTH_BYTES:
        return None
    return decode(stream.read(frame_length(head)))
