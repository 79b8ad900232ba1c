"""JSON Lines and JSON (RFC 8259) around the objects that COPY writes, one a line."""

import json
from collections.abc import Sequence

from domain.copy_forms import json_name


class JsonLinesWriter:
    """One object a line. `keys` are the objects' keys in column order. `rows` counts the objects so far."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._long = [
            (f'"\\u0002{position}":'.encode(), json.dumps(key, ensure_ascii=False).encode() + b":")
            for position, key in enumerate(keys)
            if json_name(key, position) != key
        ]
        self._rest: bytes = b""
        self.rows = 0

    def start(self) -> bytes:
        """The file's beginning."""
        return b""

    def feed(self, data: bytes) -> bytes:
        """The objects that are complete. A quote inside a value is escaped, so that a stand-in is always a key."""
        data = self._rest + data
        cut = data.rfind(b"\n") + 1
        self._rest = data[cut:]
        complete = data[:cut]
        self.rows += complete.count(b"\n")
        for stand_in_key, key in self._long:
            complete = complete.replace(stand_in_key, key)
        return complete

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
        """The objects that are complete, each but the first after a comma."""
        lines = super().feed(data).removesuffix(b"\n")
        if not lines:
            return b""
        separator = b",\n" if self._begun else b""
        self._begun = True
        return separator + lines.replace(b"\n", b",\n")

    def finish(self) -> bytes:
        """The file's end."""
        return b"\n]\n" if self._begun else b"]\n"
