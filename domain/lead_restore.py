"""Undoing what an import wrote to a lead, field by field: what somebody has edited since stays as it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from domain.json import JsonObject, JsonValue

__all__ = ["Change", "Restoration", "restoration"]

_FOLLOWERS: Final[Mapping[str, tuple[str, ...]]] = {
    "phone": ("phone_display", "phone_key"),
    "email": ("email_key",),
    "status_id": ("stage",),
    "national_id_cipher": ("national_id_last4",),
}
_FOLLOWING: Final = frozenset(follower for followers in _FOLLOWERS.values() for follower in followers)
_NOTES: Final = "notes"
_CUSTOM: Final = "custom"


@dataclass(frozen=True, slots=True)
class Change:
    """Columns of `leads` before and after one row of an import, as JSON."""

    before: JsonObject
    after: JsonObject


@dataclass(slots=True)
class Restoration:
    """`columns`: what to write back. `kept`: somebody has edited a field that the import wrote."""

    columns: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    kept: bool = False


def restoration(current: JsonObject, changes: Sequence[Change]) -> Restoration:
    """What undoes the changes (given in their order) to a lead whose columns are now `current`."""
    net = _net(changes)
    found = Restoration()
    for column, (before, after) in net.items():
        if column in _FOLLOWING or column == _NOTES:
            continue
        if column == _CUSTOM:
            _restore_custom(found, current, _Both(before, after))
        elif current.get(column) != after:
            found.kept = True
        elif before != after:
            found.columns[column] = before
            found.columns |= {name: net[name][0] for name in _FOLLOWERS.get(column, ()) if name in net}
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
