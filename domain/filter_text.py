"""A filter as one line a person can read: for job lists, manifests and file names."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from domain.fields import FIELDS
from domain.filters import (
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

_SHOWN_VALUES: Final = 5
_FILE_NAME_LENGTH: Final = 60

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


def describe(leads: LeadFilter) -> str:
    """`Status is new and Score from 80`; `All leads` for the filter that matches everything."""
    return _phrase(leads, nested=False) or "All leads"


def file_name_part(leads: LeadFilter) -> str:
    """The filter in at most 60 characters of `[A-Za-z0-9_]`, for file names; empty for every lead."""
    text = _phrase(leads, nested=False)
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").lower()[:_FILE_NAME_LENGTH].rstrip("_")


def _phrase(leads: LeadFilter, *, nested: bool) -> str:
    match leads:
        case AllOf(items):
            return _joined(items, " and ", nested=nested)
        case AnyOf(items):
            return _joined(items, " or ", nested=nested)
        case Not(item):
            return f"not ({_phrase(item, nested=False)})"
        case Search(text):
            return f"search “{text}”"
        case CustomCondition(key, operator, value):
            return condition_text(key, operator, value)
        case Condition(known, operator, value):
            label = "Import" if known.name == "importJobId" else FIELDS[known.key].label
            return condition_text(label, operator, value)


def _joined(items: tuple[LeadFilter, ...], word: str, *, nested: bool) -> str:
    text = word.join(_phrase(item, nested=True) for item in items)
    return f"({text})" if nested and len(items) > 1 else text


def condition_text(label: str, operator: Operator, value: Value) -> str:
    """`Score from 80`."""
    if operator in (Operator.IS_NULL, Operator.IS_EMPTY):
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
