"""From what a bulk update is asked to do to what it does to each lead's columns, everything checked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.bulk import LeadPatch
from domain.checks import require
from domain.clearing import CLEARABLE
from domain.custom_fields import CustomChange, custom_change, custom_problems
from domain.errors import InputProblem, Path, Problem
from domain.fields import FIELDS, MAX_LIST_ITEMS
from domain.lead_values import SEARCHED_COLUMNS
from domain.texts import text_problems
from domain.vocabulary import LeadFieldKey, UserErrorCode

__all__ = ["PATCH", "LeadChange", "change_of", "clear_problems"]

PATCH: Final[Path] = ("input", "set")
_K = LeadFieldKey
_TEXTS: Final = {"leadSource": _K.LEAD_SOURCE, "wonReason": _K.WON_REASON, "lossReason": _K.LOSS_REASON}
_SET: Final = {
    "source": _K.SOURCE,
    "leadSource": _K.LEAD_SOURCE,
    "score": _K.SCORE,
    "interestLevel": _K.INTEREST_LEVEL,
    "category": _K.CATEGORY,
    "wonReason": _K.WON_REASON,
    "lossReason": _K.LOSS_REASON,
}
"""Inputs that set one column, with their fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadChange:
    """What is done to each lead. `columns` are set to one value, `cleared` to NULL or an empty list.

    `status` is a key or label as given.
    """

    status: str | None = None
    columns: Mapping[str, str | int] = field(default_factory=dict[str, str | int])
    cleared: tuple[str, ...] = ()
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    note: str | None = None
    custom: CustomChange = field(default_factory=CustomChange)

    @property
    def searches(self) -> bool:
        """Whether what search finds may change."""
        return self.note is not None or not SEARCHED_COLUMNS.keys().isdisjoint(self.cleared)


def change_of(patch: LeadPatch) -> LeadChange:
    """The change. Raises Rejected with everything that is wrong, each with its path."""
    custom = patch.custom_fields or {}
    require((*_problems(patch), *custom_problems(custom, (*PATCH, "customFields"))))
    values = _values(patch)
    return LeadChange(
        status=patch.status,
        columns={str(FIELDS[key].column): values[name] for name, key in _SET.items() if name in values},
        cleared=tuple(dict.fromkeys(column for key in patch.clear for column in CLEARABLE[key])),
        add_tags=_tags(patch.add_tags),
        remove_tags=_tags(patch.remove_tags),
        note=patch.add_note.strip() if patch.add_note else None,
        custom=custom_change(custom),
    )


def clear_problems(clear: Sequence[LeadFieldKey], given: Sequence[LeadFieldKey], path: Path) -> Iterator[Problem]:
    """What is wrong with fields to empty, beside those that get a value."""
    for index, key in enumerate(clear):
        place = (*path, str(index))
        if key not in CLEARABLE:
            allowed = tuple(known.name for known in CLEARABLE)
            yield InputProblem(UserErrorCode.INVALID, "This field cannot be emptied.", place, allowed)
        elif key in given:
            yield InputProblem(UserErrorCode.INVALID, "This field is set and emptied at once.", place)


def _problems(patch: LeadPatch) -> Iterator[Problem]:
    values = _values(patch)
    for name, key in _TEXTS.items():
        if name in values:
            yield from text_problems(str(values[name]), FIELDS[key].max_length or 0, (*PATCH, name))
    if patch.score is not None and not 0 <= patch.score <= (FIELDS[_K.SCORE].maximum or 0):
        yield InputProblem(UserErrorCode.OUT_OF_RANGE, "A score is from 0 to 100.", (*PATCH, "score"))
    if patch.add_note is not None:
        yield from text_problems(patch.add_note, FIELDS[_K.NOTES].max_length or 0, (*PATCH, "addNote"))
    yield from _tag_problems(patch.add_tags, (*PATCH, "addTags"))
    yield from _tag_problems(patch.remove_tags, (*PATCH, "removeTags"))
    yield from clear_problems(patch.clear, [_SET[name] for name in values], (*PATCH, "clear"))


def _values(patch: LeadPatch) -> dict[str, str | int]:
    given = {
        "source": patch.source,
        "leadSource": patch.lead_source,
        "score": patch.score,
        "interestLevel": patch.interest_level,
        "category": patch.category,
        "wonReason": patch.won_reason,
        "lossReason": patch.loss_reason,
    }
    return {
        name: value.strip() if name in _TEXTS and isinstance(value, str) else value
        for name, value in given.items()
        if value is not None
    }


def _tag_problems(tags: Sequence[str], path: Path) -> Iterator[Problem]:
    if len(tags) > MAX_LIST_ITEMS:
        yield InputProblem(UserErrorCode.TOO_LONG, f"At most {MAX_LIST_ITEMS} tags.", path)
    for index, tag in enumerate(tags):
        yield from text_problems(tag, FIELDS[_K.TAGS].max_length or 0, (*path, str(index)))


def _tags(tags: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag.strip() for tag in tags))
