"""Texts as callers give them: not blank, not too long, storable."""

import re
from collections.abc import Iterator
from typing import Final

from domain.errors import InputProblem, Path, Problem
from domain.vocabulary import UserErrorCode

__all__ = ["CONTROL", "text_problems"]

CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Control characters but TAB, LF and CR."""


def text_problems(text: str, longest: int, path: Path) -> Iterator[Problem]:
    """What is wrong with a text of at most `longest` characters."""
    if not text.strip():
        yield InputProblem(UserErrorCode.REQUIRED, "The text is blank.", path)
    elif len(text) > longest:
        yield InputProblem(UserErrorCode.TOO_LONG, f"At most {longest:,} characters.", path)
    elif "\0" in text:
        yield InputProblem(UserErrorCode.INVALID, "A text must not contain the NUL character.", path)
