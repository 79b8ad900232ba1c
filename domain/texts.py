"""Texts as callers give them: not blank, not too long, storable."""

from collections.abc import Iterator

from domain.errors import InputProblem, Path, Problem
from domain.vocabulary import UserErrorCode

__all__ = ["text_problems"]


def text_problems(text: str, longest: int, path: Path) -> Iterator[Problem]:
    """What is wrong with a text of at most `longest` characters."""
    if not text.strip():
        yield InputProblem(UserErrorCode.REQUIRED, "The text is blank.", path)
    elif len(text) > longest:
        yield InputProblem(UserErrorCode.TOO_LONG, f"At most {longest:,} characters.", path)
    elif "\0" in text:
        yield InputProblem(UserErrorCode.INVALID, "A text must not contain the NUL character.", path)
