"""Judges a block of records: every issue of every row, and for each valid row the values of a lead."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

from domain.emails import email_key
from domain.fields import FIELDS, MAX_CUSTOM_LENGTH
from domain.imports import ImportOptions
from domain.vocabulary import FieldType, ImportIssueCode, LeadFieldKey, Severity
from transfer.cells import NULL, Flaw, Masked, Read, Reading, unescape
from transfer.columns import CellBlock, Column, cells_of, read_phones, read_texts, read_values
from transfer.issues import IssueLog, Place
from transfer.mapping import same_column
from transfer.messages import OrganizationFacts
from transfer.read_csv import Records
from transfer.readers import Readers
from transfer.targets import MappedColumns, Target, column_name

_K = LeadFieldKey
_BLANK: Final = " "
_LIST_JOINT: Final = "; "
_SHORT: Final = Flaw(
    code=ImportIssueCode.COLUMN_COUNT,
    message="the row has fewer cells than the header; the missing ones count as blank",
    severity=Severity.WARNING,
)
_LONG: Final = Flaw(code=ImportIssueCode.COLUMN_COUNT, message="the row has more cells than the header")
_UNCLOSED: Final = Flaw(
    code=ImportIssueCode.COLUMN_COUNT, message="a quote is opened in this row and never closed, up to the file's end"
)


@dataclass(slots=True, kw_only=True)
class Judged:
    """A block's rows by target. `columns` are by column of `leads`; `texts` unescaped, by field, for search and keys.

    `custom` maps the keys of custom fields to their columns.
    """

    count: int
    records: Records
    log: IssueLog
    columns: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    by_field: dict[LeadFieldKey, Column] = field(default_factory=dict[LeadFieldKey, Column])
    custom: dict[str, Column] = field(default_factory=dict[str, Column])
    searched: dict[LeadFieldKey, Sequence[str]] = field(default_factory=dict[LeadFieldKey, Sequence[str]])
    blanks: list[int] = field(default_factory=list[int])


class RowJudge:
    """The plan of a file with its readings, applied to one block after the other."""

    def __init__(self, plan: MappedColumns, readers: Readers, options: ImportOptions, facts: OrganizationFacts) -> None:
        self._plan = plan
        self._required = options.required
        self._stages = {status.id: status.stage.name for status in (*facts.statuses, *facts.retired_statuses)}
        self._phones = readers.phones()
        self._guarded = readers.guarded
        self._readings = dict[str, Reading | None]()
        for target in plan.targets:
            self._readings[target.name] = readers.values(target.field) if target.field is not None else None

    def wrong_defaults(self) -> list[tuple[Target, str]]:
        """Targets whose default is not a valid value, with the reason."""
        wrong = list[tuple[Target, str]]()
        for target in self._plan.targets:
            read = None if target.default is None else self._read_default(target, target.default)
            if isinstance(read, Masked) or (isinstance(read, Flaw) and read.severity is Severity.ERROR):
                wrong.append((target, "a masked value is no default" if isinstance(read, Masked) else read.message))
        return wrong

    def _read_default(self, target: Target, default: str) -> Read | None:
        reading = self._readings[target.name]
        if target.field is _K.PHONE:
            return self._phones[default].flaw
        return None if reading is None else reading[default]

    def judge(self, records: Records) -> Judged:
        """The rows of a block with all their issues."""
        log = IssueLog()
        count = len(records.rows)
        raw = _squared(records, len(self._plan.headers), log)
        judged = Judged(count=count, records=records, log=log)
        judged.blanks = [count - sum(map(bool, map(str.strip, cells))) for cells in raw]
        block = CellBlock(columns=raw, count=count, suspect=records.suspect, guarded=self._guarded, log=log)
        for target in self._plan.targets:
            self._read(target, block, judged)
        self._require(judged)
        return judged

    def _place(self, target: Target) -> Place:
        column = column_name(self._plan.headers, target.sources[0].index) if target.sources else None
        return Place(column, target.name)

    def _read(self, target: Target, block: CellBlock, judged: Judged) -> None:
        joint = _LIST_JOINT if target.field and FIELDS[target.field].type is FieldType.LIST else _BLANK
        cells = cells_of(target, self._place(target), block, joint)
        if target.field is None:
            custom = target.custom or ""
            judged.custom[custom] = read_texts(target, cells, MAX_CUSTOM_LENGTH, custom, block.log)
        elif target.field is _K.PHONE:
            phones = read_phones(target, cells, self._phones, block.log)
            judged.by_field[_K.PHONE] = phones.phone
            judged.columns |= {"phone": phones.phone.encoded, "phone_display": phones.display, "phone_key": phones.key}
            judged.searched[_K.PHONE] = phones.digits
        elif (reading := self._readings[target.name]) is not None:
            self._keep(target.field, read_values(target, cells, reading, block.log), judged)
        else:
            rule = FIELDS[target.field]
            longest = rule.max_length or MAX_CUSTOM_LENGTH
            self._keep(target.field, read_texts(target, cells, longest, rule.label.lower(), block.log), judged)

    def _keep(self, key: LeadFieldKey, column: Column, judged: Judged) -> None:
        judged.by_field[key] = column
        name = FIELDS[key].column
        if column.texts is not None:
            judged.searched[key] = column.texts
        if name is not None:
            judged.columns[name] = column.encoded
        if key is _K.EMAIL:
            judged.columns["email_key"] = [NULL if text == NULL else email_key(text) for text in column.encoded]
            judged.searched[key] = ["" if text == NULL else unescape(text) for text in column.encoded]
        elif name == "status_id":
            judged.columns["stage"] = [self._stages.get(status, NULL) for status in column.encoded]

    def _require(self, judged: Judged) -> None:
        known = judged.by_field.get(_K.LEAD_ID)
        for key in self._required:
            column = next((judged.by_field[same] for same in same_column(key) if same in judged.by_field), None)
            if column is None:
                continue
            label = FIELDS[key].label.lower()
            flaw = Flaw(code=ImportIssueCode.REQUIRED, message=f"{label} is required")
            silent = set(column.silent) if known is not None else set[int]()
            for index in _without_value(column):
                masked = index in silent and known is not None and known.encoded[index] != NULL
                if index not in column.refused and not masked:
                    judged.log.add(index, Place(self._place(column.target).column, key.value), flaw)


def _without_value(column: Column) -> list[int]:
    if NULL not in column.encoded:
        return []
    return [index for index, value in enumerate(column.encoded) if value == NULL]


def _squared(records: Records, width: int, log: IssueLog) -> Sequence[Sequence[str]]:
    """The cells by column. Short rows are padded with a warning; a row with more cells is refused, save blank ones."""
    rows = records.rows
    if records.unclosed:
        log.add(len(rows) - 1, Place(), _UNCLOSED)
    if not rows:
        return [()] * width
    if set(map(len, rows)) == {width}:
        return list(zip(*rows, strict=True))
    return list(zip_longest(*(_fitted(index, row, width, log) for index, row in enumerate(rows)), fillvalue=""))


def _fitted(index: int, row: list[str], width: int, log: IssueLog) -> list[str]:
    if len(row) < width:
        log.add(index, Place(), _SHORT)
        return row + [""] * (width - len(row))
    if len(row) > width and any(cell and not cell.isspace() for cell in row[width:]):
        log.add(index, Place(), _LONG)
    return row[:width]
