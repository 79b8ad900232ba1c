"""A filter as one line a person can read: for job lists, manifests and file names; and what of it is hidden."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from domain.fields import FIELDS
from domain.filters import (
    FILTER_FIELDS,
    FLAGS,
    AllOf,
    AnyOf,
    Condition,
    CustomCondition,
    LeadFilter,
    Not,
    Operator,
    Period,
    Scalar,
    Search,
    Value,
)
from domain.json import JsonObject, JsonValue
from domain.lead_values import SEARCHED_FIELDS
from domain.vocabulary import LeadFieldKey

_SHOWN_VALUES: Final = 5
_FILE_NAME_LENGTH: Final = 60
_HIDDEN: Final = "…"
_PERSONAL: Final = frozenset({LeadFieldKey.NAME, LeadFieldKey.PHONE, LeadFieldKey.EMAIL, LeadFieldKey.EXTERNAL_ID})
_SEARCHED: Final = frozenset(SEARCHED_FIELDS)
_ABOUT_EMPTINESS: Final = (Operator.IS_NULL, Operator.IS_EMPTY)

_PHRASES: Final[Mapping[Operator, str]] = {
    Operator.EQ: "is",
    Operator.NE: "is not",
    Operator.IN: "is one of",
    Operator.NOT_IN: "is none of",
    Operator.CONTAINS: "contains",
    Operator.STARTS_WITH: "starts with",
    Operator.GT: "after",
    Operator.GTE: "from",
    Operator.LT: "before",
    Operator.LTE: "up to",
    Operator.WITHIN: "in the last",
    Operator.HAS_ANY: "has any of",
    Operator.HAS_ALL: "has all of",
    Operator.HAS_NONE: "has none of",
}


def describe(leads: LeadFilter, masked: Collection[LeadFieldKey] = ()) -> str:
    """`Status is new and Score from 80`; `All leads` for the filter that matches everything.

    Values of `masked` fields become `…`, and so does what is searched for where one of them is searched.
    """
    return _Words(frozenset(masked), search=not _SEARCHED.isdisjoint(masked)).phrase(leads) or "All leads"


def hide_values(document: JsonObject, masked: Collection[LeadFieldKey]) -> JsonObject:
    """A filter document that was read before, with `…` for what `describe` hides."""
    return {name: _hidden(name, value, masked) for name, value in document.items()}


def _hidden(name: str, value: JsonValue, masked: Collection[LeadFieldKey]) -> JsonValue:
    match name:
        case "and" | "or":
            return [hide_values(item, masked) for item in cast("list[JsonObject]", value)]
        case "not":
            return hide_values(cast("JsonObject", value), masked)
        case "search":
            return value if _SEARCHED.isdisjoint(masked) else _HIDDEN
        case "custom":
            return value
        case _ if FILTER_FIELDS[name].key in masked:
            operands = cast("JsonObject", value).items()
            return {operator: operand if operator in FLAGS else _unsaid(operand) for operator, operand in operands}
        case _:
            return value


def _unsaid(operand: JsonValue) -> JsonValue:
    return [_HIDDEN] if isinstance(operand, list) else _HIDDEN


def outline(leads: LeadFilter, masked: Collection[LeadFieldKey] = ()) -> str:
    """The same for names and logs, which others read: what tells who a person is, or may, becomes `…` as well."""
    return _outline(masked).phrase(leads) or "All leads"


def file_name_part(leads: LeadFilter, masked: Collection[LeadFieldKey] = ()) -> str:
    """The outline in at most 60 characters of `[A-Za-z0-9_]`, for file names; empty for every lead."""
    words = _outline(masked).phrase(leads)
    return re.sub(r"[^A-Za-z0-9]+", "_", words).strip("_").lower()[:_FILE_NAME_LENGTH].rstrip("_")


@dataclass(frozen=True, slots=True)
class _Words:
    """Puts filters into words, without values of the hidden fields; `search`, `custom`: without those values too."""

    hidden: frozenset[LeadFieldKey]
    search: bool = False
    custom: bool = False

    def phrase(self, leads: LeadFilter, *, nested: bool = False) -> str:
        match leads:
            case AllOf(items):
                return self._joined(items, " and ", nested=nested)
            case AnyOf(items):
                return self._joined(items, " or ", nested=nested)
            case Not(item):
                return f"not ({self.phrase(item)})"
            case Search(text):
                return f"search “{_HIDDEN if self.search else text}”"
            case CustomCondition(key, operator, value):
                return self._condition(key, operator, value, hide=self.custom)
            case Condition(known, operator, value):
                label = "Import" if known.name == "importJobId" else FIELDS[known.key].label
                return self._condition(label, operator, value, hide=known.key in self.hidden)

    def _joined(self, items: tuple[LeadFilter, ...], word: str, *, nested: bool) -> str:
        text = word.join(self.phrase(item, nested=True) for item in items)
        return f"({text})" if nested and len(items) > 1 else text

    def _condition(self, label: str, operator: Operator, value: Value, *, hide: bool) -> str:
        hidden = hide and operator not in _ABOUT_EMPTINESS
        return condition_text(label, operator, _HIDDEN if hidden else value)


def _outline(masked: Collection[LeadFieldKey]) -> _Words:
    return _Words(_PERSONAL.union(masked), search=True, custom=True)


def condition_text(label: str, operator: Operator, value: Value) -> str:
    """`Score from 80`."""
    if operator in _ABOUT_EMPTINESS:
        return f"{label} is {'empty' if value else 'not empty'}"
    return f"{label} {_PHRASES[operator]} {_value(value)}"


def _value(value: Value) -> str:
    if not isinstance(value, tuple):
        return _scalar(value)
    shown = ", ".join(_scalar(entry) for entry in value[:_SHOWN_VALUES])
    more = len(value) - _SHOWN_VALUES
    return f"{shown} and {more} more" if more > 0 else shown


def _scalar(value: Scalar) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case Period(last, unit):
            return f"{last} {unit.lower()}{'' if last == 1 else 's'}"
        case _:
            return str(value)
