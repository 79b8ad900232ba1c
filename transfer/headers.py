"""Header texts: whether a record is one, and which field of a lead each names."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from functools import cache, lru_cache
from typing import Final

from domain.fields import CUSTOM_PREFIX, FIELDS, FIRST_NAME_HEADERS, LAST_NAME_HEADERS, LeadField
from domain.vocabulary import LeadFieldKey

IMPORT_HEADER: Final = "_import"
ROW_HEADER: Final = "_row"
LINE_HEADER: Final = "_line"
ERRORS_HEADER: Final = "_errors"
REPORT_HEADERS: Final = (IMPORT_HEADER, ROW_HEADER, LINE_HEADER, ERRORS_HEADER)
"""What our error file adds behind the original columns."""

SAME: Final = 1.0
ALIAS: Final = 0.95
_NEAR: Final = 0.8
_LONGEST_SUGGESTED: Final = 40

_DATA: Final = re.compile(
    r"[^@\s]+@[^@\s]+\.[^@\s]+"  # an e-mail address
    r"|[+-]?[$€£]?\d[\d .,:/()-]*%?"  # a number, an amount, a phone, a date
    r"|https?://\S+",
    re.IGNORECASE,
)
_CONTACT: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|[+(]?\d(?:[ ()./-]*\d){8,14}")
"""An e-mail address or a phone number with its area: no header holds one."""


@dataclass(frozen=True, slots=True)
class Match:
    """A field that a header names (`SAME`, `ALIAS`) or comes near to (a lower score)."""

    field: LeadFieldKey
    score: float


def normal_header(text: str) -> str:
    """Case, accents and separators removed: `Téléphone (mobile)` and `telephone_mobile` are the same."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if character.isalnum())


def header_names(record: Sequence[str]) -> tuple[str, ...]:
    """The names of a header's cells, without outer blanks and line breaks."""
    return tuple(" ".join(cell.split()) for cell in record)


def numbered_names(width: int) -> tuple[str, ...]:
    """The names of columns without a header: `column_1`, `column_2`, ..."""
    return tuple(f"column_{number}" for number in range(1, width + 1))


def looks_like_header(record: Sequence[str]) -> bool:
    """Whether a first record names columns: it holds a known header, or nothing that only data look like.

    A known header beside somebody's address or number is a value: `Dana,+12025550101,phone`.
    """
    cells = [cell.strip() for cell in record if cell.strip()]
    if any(_CONTACT.fullmatch(cell) for cell in cells):
        return False
    if any(match_header(cell) is not None or cell in REPORT_HEADERS for cell in cells):
        return True
    return bool(cells) and not any(_DATA.fullmatch(cell) for cell in cells)


def match_header(header: str) -> Match | None:
    """The field that a header names, None where it names none for certain."""
    normal = normal_header(header)
    return _known().get(normal) if normal else None


@lru_cache(maxsize=4_096)
def nearest_field(header: str) -> Match | None:
    """The field that a header comes nearest to: a suggestion, None where nothing comes near."""
    normal = normal_header(header)
    if not 2 < len(normal) <= _LONGEST_SUGGESTED:  # noqa: PLR2004 - two letters come near everything
        return None
    found = get_close_matches(normal, _importable(), n=1, cutoff=_NEAR)
    if not found:
        return None
    score = SequenceMatcher(None, normal, found[0]).ratio() * ALIAS
    return Match(_known()[found[0]].field, round(score, 2))


def name_part(header: str) -> int | None:
    """0 for a first name's header, 1 for a last name's, else None."""
    normal = normal_header(header)
    for part, known in enumerate((FIRST_NAME_HEADERS, LAST_NAME_HEADERS)):
        if normal in map(normal_header, known):
            return part
    return None


def custom_key(header: str, known: Sequence[str]) -> str:
    """The key of a custom field named after a header: a known one that reads the same, else the header itself."""
    name = header.removeprefix(CUSTOM_PREFIX)
    normal = normal_header(name)
    return next((key for key in known if normal_header(key) == normal), name)


@cache
def _importable() -> list[str]:
    return [normal for normal, match in _known().items() if FIELDS[match.field].importable]


@cache
def _known() -> Mapping[str, Match]:
    """Fields by normal header: keys and labels first, then aliases in the registry's order."""
    known = dict[str, Match]()
    for names, score in ((_own_names, SAME), (_aliases, ALIAS)):
        for key, field in FIELDS.items():
            for name in names(field):
                known.setdefault(normal_header(name), Match(key, score))
    return known


def _own_names(field: LeadField) -> Iterator[str]:
    yield field.key.value
    yield field.label


def _aliases(field: LeadField) -> Iterator[str]:
    yield from field.aliases
