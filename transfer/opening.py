"""Opens a file: how it is written, what its columns become, and everything that reading its rows needs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import BinaryIO, Final

import msgspec

from domain.fields import FIELDS
from domain.imports import ColumnMapping, Detected, Dialect, FieldValue, ImportColumn
from domain.vocabulary import DetectionConfidence, FieldType, ImportFormat, LeadFieldKey, UserErrorCode
from domain.zones import is_zone
from transfer.copy_lines import Assembler
from transfer.detect_dates import DateEvidence, DecimalEvidence, samples_of
from transfer.detect_delimiter import Delimiter, detect_delimiter
from transfer.failures import FileFault, TooLarge
from transfer.headers import header_names, looks_like_header, numbered_names
from transfer.issues import storable
from transfer.layout import layout_of
from transfer.mapping import FileHeader, map_columns
from transfer.messages import ChildRequest, MappingProblem, Opened, Position
from transfer.prepare import Prepared, prepare
from transfer.read_csv import CsvShape, Records, read_blocks
from transfer.readers import Companies, Readers
from transfer.targets import MappedColumns, Target
from transfer.validate import RowJudge

_HEAD_BYTES: Final = 1 << 18
_SAMPLE_ROWS: Final = 200
_EVIDENCE_ROWS: Final = 5_000
_GIVEN: Final = DetectionConfidence.GIVEN
Evidence = DateEvidence | DecimalEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFile:
    """An opened file with what judges and assembles its rows."""

    request: ChildRequest
    prepared: Prepared
    shape: CsvShape
    plan: MappedColumns
    judge: RowJudge
    assembler: Assembler
    opened: Opened

    def blocks(self, start: Position | None) -> Iterator[Records]:
        """The records from a position on, or from the first data row."""
        with self.prepared.path.open("rb") as stream:
            for records in read_blocks(stream, self.shape, self.request.limits, start or self.opened.start):
                yield self._with_lines(records)

    def _with_lines(self, records: Records) -> Records:
        """Workbooks and JSON have no lines; in JSON Lines a record's number tells its line, less our header."""
        if self.prepared.format is ImportFormat.JSONL:
            records.lines = [number - 1 for number in records.numbers]
        elif self.prepared.format is not ImportFormat.CSV:
            records.lines = []
        return records


def open_file(request: ChildRequest) -> OpenFile:
    """Opens the file of a request.

    Raises:
        FileFault: It cannot be read as a table.
    """
    prepared = prepare(request)
    with prepared.path.open("rb") as stream:
        table = _Table(request, prepared, stream)
        table.find_header()
        return table.open()


