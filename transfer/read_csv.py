"""CSV records with their spreadsheet row and physical line, in blocks, resumable at a byte offset.

Python's csv module decides what a record is (RFC 4180, with its usual tolerance); lines end with LF, CR or CRLF. The
input is valid UTF-8, save a head cut off within a character; memory is bounded by the limits on cell, line and block.
"""

import csv
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import BinaryIO, Final, Protocol

from transfer.failures import FileFault
from transfer.messages import ChildLimits, Position

_CHUNK_BYTES: Final = 1 << 20
_CONTROLS: Final = bytes(byte for byte in (*range(0x20), 0x7F) if byte not in b"\t\n\r")
UNDECODABLE: Final = "\ufdd0"
"""A noncharacter that stands for bytes which are no text in the file's encoding."""
REPLACEMENT: Final = "\ufffd"
_MARKS: Final = (UNDECODABLE.encode(), REPLACEMENT.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvShape:
    """How records are written. `padded`: blanks follow each delimiter and are no part of the cell."""

    delimiter: str = ","
    padded: bool = False
    quote: str | None = '"'
    escape: str | None = None


@dataclass(slots=True, kw_only=True)
class Records:
    """Consecutive records without the blank ones: cells, spreadsheet row, physical line.

    `suspect`: control characters or undecodable bytes are somewhere in these lines. `unclosed`: the last record ends
    the file inside quotes.
    """

    rows: list[list[str]] = field(default_factory=list[list[str]])
    numbers: list[int] = field(default_factory=list[int])
    lines: list[int] = field(default_factory=list[int])
    next: Position
    suspect: bool = False
    unclosed: bool = False


class RecordReader(Protocol):
    """What `csv.reader` gives: records, and how many physical lines they took so far."""

    @property
    def line_num(self) -> int: ...  # noqa: D102 - see the class

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


def open_reader(lines: Iterable[str], shape: CsvShape, *, strict: bool = False) -> RecordReader:
    """The csv module's reader for a shape."""
    return csv.reader(
        lines,
        delimiter=shape.delimiter,
        skipinitialspace=shape.padded,
        quotechar=shape.quote,
        quoting=csv.QUOTE_NONE if shape.quote is None else csv.QUOTE_MINIMAL,
        escapechar=shape.escape,
        strict=strict,
    )


def split_lines(text: str) -> list[str]:
    """Physical lines with their ends: LF, CR and CRLF, nothing else."""
    return io.StringIO(text, newline="").readlines()


def read_blocks(stream: BinaryIO, shape: CsvShape, limits: ChildLimits, start: Position) -> Iterator[Records]:
    """Blocks of at most `block_rows` rows and about `block_bytes` bytes, from a position on.

    Raises:
        FileFault: A cell or line is longer than the limit; the message says where.
    """
    csv.field_size_limit(limits.max_cell_bytes)
    stream.seek(start.offset)
    lines = _Lines(stream, start, limits.max_line_bytes)
    return _Reading(lines, shape, limits, start).blocks()


class _Lines:
    """The physical lines of the stream, in chunks that end with a line; remembers where the latest chunk began."""

    def __init__(self, stream: BinaryIO, start: Position, max_line_bytes: int) -> None:
        self._stream = stream
        self._size = os.fstat(stream.fileno()).st_size
        self._max_line_bytes = max_line_bytes
        self._next_offset = start.offset
        self.offset = start.offset
        self.first = 0
        self.lines = list[str]()
        self.suspect = False
        self.fed = 0
        self._first_physical_line = start.line

    def chunks(self) -> Iterator[list[str]]:
        carry = b""
        while data := self._stream.read(_CHUNK_BYTES):
            carry += data
            cut = _last_line_end(carry)
            if cut:
                yield self._take(carry[:cut])
                carry = carry[cut:]
            elif len(carry) > self._max_line_bytes:
                raise FileFault(
                    f"Line {self._first_physical_line + self.first + len(self.lines)} is longer than "
                    f"{self._max_line_bytes >> 20} MB."
                )
        if carry:
            yield self._take(carry)

    def _take(self, data: bytes) -> list[str]:
        self.first += len(self.lines)
        self.offset = self._next_offset
        self._next_offset += len(data)
        self.fed += len(data)
        self.suspect = len(data.translate(None, _CONTROLS)) != len(data) or any(mark in data for mark in _MARKS)
        self.lines = split_lines(data.decode(errors="replace"))
        return self.lines

    def offset_after(self, consumed: int) -> int:
        """The byte offset behind the first `consumed` lines, all of the latest chunk or before it."""
        return self.offset + len("".join(self.lines[: consumed - self.first]).encode())

    def is_end(self, consumed: int) -> bool:
        """Whether no line is left behind the first `consumed` ones."""
        return self._next_offset >= self._size and consumed >= self.first + len(self.lines)

    def head_of(self, line: int, position: Position, characters: int) -> str:
        """The first characters of the text that begins so many lines behind a position; ends the reading."""
        self._stream.seek(position.offset)
        again = _Lines(self._stream, position, self._max_line_bytes)
        head, wanted = list[str](), characters
        for text in islice(chain.from_iterable(again.chunks()), line, None):
            head.append(text[:wanted])
            wanted -= len(text)
            if wanted <= 0:
                break
        return "".join(head)

    def since(self, line: int) -> list[str] | None:
        """The lines from that index on, None where they began before the latest chunk."""
        return self.lines[line - self.first :] if line >= self.first else None


def _last_line_end(data: bytes) -> int:
    """Behind the last complete line, 0 where there is none. A CR at the end may be half of a CRLF."""
    end = data.rfind(b"\n") + 1
    return end or data.rfind(b"\r", 0, len(data) - 1) + 1


class _Reading:
    def __init__(self, lines: _Lines, shape: CsvShape, limits: ChildLimits, start: Position) -> None:
        self._lines = lines
        self._shape = shape
        self._limits = limits
        self._at = start
        self._before_first = start.line - 1
        self._reader = open_reader(chain.from_iterable(lines.chunks()), shape)

    def blocks(self) -> Iterator[Records]:
        while True:
            block = self._block()
            if block.rows or block.next.record != self._at.record:
                self._at = block.next
                yield block
            else:
                return

    def _block(self) -> Records:
        block = Records(next=self._at, suspect=self._lines.suspect)
        number, line = self._at.record, self._at.line
        rows, numbers, lines = block.rows, block.numbers, block.lines
        before, reader, source = self._before_first, self._reader, self._lines
        full, enough = self._limits.block_rows, source.fed + self._limits.block_bytes
        fed = source.fed
        try:
            for row in reader:
                if row:
                    rows.append(row)
                    numbers.append(number)
                    lines.append(line)
                number += 1
                line = before + reader.line_num + 1
                if source.fed != fed:
                    fed = source.fed
                    block.suspect = block.suspect or source.suspect
                if len(rows) >= full or fed >= enough:
                    break
        except csv.Error as error:
            raise self._fault(error, number, line) from error
        block.unclosed = bool(rows) and source.is_end(reader.line_num) and self._ends_inside_quotes(lines[-1])
        block.next = Position(
            rows=self._at.rows + len(rows),
            record=number,
            line=line,
            offset=source.offset_after(reader.line_num),
        )
        return block

    def _ends_inside_quotes(self, line: int) -> bool:
        last = self._lines.since(line - self._before_first - 1)
        if last is None or self._shape.quote is None:
            return False
        try:
            list(open_reader(last, self._shape, strict=True))
        except csv.Error as error:
            return "unexpected end" in str(error)
        return False

    def _fault(self, error: csv.Error, number: int, line: int) -> FileFault:
        if "field limit" not in str(error):
            return FileFault(f"Row {number} (line {line}) cannot be read: {error}.")
        head = self._lines.head_of(line - self._at.line, self._at, self._limits.max_cell_bytes)
        cells = next(iter(open_reader(split_lines(head), self._shape)), list[str]())
        return FileFault(
            f"Row {number} (line {line}), column {max(1, len(cells))}: a cell is longer than "
            f"{self._limits.max_cell_bytes >> 10} KB. Is a quote opened there and never closed?"
        )
