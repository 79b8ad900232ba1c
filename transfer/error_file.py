"""The error file that comes home: failed rows as they were, and what is wrong with each.

CSV in UTF-8 with BOM, the original columns in their order and with the original delimiter, then `_import`, `_row`,
`_line` and `_errors`. Corrected and uploaded again it is recognised by these columns.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from domain.formulas import guard
from transfer.headers import REPORT_HEADERS
from transfer.read_csv import REPLACEMENT, UNDECODABLE

_BOM: Final = "\ufeff"
_FLUSH_CHARACTERS: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """A failed row: its cells, spreadsheet row, physical line (None: the format has none) and what is wrong."""

    cells: Sequence[str]
    row: int
    line: int | None
    message: str


class ErrorFile:
    """Written row by row; the file exists from the first row on."""

    def __init__(self, path: Path, headers: Sequence[str], *, delimiter: str, import_id: str) -> None:
        self._path = path
        self._import_id = import_id
        self._kept = [index for index, header in enumerate(headers) if header not in REPORT_HEADERS]
        self._headers = [headers[index] for index in self._kept]
        self._buffer = io.StringIO(newline="")
        self._writer = csv.writer(self._buffer, delimiter=delimiter, lineterminator="\r\n")
        self.rows = 0

    def write(self, failed: ErrorRow) -> None:
        """Adds a row."""
        if not self.rows:
            self._buffer.write(_BOM)
            self._writer.writerow([*map(guard, self._headers), *REPORT_HEADERS])
        cells = failed.cells
        original = [_shown(cells[index]) if index < len(cells) else "" for index in self._kept]
        line = "" if failed.line is None else failed.line
        self._writer.writerow([*original, self._import_id, failed.row, line, guard(failed.message)])
        self.rows += 1
        if self._buffer.tell() > _FLUSH_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        """Appends to the file what was written since."""
        with self._path.open("a", encoding="utf-8", newline="") as out:
            out.write(self._buffer.getvalue())
        self._buffer.seek(0)
        self._buffer.truncate()


def _shown(cell: str) -> str:
    return guard(cell.replace(UNDECODABLE, REPLACEMENT).replace("\0", ""))
