"""What a plan's rows do to fields: the first values of would-be leads, and what rows change in leads that are there."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, cast

import msgspec

from db.copy_text import NULL, cells, read_cell
from db.merge_rules import MergeRows, Outcome
from domain.fields import CUSTOM_PREFIX
from domain.imports import FieldTouch
from domain.json import JsonObject
from domain.lead_changes import field_of
from domain.vocabulary import LeadFieldKey
from jobs.import_findings import MergedBlock
from transfer.messages import ColumnOrigin, CopyColumn

__all__ = ["added_touches", "first_values"]

_CUSTOM: Final = "custom"
_FROM_OPTIONS: Final = frozenset({"tags", "assignee_id"})
_BLANK: Final = {"source": b"UNKNOWN", "tags": b"{}", "detected_languages": b"{}", "ai_verification_reasons": b"{}"}
"""How a column that cannot be NULL says that there is nothing."""


def first_values(columns: Sequence[CopyColumn], merged: MergedBlock) -> tuple[FieldTouch, ...]:
    """How many of the block's new leads get a value of each field, from the file or from an option."""
    created = [index for index, letter in enumerate(merged.outcome.outcomes) if letter == Outcome.CREATED]
    if not created:
        return ()
    found = Counter(_apart(merged.rows, created))
    by_column = list(zip(*(cells(merged.rows.lines[index]) for index in created), strict=True))
    for column, values in zip(columns, by_column, strict=True):
        if column.name == _CUSTOM:
            found.update(_custom_keys(values))
        elif _is_given(column) and (name := field_of(column.name)) is not None:
            found[name] += len(values) - values.count(NULL) - values.count(_BLANK.get(column.name, NULL + NULL))
    return tuple(FieldTouch(name, set=count) for name, count in found.items() if count)


def added_touches(*parts: Iterable[FieldTouch]) -> tuple[FieldTouch, ...]:
    """The sums by field, in the fields' order."""
    sums = dict[str, FieldTouch]()
    for touch in (touch for part in parts for touch in part):
        before = sums.get(touch.field, FieldTouch(touch.field))
        sums[touch.field] = FieldTouch(
            touch.field,
            set=before.set + touch.set,
            overwritten=before.overwritten + touch.overwritten,
            cleared=before.cleared + touch.cleared,
        )
    return tuple(sums[name] for name in sorted(sums))


def _is_given(column: CopyColumn) -> bool:
    return column.origin in {ColumnOrigin.FILE, ColumnOrigin.DEFAULT} or column.name in _FROM_OPTIONS


def _apart(rows: MergeRows, created: Sequence[int]) -> Iterator[str]:
    """Fields that are no column of the COPY lines."""
    for key, values in ((LeadFieldKey.NOTES, rows.notes), (LeadFieldKey.NATIONAL_ID, rows.national_ids)):
        if values is not None:
            yield from (key.value for index in created if values[index])


def _custom_keys(values: Iterable[bytes]) -> Iterator[str]:
    for value in values:
        text = read_cell(value)
        if text is not None:
            yield from (f"{CUSTOM_PREFIX}{key}" for key in cast("JsonObject", msgspec.json.decode(text)))
