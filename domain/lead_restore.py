"""Undoing what an import wrote to a lead, field by field: what somebody has edited since stays as it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from domain.json import JsonObject, JsonValue
from domain.lead_values import DERIVED_COLUMNS, FOLLOWERS

__all__ = ["Change", "Restoration", "restoration"]

_STATUS, _STAGE = "status_id", "stage"
_NOTES: Final = "notes"
_CUSTOM: Final = "custom"


@dataclass(frozen=True, slots=True)
class Change:
    """Columns of `leads` before and after one row of an import, as JSON."""

    before: JsonObject
    after: JsonObject


@dataclass(slots=True)
class Restoration:
    """`columns`: what to write back. `kept`: a field stays, edited since, its status deleted or its phone taken."""

    columns: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    kept: bool = False


def restoration(current: JsonObject, changes: Sequence[Change], stages: Mapping[str, str]) -> Restoration:
    """What undoes the changes (given in their order) to a lead whose columns are now `current`.

    `stages` has the stage of each status that there is, by its id.
    """
    net = _net(changes)
    found = Restoration()
    for column, (before, after) in net.items():
        if column in FOLLOWERS or column == _NOTES:
            continue
        if column == _CUSTOM:
            _restore_custom(found, current, _Both(before, after))
        elif current.get(column) != after or (column == _STATUS and before not in stages):
            found.kept = True
        elif before != after:
            found.columns[column] = before
            found.columns |= {name: net[name][0] for name in DERIVED_COLUMNS.get(column, ()) if name in net}
    if _STATUS in found.columns:
        found.columns[_STAGE] = stages[str(found.columns[_STATUS])]
    return found


@dataclass(frozen=True, slots=True)
class _Both:
    before: JsonValue
    after: JsonValue


def _net(changes: Sequence[Change]) -> dict[str, tuple[JsonValue, JsonValue]]:
    """The first value before and the last one after, by column."""
    net: dict[str, tuple[JsonValue, JsonValue]] = {}
    for change in changes:
        for column, after in change.after.items():
            before = net[column][0] if column in net else change.before.get(column)
            net[column] = (before, after)
    return net


def _restore_custom(found: Restoration, current: JsonObject, both: _Both) -> None:
    before = cast("JsonObject", both.before or {})
    after = cast("JsonObject", both.after or {})
    now = dict(cast("JsonObject", current.get(_CUSTOM) or {}))
    touched = False
    for key in {*before, *after}:
        if before.get(key) == after.get(key):
            continue
        if now.get(key) != after.get(key):
            found.kept = True
            continue
        touched = True
        if key in before:
            now[key] = before[key]
        else:
            now.pop(key, None)
    if touched:
        found.columns[_CUSTOM] = now
