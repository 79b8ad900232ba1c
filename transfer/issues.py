"""What is wrong with the rows of a block, one by one and in groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from domain.imports import Issue, IssueGroup
from domain.vocabulary import ImportIssueCode, Severity
from transfer.cells import Flaw
from transfer.read_csv import REPLACEMENT, UNDECODABLE

_BY_VALUE: Final = frozenset({ImportIssueCode.UNKNOWN_VALUE, ImportIssueCode.UNKNOWN_REFERENCE})
_LONGEST_VALUE: Final = 500
_UNSTORABLE: Final = {**dict.fromkeys(range(0x20)), **dict.fromkeys(range(0xD800, 0xE000)), 0x7F: None} | {
    ord(UNDECODABLE): REPLACEMENT,
    ord("\t"): " ",
    ord("\n"): "\n",
    ord("\r"): "\r",
}
GroupKey = tuple[ImportIssueCode, Severity, str | None, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a row: the column as the file names it, the field as the registry does."""

    column: str | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A flaw at a row's index in its block."""

    index: int
    place: Place
    flaw: Flaw
    value: str | None = None


class IssueLog:
    """Collects what is found in one block; `failed` and `warned` are indexes of rows.

    `held` are flaws of rows that the merge may refuse for them.
    """

    def __init__(self) -> None:
        self._found = list[Found]()
        self._sorted = True
        self.failed = set[int]()
        self.held = dict[int, Found]()
        self._flagged = set[int]()

    def add(self, index: int, place: Place, flaw: Flaw, value: str | None = None) -> None:
        """Notes a flaw; one of severity ERROR refuses the row."""
        self._found.append(Found(index, place, flaw, value))
        self._sorted = False
        if flaw.severity is Severity.ERROR:
            self.failed.add(index)
        else:
            self._flagged.add(index)

    def hold(self, index: int, place: Place, flaw: Flaw, value: str) -> None:
        """Notes a flaw of which the merge decides whether it is one."""
        self.held[index] = Found(index, place, flaw, value)

    @property
    def warned(self) -> set[int]:
        """Rows with a warning and no error."""
        return self._flagged - self.failed

    def in_order(self) -> list[Found]:
        """By row, then as the fields were read."""
        if not self._sorted:
            self._found.sort(key=_index)
            self._sorted = True
        return self._found

    def issues(self, rows: Sequence[int], lines: Sequence[int] | None, limit: int) -> list[Issue]:
        """The first `limit` issues in row order."""
        return [issue_of(found, rows, lines) for found in self.in_order()[:limit]]

    def groups(self, rows: Sequence[int]) -> list[IssueGroup]:
        """All issues by code, severity, column and field, and by value where the value is what is unknown."""
        rows_of = dict[GroupKey, int]()
        first_of = dict[GroupKey, Found]()
        for found in self.in_order():
            flaw, place = found.flaw, found.place
            value = storable(found.value) if flaw.code in _BY_VALUE else None
            key = (flaw.code, flaw.severity, place.column, place.field, value)
            rows_of[key] = rows_of.get(key, 0) + 1
            first_of.setdefault(key, found)
        return [
            IssueGroup(*key, rows_of[key], rows[found.index], found.flaw.message, found.flaw.suggestion)
            for key, found in first_of.items()
        ]

    def held_message(self, index: int) -> str | None:
        """What the error file says of a row that was refused for what is held."""
        found = self.held.get(index)
        return None if found is None else _sentence(found)

    def messages(self) -> Mapping[int, str]:
        """What the error file says of each failed row."""
        texts = dict[int, list[str]]()
        for found in self.in_order():
            if found.index in self.failed:
                texts.setdefault(found.index, []).append(_sentence(found))
        return {index: "; ".join(sentences) for index, sentences in texts.items()}


def issue_of(found: Found, rows: Sequence[int], lines: Sequence[int] | None) -> Issue:
    """What was found, with where its row stands."""
    return Issue(
        row=rows[found.index],
        line=lines[found.index] if lines is not None else None,
        column=found.place.column,
        field=found.place.field,
        code=found.flaw.code,
        severity=found.flaw.severity,
        message=found.flaw.message,
        value=storable(found.value),
        suggestion=found.flaw.suggestion,
    )


def _index(found: Found) -> int:
    return found.index


def _sentence(found: Found) -> str:
    column = f"{found.place.column}: " if found.place.column else ""
    hint = f" (did you mean {found.flaw.suggestion}?)" if found.flaw.suggestion else ""
    return f"{column}{found.flaw.message}{hint}"


def storable(value: str | None) -> str | None:
    """The value as a database and a page can hold it: no control characters, not endless."""
    if value is None:
        return None
    return value[:_LONGEST_VALUE].translate(_UNSTORABLE)
