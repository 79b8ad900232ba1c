"""The parsing child process: a request on standard input, messages on standard output (transfer/messages.py)."""

import resource
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import BinaryIO, Final

import msgspec

from domain.vocabulary import JobFailureCode
from transfer.error_file import ErrorFile, ErrorRow
from transfer.failures import FileFault, NoRoom, TooLarge, is_disk_full
from transfer.messages import (
    Block,
    ChildMode,
    ChildRequest,
    Done,
    Failed,
    Message,
    Ready,
    decode_request,
    write_message,
)
from transfer.opening import OpenFile, open_file
from transfer.read_csv import Records
from transfer.validate import Judged

_count_only = threading.Event()
"""Set by SIGUSR1: nobody wants the blocks any more, only how many rows there are."""

_OUT_OF_MEMORY: Final = "The file needs more memory than an import may use."


def main() -> None:
    """Answers one request."""
    signal.signal(signal.SIGUSR1, _stop_judging)
    request = decode_request(sys.stdin.buffer.read())
    limit_memory(request.limits.memory_bytes)
    serve(request, sys.stdout.buffer)


def _stop_judging(_number: int, _frame: FrameType | None) -> None:
    _count_only.set()


def limit_memory(size: int) -> None:
    """Caps the address space of this process, where the system can."""
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def serve(request: ChildRequest, out: BinaryIO) -> None:
    """Writes all messages for a request."""
    try:
        for message in messages(request):
            write_message(out, message)
    except FileFault as fault:
        write_message(out, Failed(fault.code, fault.message))
    except MemoryError:
        write_message(out, Failed(JobFailureCode.UNSAFE_FILE, _OUT_OF_MEMORY))
    except OSError as error:
        if not is_disk_full(error):
            raise
        write_message(out, Failed(NoRoom.code, NoRoom().message))


def messages(request: ChildRequest) -> Iterator[Message]:
    """`Opened`, then what the mode asks for.

    Raises:
        FileFault: The file cannot be read (on).
    """
    file = open_file(request)
    yield file.opened
    if request.mode is ChildMode.OPEN or file.opened.problems or file.opened.ambiguous:
        return
    yield from _Run(file).messages()


class _Run:
    """One pass over the rows."""

    def __init__(self, file: OpenFile) -> None:
        self._file = file
        self._request = file.request
        self._only = None if file.request.only_rows is None else frozenset(file.request.only_rows)
        self._issues_left = file.request.limits.max_issues
        messages = file.request.row_messages
        self._refused: Mapping[int, str | None] = {refusal.row: refusal.message for refusal in messages}
        self._errors = self._error_file()

    def _error_file(self) -> ErrorFile | None:
        path = self._request.errors_path
        if path is None or self._request.start is not None:
            return None
        return ErrorFile(
            Path(path),
            self._file.plan.headers,
            delimiter=self._file.shape.delimiter,
            import_id=self._request.import_id or "",
        )

    def messages(self) -> Iterator[Message]:
        total, all_excluded = self._request.start.rows if self._request.start else 0, 0
        for records in self._file.blocks(self._request.start):
            excluded = self._exclude(records)
            all_excluded += excluded
            total = records.next.rows
            if total > self._request.limits.max_rows:
                raise TooLarge(f"The file has more than {self._request.limits.max_rows:,} rows.")
            if _count_only.is_set():
                continue
            judged = self._file.judge.judge(records)
            self._write_errors(judged)
            if self._request.mode is ChildMode.ROWS:
                yield self._block(judged, excluded)
        yield Done(total_rows=total, excluded=all_excluded, error_rows=self._finish_errors())

    def _exclude(self, records: Records) -> int:
        """Takes out the rows that are none of a retry's; gives how many."""
        if self._only is None:
            return 0
        place = self._file.plan.row_column
        kept = [
            index
            for index, row in enumerate(records.rows)
            if (_source_row(row, place) if place is not None else records.numbers[index]) in self._only
        ]
        excluded = len(records.rows) - len(kept)
        records.unclosed = records.unclosed and len(records.rows) - 1 in kept
        records.rows = [records.rows[index] for index in kept]
        records.numbers = [records.numbers[index] for index in kept]
        records.lines = [records.lines[index] for index in kept] if records.lines else []
        return excluded

    def _block(self, judged: Judged, excluded: int) -> Block:
        records, log = judged.records, judged.log
        failed = sorted(log.failed)
        kept = [True] * judged.count
        for index in failed:
            kept[index] = False
        ready = self._file.assembler.ready(judged, kept)
        lines = records.lines or None
        issues = log.issues(records.numbers, lines, self._issues_left)
        self._issues_left -= len(issues)
        return Block(
            ready=self._with_source_rows(ready, judged, kept),
            failed_rows=[records.numbers[index] for index in failed],
            failed_lines=[records.lines[index] for index in failed] if lines else None,
            issues=issues,
            groups=log.groups(records.numbers),
            companies=self._file.assembler.new_companies(judged, kept),
            blanks=judged.blanks,
            excluded=excluded,
            next=records.next,
        )

    def _with_source_rows(self, ready: Ready, judged: Judged, kept: list[bool]) -> Ready:
        place = self._file.plan.row_column
        if place is None:
            return ready
        rows = [_source_row(row, place) for row, keep in zip(judged.records.rows, kept, strict=True) if keep]
        return msgspec.structs.replace(ready, source_rows=rows)

    def _write_errors(self, judged: Judged) -> None:
        if self._errors is None or not (judged.log.failed or self._refused):
            return
        records, found = judged.records, judged.log.messages()
        for index, row in enumerate(records.rows):
            number = records.numbers[index]
            message = found.get(index)
            if message is None and number in self._refused:
                message = self._refused[number] or judged.log.held_message(index)
            if message is not None:
                line = records.lines[index] if records.lines else None
                self._errors.write(ErrorRow(row, number, line, message))

    def _finish_errors(self) -> int | None:
        if self._errors is None or not self._errors.rows:
            return None
        self._errors.flush()
        return self._errors.rows


def _source_row(row: list[str], place: int) -> int | None:
    """What the `_row` column of a corrected error file says."""
    text = row[place].strip() if place < len(row) else ""
    return int(text) if text.isascii() and text.isdigit() else None


if __name__ == "__main__":
    main()
