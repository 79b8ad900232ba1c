"""One byte range of a request (RFC 9110 section 14)."""

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["ByteRange", "RangeNotSatisfiable", "requested_range"]

_ONE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class RangeNotSatisfiable(Exception):
    """The range lies outside the file; answered with 416."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """From `start` to `end`, which is exclusive."""

    start: int
    end: int


def requested_range(header: str | None, size: int) -> ByteRange | None:
    """The range asked for; None for the whole file, also where the header is no single byte range.

    Raises RangeNotSatisfiable.
    """
    found = _ONE.fullmatch(header.strip()) if header else None
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, end = max(0, size - int(found[2])), size
    else:
        start, end = int(found[1]), min(size, int(found[2]) + 1) if found[2] else size
    if start >= size:
        raise RangeNotSatisfiable
    return ByteRange(start, end) if end > start else None
