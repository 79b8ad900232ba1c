"""Single cells: what may be wrong with one, and how readings of equal cells are remembered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from domain.formulas import GUARD, strip_guard
from domain.masking import HIDDEN, is_masked
from domain.vocabulary import ImportIssueCode, Severity

NULL: Final = "\\N"
"""What COPY's text format reads as NULL."""
_REMEMBERED: Final = 50_000
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Something wrong with a cell. `kept` is what COPY gets all the same, where the row is not refused.

    `retired`: nothing is wrong where the lead has the value `kept` already, which the merge knows.
    """

    code: ImportIssueCode
    message: str
    severity: Severity = Severity.ERROR
    suggestion: str | None = None
    kept: str = NULL
    retired: bool = False


SHORTENED: Final = Flaw(
    code=ImportIssueCode.SCIENTIFIC_NOTATION,
    message="a spreadsheet has shortened the number; format the column as text and export again",
)
"""Digits are lost: `3.36E+10`."""


@dataclass(frozen=True, slots=True)
class Masked:
    """A cell that holds what a mask left of a value: it says nothing and overwrites nothing."""


MASKED: Final = Masked()
Read = str | Flaw | Masked
"""What a cell becomes: text for COPY, or what is wrong with it."""


def escape(text: str) -> str:
    """The text as COPY's text format writes it."""
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)


def unescape(text: str) -> str:
    """What `escape` was given, for a text without line breaks and TABs."""
    return text.replace("\\\\", "\\") if "\\" in text else text


def bare(cell: str) -> str:
    """The cell without outer blanks and without the apostrophe of our formula guard."""
    text = cell.strip()
    return strip_guard(text).strip() if text.startswith(GUARD) else text


def says_nothing(text: str) -> bool:
    """Whether a bare cell is blank, or what a mask left."""
    return not text or (HIDDEN in text and is_masked(text))


class Reading(dict[str, Read]):
    """Reads cells of one field; equal cells are read once. Blank cells are NULL, masked ones MASKED.

    `guarded`: the cells may bear the apostrophe of our formula guard.
    """

    def __init__(self, read: Callable[[str], Read], *, guarded: bool = True) -> None:
        super().__init__()
        self._read = read
        self._trimmed = bare if guarded else str.strip

    def __missing__(self, cell: str) -> Read:
        if len(self) >= _REMEMBERED:
            self.clear()
        text = self._trimmed(cell)
        found = self[cell] = (NULL if not text else MASKED) if says_nothing(text) else self._read(text)
        return found
