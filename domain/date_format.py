"""Date formats of files: `YYYY-MM-DD HH:MM:SS` and its relatives, as people write them."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

DEFAULT: Final = "YYYY-MM-DD HH:MM:SS"
_TOKEN: Final = re.compile(r"YYYY|YY|MM|MI|DD|HH24|HH|SS|[-/.: ,]|T")
_DIRECTIVES: Final = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "MI": "%M", "DD": "%d", "HH24": "%H", "SS": "%S"}
_DATE: Final = ({"DD", "MM", "YYYY"}, {"DD", "MM", "YY"})


def to_postgresql(text: str) -> str | None:
    """The format as PostgreSQL's to_char reads it, None where it is none of ours.

    Tokens: YYYY YY MM DD HH (24 hours) MM or MI (minutes, after HH) SS, with `-/.:,T` and blanks between.
    """
    tokens = _tokens(text)
    if tokens is None or {part for part in tokens if part in ("YYYY", "YY", "MM", "DD")} not in _DATE:
        return None
    return "".join('"T"' if part == "T" else part for part in tokens)


def render(text: str, moment: datetime) -> str:
    """The moment, as it stands, in one of our formats. Raises ValueError for any other format."""
    tokens = _tokens(text)
    if tokens is None:
        raise ValueError(text)
    return moment.strftime("".join(_DIRECTIVES.get(part, part) for part in tokens))


def _tokens(text: str) -> list[str] | None:
    found = [match.group() for match in _TOKEN.finditer(text)]
    return list(_with_minutes(found)) if text and "".join(found) == text else None


def _with_minutes(tokens: list[str]) -> Iterator[str]:
    hours = False
    for part in tokens:
        if part in ("HH", "HH24"):
            hours = True
            yield "HH24"
        elif part == "MM" and hours:
            hours = False
            yield "MI"
        else:
            yield part