class _Table:
    """Finds out step by step how the text is written."""

    def __init__(self, request: ChildRequest, prepared: Prepared, stream: BinaryIO) -> None:
        self._request = request
        self._prepared = prepared
        self._stream = stream
        self._delimiter = self._find_delimiter()
        self._header_row = 0
        self._headers: tuple[str, ...] = ()
        self._begin = self._after_sep_line()
        self._start = self._begin

    def _find_delimiter(self) -> Delimiter:
        if self._prepared.shape is not None:
            detected = Detected(self._prepared.shape.delimiter, DetectionConfidence.CERTAIN)
            return Delimiter(shape=self._prepared.shape, detected=detected)
        spec, decided = self._request.dialect, self._request.decided
        if decided is not None:
            spec = replace(
                spec, delimiter=decided.delimiter.value, quote=decided.quote or "", escape=decided.escape or ""
            )
        self._stream.seek(self._prepared.begin)
        head = self._stream.read(_HEAD_BYTES)
        if len(head) == _HEAD_BYTES:
            head = head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1] or head
        return detect_delimiter(head.decode(errors="ignore"), spec)

    def _after_sep_line(self) -> Position:
        skipped = self._delimiter.skipped
        if not skipped:
            return Position(offset=self._prepared.begin)
        self._stream.seek(self._prepared.begin)
        head = self._stream.read(skipped * 4).decode(errors="ignore")[:skipped]
        return Position(offset=self._prepared.begin + len(head.encode()), line=2)

    def _first(self, start: Position, rows: int) -> Records:
        limits = self._request.limits
        few = type(limits)(max_cell_bytes=limits.max_cell_bytes, max_line_bytes=limits.max_line_bytes, block_rows=rows)
        return next(read_blocks(self._stream, self._delimiter.shape, few, start), Records(next=start))

    def find_header(self) -> None:
        """Finds the header row and the columns' names."""
        given = self._request.decided.header_row if self._request.decided else self._request.dialect.header_row
        if self._prepared.format in (ImportFormat.JSON, ImportFormat.JSONL):
            given = 1
        if given is None:
            given = self._detected_header()
        self._header_row = given
        if given == 0:
            sample = self._first(self._begin, _SAMPLE_ROWS)
            self._headers = numbered_names(max(map(len, sample.rows), default=0))
        else:
            self._headers = self._read_header(given)
        if len(self._headers) > self._request.limits.max_columns:
            raise TooLarge(f"The file has more than {self._request.limits.max_columns:,} columns.")
        if not self._headers:
            raise FileFault("The file holds no rows.")

    def _detected_header(self) -> int:
        """The first row that is not blank, where it names columns, else 0."""
        sample = self._first(self._begin, _SAMPLE_ROWS)
        for row, number in zip(sample.rows, sample.numbers, strict=True):
            if any(cell.strip() for cell in row):
                return number if looks_like_header(row) else 0
        return 0

    def _read_header(self, row: int) -> tuple[str, ...]:
        position = self._begin
        while position.record <= row:
            records = self._first(position, 1)
            if not records.rows:
                break
            position = records.next
            if records.numbers[0] == row:
                self._start = msgspec.structs.replace(position, rows=0)
                return header_names(records.rows[0])
        raise FileFault(f"Row {row}, named as the header, is blank or not there.")

    def open(self) -> OpenFile:
        """Maps the columns and settles what whole columns decide."""
        request = self._request
        sample = self._first(self._start, _SAMPLE_ROWS)
        header = FileHeader(names=self._headers, sample=sample.rows)
        plan = map_columns(header, request.mapping, request.options, request.facts.custom_keys)
        dialect = self._dialect(plan)
        companies = Companies(dict(request.facts.companies))
        readers = Readers(options=request.options, dialect=dialect, facts=request.facts, companies=companies)
        judge = RowJudge(plan, readers, request.options, request.facts)
        plan.problems.extend(_wrong_defaults(judge, request))
        now = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
        layout = layout_of(plan.targets, request.facts, request.constants, now=now, tags=request.options.add_tags)
        opened = Opened(
            dialect=dialect,
            columns=tuple(_with_samples(plan.columns, sample)),
            copy_columns=layout.columns,
            custom_keys=plan.custom_keys,
            problems=tuple(plan.problems),
            ambiguous=_ambiguous(dialect),
            start=self._start,
            extent=self._prepared.path.stat().st_size,
            sha256=self._prepared.sha256,
            retry_of=_retry_of(plan, sample),
        )
        return OpenFile(
            request=request,
            prepared=self._prepared,
            shape=self._delimiter.shape,
            plan=plan,
            judge=judge,
            assembler=Assembler(layout=layout, plan=plan, options=request.options, companies=companies),
            opened=opened,
        )

    def _dialect(self, plan: MappedColumns) -> Dialect:
        request, spec, prepared = self._request, self._request.dialect, self._prepared
        if request.decided is not None:
            return request.decided
        zone = spec.time_zone or request.facts.time_zone
        if not is_zone(zone):
            raise FileFault(f"There is no time zone called {zone[:40]}.")
        order = Detected(spec.date_order, _GIVEN) if spec.date_order else self._decide(plan, DateEvidence())
        amounts = DecimalEvidence(dotted=prepared.format is not ImportFormat.CSV or _is_ours(plan))
        mark = Detected(spec.decimal_mark, _GIVEN) if spec.decimal_mark else self._decide(plan, amounts)
        if mark.value not in (".", ","):
            raise FileFault("The decimal mark is . or a comma.")
        return Dialect(
            format=prepared.format,
            encoding=prepared.encoding,
            delimiter=self._delimiter.detected,
            quote=self._delimiter.shape.quote,
            escape=self._delimiter.shape.escape,
            header_row=self._header_row,
            date_order=order,
            decimal_mark=mark,
            time_zone=zone,
            bom=prepared.bom,
            sheet=prepared.sheet,
            sheets=prepared.sheets,
        )

    def _decide(self, plan: MappedColumns, evidence: Evidence) -> Detected:
        """Looks through the mapped columns until they are clear, at most through the whole file."""
        kind = FieldType.DATETIME if isinstance(evidence, DateEvidence) else FieldType.DECIMAL
        places = [
            source.index
            for target in plan.targets
            if target.field is not None and FIELDS[target.field].type is kind
            for source in target.sources
        ]
        if not places:
            return evidence.detected()
        limits = msgspec.structs.replace(self._request.limits, block_rows=_EVIDENCE_ROWS)
        for records in read_blocks(self._stream, self._delimiter.shape, limits, self._start):
            for place in places:
                evidence.look(row[place] for row in records.rows if place < len(row))
            if evidence.settled or not evidence.either:
                break
        return evidence.detected()


def _wrong_defaults(judge: RowJudge, request: ChildRequest) -> Iterator[MappingProblem]:
    for target, reason in judge.wrong_defaults():
        message = f"The default of {target.name}: {reason}."
        index, default = _place(target, request.mapping), _place(target, request.options.defaults)
        yield MappingProblem(UserErrorCode.INVALID, message, target.field, index, default)


def _place(target: Target, given: Sequence[ColumnMapping] | Sequence[FieldValue]) -> int | None:
    """Where the target's default was given."""
    for place, one in enumerate(given):
        default = one.default if isinstance(one, ColumnMapping) else one.value
        if (one.field, one.custom, default) == (target.field, target.custom, target.default):
            return place
    return None


def _with_samples(columns: Sequence[ImportColumn], sample: Records) -> Iterator[ImportColumn]:
    for column in columns:
        cells = [row[column.index] for row in sample.rows if column.index < len(row)]
        yield replace(column, samples=tuple(storable(text) or "" for text in samples_of(cells)))


def _ambiguous(dialect: Dialect) -> tuple[str, ...]:
    named = {"date_order": dialect.date_order, "decimal_mark": dialect.decimal_mark}
    return tuple(name for name, found in named.items() if found.confidence is DetectionConfidence.AMBIGUOUS)


def _is_ours(plan: MappedColumns) -> bool:
    """Whether the file has our ids of leads: an export of ours."""
    return any(target.field is LeadFieldKey.LEAD_ID for target in plan.targets)


def _retry_of(plan: MappedColumns, sample: Records) -> str | None:
    if plan.import_column is None:
        return None
    cells = (row[plan.import_column].strip() for row in sample.rows if plan.import_column < len(row))
    return next((cell for cell in cells if cell), None)
