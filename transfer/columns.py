"""One target of a block of rows: its cells, cleaned and read into what COPY takes."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.formulas import GUARD
from domain.masking import HIDDEN, is_masked
from domain.texts import CONTROL
from domain.vocabulary import ImportIssueCode, LeadFieldKey, Severity
from transfer.cells import NULL, SHORTENED, Flaw, Masked, Reading, bare, escape
from transfer.issues import IssueLog, Place
from transfer.read_csv import REPLACEMENT, UNDECODABLE
from transfer.targets import SourceColumn, Target
from transfer.validate_contacts import PhoneCell, PhoneReading

_MARKS: Final = re.compile(rf"{CONTROL.pattern}|[{UNDECODABLE}{REPLACEMENT}]")
_BETWEEN: Final = "\0"
_ESCAPED: Final = "\\\n\r\t"

_REMOVED: Final = Flaw(
    code=ImportIssueCode.CONTROL_CHARACTER,
    message="invisible control characters were removed",
    severity=Severity.WARNING,
)
_DAMAGED: Final = Flaw(
    code=ImportIssueCode.BAD_ENCODING,
    message="some characters were lost before the file was written (�)",
    severity=Severity.WARNING,
)
_IDENTIFIERS: Final = frozenset({LeadFieldKey.EXTERNAL_ID, LeadFieldKey.NATIONAL_ID})
_POWER: Final = "E+"
_SHORTENED: Final = re.compile(r"\d(?:[.,]\d+)?E\+\d{1,2}")
_UNDECODABLE: Final = Flaw(code=ImportIssueCode.BAD_ENCODING, message="some bytes are no text in the file's encoding")


@dataclass(slots=True, kw_only=True)
class CellBlock:
    """The cells of a block by column of the file; `suspect`: some may hold control characters or lost bytes.

    `guarded`: they may bear the apostrophe of our formula guard.
    """

    columns: Sequence[Sequence[str]]
    count: int
    suspect: bool
    guarded: bool
    log: IssueLog


@dataclass(slots=True, kw_only=True)
class Column:
    """A target's values, one a row. `encoded` is COPY text, `texts` the same unescaped (for texts only, "" is blank).

    `defaulted` are rows where a default stands in, `silent` rows whose cell says nothing that could be written (masked,
    unknown), `refused` rows whose cell is an error.
    """

    target: Target
    encoded: list[str]
    texts: list[str] | None = None
    defaulted: Sequence[int] = ()
    silent: list[int] = field(default_factory=list[int])
    refused: set[int] = field(default_factory=set[int])


@dataclass(slots=True, kw_only=True)
class Cells:
    """A target's cells before they are read, joined from its columns, defaults filled in."""

    place: Place
    values: Sequence[str]
    guarded: bool
    defaulted: Sequence[int] = ()


def cells_of(target: Target, place: Place, block: CellBlock, joint: str) -> Cells:
    """The cells of a target; several columns are joined by `joint`."""
    if not target.sources:
        given = [target.default or ""] * block.count
        return Cells(place=place, values=given, guarded=block.guarded, defaulted=range(block.count))
    parts = [_source_cells(source, target.default, place, block) for source in target.sources]
    values = (
        parts[0]
        if len(parts) == 1
        else [joint.join(filter(None, map(str.strip, row))) for row in zip(*parts, strict=True)]
    )
    if target.default is None:
        return Cells(place=place, values=values, guarded=block.guarded)
    blank = [index for index, cell in enumerate(values) if not cell or cell.isspace()]
    if blank:
        values = list(values)
        for index in blank:
            values[index] = target.default
    return Cells(place=place, values=values, guarded=block.guarded, defaulted=blank)


def _source_cells(source: SourceColumn, default: str | None, place: Place, block: CellBlock) -> Sequence[str]:
    cells = block.columns[source.index]
    if block.suspect:
        cells = [_cleaned(index, cell, place, block.log) for index, cell in enumerate(cells)]
    if source.values is None:
        return cells
    return list(map(_mapper(source.values, default), cells))


