"""What a status may be called, and how it looks."""

import re
from collections.abc import Iterator
from typing import Final

from domain.errors import InputProblem, Problem
from domain.requests import SaveStatus
from domain.vocabulary import UserErrorCode

__all__ = ["status_problems"]

_KEY: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_COLOR: Final = re.compile(r"#[0-9a-fA-F]{6}")


def status_problems(request: SaveStatus) -> Iterator[Problem]:
    """What is wrong with a status by itself; the label is judged with the input."""
    if not _KEY.fullmatch(request.key):
        message = "A key has 1 to 64 letters, digits, _ and -."
        yield InputProblem(UserErrorCode.INVALID, message, ("input", "key"))
    if request.color is not None and not _COLOR.fullmatch(request.color):
        yield InputProblem(UserErrorCode.INVALID, "A colour is written as #1a2b3c.", ("input", "color"))
    if request.position is not None and request.position < 0:
        yield InputProblem(UserErrorCode.OUT_OF_RANGE, "Positions count from 0.", ("input", "position"))
