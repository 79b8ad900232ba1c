"""What the worker and its parsing child process say to each other.

The child is `python -m transfer.child` (`CHILD_MODULE`). The worker writes one `ChildRequest` as JSON to its standard
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

from domain.imports import Dialect, ImportColumn, Issue, IssueGroup
from domain.vocabulary import JobFailureCode, LeadFieldKey, UserErrorCode
from transfer.child_request import (
    ChildLimits,
    ChildMode,
    ChildRequest,
    OrganizationFacts,
    Position,
    RowMessage,
    StatusFact,
    UserFact,
)

__all__ = [
    "CHILD_MODULE",
    "MAX_FRAME_BYTES",
    "Block",
    "ChildLimits",
    "ChildMode",
    "ChildRequest",
    "ColumnOrigin",
    "CopyColumn",
    "Done",
    "Failed",
    "MappingProblem",
    "Message",
    "NewCompany",
    "Opened",
    "OrganizationFacts",
    "Position",
    "Ready",
    "RowMessage",
    "StatusFact",
    "UserFact",
    "decode",
    "decode_request",
    "encode_request",
    "frame_length",
    "read_message",
    "write_message",
]

CHILD_MODULE: Final = "transfer.child"
MAX_FRAME_BYTES: Final = 256 << 20
_LENGTH_BYTES: Final = 4


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


class MappingProblem(msgspec.Struct, frozen=True):
    """Why the mapping cannot be used: REQUIRED, or a column or field that is not there.

    `index` is the place in the request's mapping, None where the problem is of the whole (a missing required field).
    `default` is the place in the options' defaults, where it is one of these.
    """

    code: UserErrorCode
    message: str
    field: LeadFieldKey | None = None
    index: int | None = None
    default: int | None = None


class CopyColumn(msgspec.Struct, frozen=True):
    """A column of `leads` in the COPY lines; `field` is the registry key it was read from, where it was."""

    name: str
    origin: ColumnOrigin
    field: LeadFieldKey | None = None


class Opened(msgspec.Struct, frozen=True, kw_only=True, tag="opened"):
    """How the file is written and what its columns become.

    Where `problems` or `ambiguous` is not empty no blocks follow: `problems` are userErrors of the submitter,
    `ambiguous` names the properties of the dialect that only a person can decide (`date_order`): AWAITING_MAPPING.
    `start` is the position of the first data row, `extent` what `Position.offset` will reach. `retry_of` is the shown
    job id in an `_import` column.
    `custom_keys` are all keys of custom fields that rows may carry, known or new. `sha256` is of the uploaded bytes.
    """

    dialect: Dialect
    columns: tuple[ImportColumn, ...]
    copy_columns: tuple[CopyColumn, ...] = ()
    custom_keys: tuple[str, ...] = ()
    problems: tuple[MappingProblem, ...] = ()
    ambiguous: tuple[str, ...] = ()
    start: Position = Position()
    extent: int = 0
    sha256: str = ""
    retry_of: str | None = None


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
    change an existing lead: a blank cell under KEEP, a default standing in for a blank one, a masked cell. It names
    `notes` and `national_id` too where a default stands in.
    `notes` and `national_ids` are plain texts that the worker stores in their own way; they are not in `copy`
    (`notes_count` is, where notes are mapped). The custom fields are in `copy` as one JSON object, `custom`, to be
    merged into the lead's; `cleared_custom` lists, under CLEAR, the keys to remove for a row index, `defaulted_custom`
    those where a default stands in, which a lead that is there keeps as it has them.
    `warned` are the indexes of rows that have a warning.
    `retired` are those of rows whose status is out of use, each with its issue: such a row must make and move no lead.
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
    defaulted_custom: dict[int, tuple[str, ...]] = {}
    warned: list[int] = []
    retired: dict[int, Issue] = {}


class Block(msgspec.Struct, frozen=True, kw_only=True, tag="block"):
    """Some thousand rows, judged.

    `len(ready.ids) + len(failed_rows)` rows of the import; `excluded` more stood in the file and are none of a retry's.
    `issues` are of failed and of warned rows, in row order, until `ChildLimits.max_issues` was reached in this run;
    `groups` count all of this block and are added up by (code, severity, column, field, value).
    `blanks` counts the empty cells by column. `next` is the checkpoint to store with this block.
    """

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
    """The end of the file. `total_rows` counts from the file's beginning, also after a resume, excluded ones too.

    `excluded` are those of this run alone, as in `Block`. `error_rows` is how many rows the error file at
    `errors_path` holds, None where none was written.
    """

    total_rows: int
    excluded: int = 0
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
    _write(stream, len(data).to_bytes(_LENGTH_BYTES, "big"))
    _write(stream, data)
    stream.flush()


def _write(stream: BinaryIO, data: bytes) -> None:
    """All of the bytes: a stream without a buffer (PYTHONUNBUFFERED) writes only a part where a signal comes."""
    rest = memoryview(data)
    while rest:
        rest = rest[stream.write(rest) :]


def read_message(stream: BinaryIO) -> Message | None:
    """The next message, None at the end of the stream. For synchronous readers and tests."""
    head = stream.read(_LENGTH_BYTES)
    if len(head) < _LENGTH_BYTES:
        return None
    return decode(stream.read(frame_length(head)))
