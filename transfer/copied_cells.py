"""COPY's output as writers take it apart: texts stand in quotes of their own (QUOTE), everything else stands bare.

A piece of whole rows is split at the quotes into structure and texts by turns. Both are then rewritten as one long
string each, so that Python's work does not grow with the number of cells' characters but with that of replacements.
"""

from typing import Final

from domain.copy_forms import DELIMITER, QUOTE

Q: Final = QUOTE.encode()
D: Final = DELIMITER.encode()
QUOTE_INSIDE: Final = b"\0"
"""Stands in a text for QUOTE itself: PostgreSQL's texts hold no NUL."""


def take_apart(data: bytes) -> tuple[bytes, list[bytes]]:
    """The structure, with QUOTE in the place of each text, and the texts in order.

    Raises ValueError where the piece does not end with a row.
    """
    segments = data.split(Q)
    if len(segments) % 2 == 0 or segments[-1][-1:] != b"\n":
        raise ValueError("COPY's output was cut within a row")
    if b"" in segments[2:-1:2]:
        segments = _with_quotes_inside(segments)
    return Q.join(segments[0::2]), segments[1::2]


def put_together(structure: bytes, texts: list[bytes]) -> bytes:
    """The structure with its texts in their places."""
    between = structure.split(Q)
    pieces = [b""] * (len(between) + len(texts))
    pieces[0::2] = between
    pieces[1::2] = texts
    return b"".join(pieces)


def fill_blanks(structure: bytes, filling: bytes) -> bytes:
    """The structure between two line breaks, with something in each empty cell."""
    text = b"\n" + structure
    for _ in range(2):  # neighbours share a delimiter
        text = text.replace(D + D, D + filling + D)
    text = text.replace(b"\n" + D, b"\n" + filling + D).replace(D + b"\n", D + filling + b"\n")
    for _ in range(2):
        text = text.replace(b"\n\n", b"\n" + filling + b"\n")
    return text


def _with_quotes_inside(segments: list[bytes]) -> list[bytes]:
    """The segments where a value holds QUOTE, which COPY doubles: no structure between two texts means that."""
    merged = segments[:2]
    for structure, text in zip(segments[2:-1:2], segments[3::2], strict=True):
        if structure:
            merged += [structure, text]
        else:
            merged[-1] += QUOTE_INSIDE + text
    return [*merged, segments[-1]]
