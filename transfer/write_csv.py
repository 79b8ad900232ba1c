"""CSV (RFC 4180) around the rows that COPY writes: BOM, header, record ends.

COPY ends records with LF and leaves line breaks inside quotes alone, so that a plain replacement would change values.
Each copied row therefore ends in one more column that holds a single CR. It arrives as `,"<CR>"<LF>`, which no value
can contain: within quotes every quote is doubled, and outside quotes there is none. That sequence ends a record.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from domain.copy_forms import RECORD_MARK
from domain.formulas import guard

BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvDialect:
    """How the file is written. `escape` guards headers that look like formulas."""

    delimiter: str = ","
    crlf: bool = True
    bom: bool = False
    escape: bool = True


def csv_head(headers: Sequence[str], dialect: CsvDialect) -> bytes:
    """BOM and header."""
    line = io.StringIO()
    writer = csv.writer(line, delimiter=dialect.delimiter, lineterminator="\r\n" if dialect.crlf else "\n")
    writer.writerow([guard(header) if dialect.escape else header for header in headers])
    return (BOM if dialect.bom else b"") + line.getvalue().encode()


class CsvWriter:
    """Turns COPY's output, in any pieces, into the file. `rows` counts the records so far, without the header."""

    def __init__(self, delimiter: str, *, crlf: bool, head: bytes = b"") -> None:
        self._head = head
        self._mark = f'{delimiter}"{RECORD_MARK}"\n'.encode()
        self._record_end = b"\r\n" if crlf else b"\n"
        self._rest: bytes = b""
        self.rows = 0

    def start(self) -> bytes:
        """The file's beginning, as `csv_head` made it."""
        return self._head

    def feed(self, data: bytes) -> bytes:
        """The records that are complete."""
        data = self._rest + data if self._rest else data
        cut = data.rfind(self._mark) + len(self._mark) if not data.endswith(self._mark) else len(data)
        if cut < len(self._mark):
            cut = 0
        self._rest = data[cut:]
        complete = data[:cut]
        records = complete.replace(self._mark, self._record_end)
        self.rows += (len(complete) - len(records)) // (len(self._mark) - len(self._record_end))
        return records

    def finish(self) -> bytes:
        """Nothing: a record is always written whole."""
        return b""
