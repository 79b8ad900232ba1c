"""Texts as callers give them: not blank, not too long, storable."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, cast

from domain.errors import InputProblem, Path, Problem
from domain.vocabulary import UserErrorCode

__all__ = ["CONTROL", "nul_problems", "text_problems"]

CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Control characters but TAB, LF and CR."""


def text_problems(text: str, longest: int, path: Path) -> Iterator[Problem]:
    """What is wrong with a text of at most `longest` characters."""
    if not text.strip():
        yield InputProblem(UserErrorCode.REQUIRED, "The text is blank.", path)
    elif len(text) > longest:
        yield InputProblem(UserErrorCode.TOO_LONG, f"At most {longest:,} characters.", path)
    else:
        yield from nul_problems(text, path)


def nul_problems(document: object, path: Path) -> Iterator[Problem]:
    """Where the texts of a document hold NUL characters, which the database does not store."""
    match document:
        case str() if "\0" in document:
            yield InputProblem(UserErrorCode.INVALID, "A text must not contain the NUL character.", path)
        case list():
            for index, item in enumerate(cast("list[object]", document)):
                yield from nul_problems(item, (*path, str(index)))
        case Mapping():
            for name, entry in cast("Mapping[str, object]", document).items():
                yield from nul_problems(entry, (*path, name))
        case _:
            pass