def _mapper(values: Mapping[str, str | None], default: str | None) -> Callable[[str], str]:
    def mapped(cell: str) -> str:
        text = bare(cell)
        if text in values:
            return values[text] or ""
        return cell if default is None or not text else default

    return mapped


def _cleaned(index: int, cell: str, place: Place, log: IssueLog) -> str:
    if not _MARKS.search(cell):
        return cell
    if UNDECODABLE in cell:
        log.add(index, place, _UNDECODABLE, cell)
        cell = cell.replace(UNDECODABLE, REPLACEMENT)
    elif REPLACEMENT in cell:
        log.add(index, place, _DAMAGED, cell)
    if CONTROL.search(cell):
        log.add(index, place, _REMOVED, cell)
        return CONTROL.sub("", cell)
    return cell


def read_texts(target: Target, cells: Cells, longest: int, label: str, log: IssueLog) -> Column:
    """Free texts, whole column at once: only cells with something unusual are looked at one by one."""
    texts = [cell.strip() for cell in cells.values]
    column = Column(target=target, encoded=texts, texts=texts, defaulted=cells.defaulted)
    joined = _BETWEEN.join(texts)
    if cells.guarded and GUARD in joined:
        texts = [bare(text) for text in texts]
    if HIDDEN in joined and target.field is not None:
        column.silent = [index for index, text in enumerate(texts) if is_masked(text)]
        for index in column.silent:
            texts[index] = ""
    if texts and max(map(len, texts)) > longest:
        flaw = Flaw(code=ImportIssueCode.TOO_LONG, message=f"{label} is longer than {longest:,} characters")
        for index, text in enumerate(texts):
            if len(text) > longest:
                log.add(index, cells.place, flaw, text)
                column.refused.add(index)
    if target.field in _IDENTIFIERS and _POWER in joined:
        _refuse_shortened(column, texts, cells.place, log)
    special = target.is_copied and any(character in joined for character in _ESCAPED)
    column.texts = texts
    column.encoded = [escape(text) or NULL for text in texts] if special else [text or NULL for text in texts]
    return column


def _refuse_shortened(column: Column, texts: Sequence[str], place: Place, log: IssueLog) -> None:
    for index, text in enumerate(texts):
        if _SHORTENED.fullmatch(text):
            log.add(index, place, SHORTENED, text)
            column.refused.add(index)


def read_values(target: Target, cells: Cells, reading: Reading, log: IssueLog) -> Column:
    """Values of a typed field; equal cells are read once."""
    found = list(map(reading.__getitem__, cells.values))
    column = Column(target=target, encoded=[], defaulted=cells.defaulted)
    column.encoded = [
        read if isinstance(read, str) else _note(index, read, cells, column, log) for index, read in enumerate(found)
    ]
    return column


def _note(index: int, read: Flaw | Masked, cells: Cells, column: Column, log: IssueLog) -> str:
    """Notes what a cell is instead of a value; gives what COPY gets."""
    if isinstance(read, Masked):
        column.silent.append(index)
        return NULL
    if read.retired:
        log.hold(index, cells.place, read, bare(cells.values[index]))
        return read.kept
    log.add(index, cells.place, read, bare(cells.values[index]))
    if read.severity is Severity.ERROR:
        column.refused.add(index)
    elif read.kept == NULL:
        column.silent.append(index)
    return read.kept


@dataclass(slots=True, kw_only=True)
class PhoneColumns:
    """What a phone column gives: three columns of the lead, and the digits that search finds."""

    phone: Column
    display: list[str]
    key: list[str]
    digits: list[str]


def read_phones(target: Target, cells: Cells, reading: PhoneReading, log: IssueLog) -> PhoneColumns:
    """Phones with their reading form and key."""
    phones: list[PhoneCell] = list(map(reading.__getitem__, cells.values))
    column = Column(target=target, encoded=[phone.phone for phone in phones], defaulted=cells.defaulted)
    for index, phone in enumerate(phones):
        if phone.flaw is not None:
            _note(index, phone.flaw, cells, column, log)
    return PhoneColumns(
        phone=column,
        display=[phone.display for phone in phones],
        key=[phone.key for phone in phones],
        digits=[phone.digits for phone in phones],
    )
