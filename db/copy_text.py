r"""Values in PostgreSQL's COPY text format: tab between columns, a line break after a row, `\N` for null."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

__all__ = ["NULL", "array_literal", "cell", "cells", "read_cell"]

NULL: Final = b"\\N"
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_MEANINGS: Final = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}


def cell(value: str | None) -> bytes:
    """A text as one column."""
    return NULL if value is None else value.translate(_ESCAPES).encode()


def cells(line: bytes) -> list[bytes]:
    """The columns of a line, still escaped."""
    return line.rstrip(b"\n").split(b"\t")


def read_cell(column: bytes) -> str | None:
    """What `cell` was given."""
    if column == NULL:
        return None
    text = column.decode()
    return _ESCAPED.sub(_meaning, text) if "\\" in text else text


def array_literal(values: Iterable[str] | Sequence[str]) -> str:
    """A text[] as PostgreSQL reads it from text."""
    quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in quoted) + "}"


def _meaning(found: re.Match[str]) -> str:
    return _MEANINGS.get(found[1], found[1])
