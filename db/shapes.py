"""The shape of a filter decides the text of the SQL, its values are bound.

Filters of one shape share one statement and one plan, whatever they compare with.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

__all__ = ["EVERY", "NONE", "Lowered", "Shape", "Test", "like_text", "lower_text", "name_range"]


class Test(StrEnum):
    """One comparison of a column; db/filters.py has the SQL of each, and how many values it takes."""

    EQUAL = "equal"
    DIFFERENT = "different"
    AMONG = "among"
    NOT_AMONG = "not among"
    GREATER = "greater"
    AT_LEAST = "at least"
    LESS = "less"
    AT_MOST = "at most"
    BETWEEN = "between"
    ABSENT = "absent"
    PRESENT = "present"
    FOLDED_EQUAL = "folded equal"
    FOLDED_DIFFERENT = "folded different"
    FOLDED_AMONG = "folded among"
    FOLDED_NOT_AMONG = "folded not among"
    CONTAINS = "contains"
    BEGINS = "begins"
    NAME_BEGINS = "name begins"
    OVERLAPS = "overlaps"
    COVERS = "covers"
    DISJOINT = "disjoint"
    EMPTY = "empty"
    FILLED = "filled"
    STATUS_EQUAL = "status equal"
    STATUS_AMONG = "status among"
    STATUS_NOT_AMONG = "status not among"
    CUSTOM_EQUAL = "custom equal"
    CUSTOM_AMONG = "custom among"
    CUSTOM_CONTAINS = "custom contains"
    CUSTOM_ABSENT = "custom absent"
    CUSTOM_PRESENT = "custom present"
    SEARCH_TEXT = "search text"
    SEARCH_NOTES = "search notes"


Shape: TypeAlias = "tuple[str, str | tuple[Shape, ...]]"
"""`("all", shapes)`, `("any", shapes)`, `("not", (shape,))` or `(test, column)`; values come in this order."""

EVERY: Final[Shape] = ("all", ())
NONE: Final[Shape] = ("any", ())


@dataclass(frozen=True, slots=True)
class Lowered:
    """A filter taken apart."""

    shape: Shape
    values: tuple[object, ...] = ()


def like_text(text: str) -> str:
    r"""The text as a LIKE pattern that matches itself alone; the escape character is the backslash."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def lower_text(text: str) -> str:
    """Lower case character by character, as PostgreSQL's lower() has it under C.UTF-8.

    That of İ is i without a dot above behind it, and of Σ always σ.
    """
    return "".join(char.lower()[0] for char in text)


_BEFORE_SURROGATES: Final = "\ud7ff"
_AFTER_SURROGATES: Final = "\ue000"
_LAST: Final = "\U0010ffff"


def name_range(prefix: str) -> tuple[str, str]:
    """The lower-case names that begin with the prefix: from the first text to before the second, by code points."""
    start = lower_text(prefix)
    stem = start.rstrip(_LAST)
    if not stem:
        return start, _LAST * (len(start) + 1)
    following = _AFTER_SURROGATES if stem[-1] == _BEFORE_SURROGATES else chr(ord(stem[-1]) + 1)
    return start, stem[:-1] + following
