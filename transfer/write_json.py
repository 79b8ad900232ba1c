"""JSON Lines and JSON (RFC 8259) from COPY's cells: texts in quotes, everything else bare and valid JSON already."""

import json
import re
from collections.abc import Sequence
from typing import Final

from transfer.copied_cells import QUOTE_INSIDE, D, Q, fill_blanks, put_together, take_apart

_CONTROL: Final = re.compile(rb"[\x00-\x1f]")
_QUOTED: Final = b'"' + Q + b'"'


class JsonLinesWriter:
    """Turns COPY's output, in pieces of whole rows, into one object a line. `rows` counts the objects so far."""

    def __init__(self, keys: Sequence[str]) -> None:
        quoted = [json.dumps(key, ensure_ascii=False).encode() + b":" for key in keys]
        self._prefixes = [b"}\n{" + quoted[0], *(b"," + key for key in quoted[1:])]
        self.rows = 0

    def start(self) -> bytes:
        """The file's beginning."""
        return b""

    def feed(self, data: bytes) -> bytes:
        """More objects."""
        structure, texts = take_apart(data)
        filled = fill_blanks(structure, b"null")[1:-1].replace(b"\n", D).replace(Q, _QUOTED)
        cells = put_together(filled, _escaped(texts)).split(D)
        width = len(self._prefixes)
        rows = len(cells) // width
        pieces = [b""] * (2 * len(cells))
        for place, prefix in enumerate(self._prefixes):
            pieces[2 * place :: 2 * width] = [prefix] * rows
            pieces[2 * place + 1 :: 2 * width] = cells[place::width]
        self.rows += rows
        return b"".join(pieces)[2:] + b"}\n"

    def finish(self) -> bytes:
        """The file's end."""
        return b""


class JsonWriter(JsonLinesWriter):
    """One array of the objects."""

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(keys)
        self._begun = False

    def start(self) -> bytes:
        """The file's beginning."""
        return b"[\n"

    def feed(self, data: bytes) -> bytes:
        """More objects, each but the first after a comma; no line break is left inside an object."""
        separator = b",\n" if self._begun else b""
        self._begun = True
        return separator + super().feed(data)[:-1].replace(b"\n", b",\n")

    def finish(self) -> bytes:
        """The file's end."""
        return b"\n]\n" if self._begun else b"]\n"


def _escaped(texts: list[bytes]) -> list[bytes]:
    if not texts:
        return texts
    content = Q.join(texts).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    content = content.replace(b"\n", b"\\n").replace(b"\r", b"\\r").replace(b"\t", b"\\t")
    return _CONTROL.sub(_escape, content).split(Q) if _CONTROL.search(content.replace(Q, b"")) else content.split(Q)


def _escape(match: re.Match[bytes]) -> bytes:
    if match.group() == Q:
        return Q
    code = Q if match.group() == QUOTE_INSIDE else match.group()
    return b"\\u%04x" % code[0]
