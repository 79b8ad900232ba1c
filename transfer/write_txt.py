"""Plain text for reading: one block a lead, a blank line between, `Label: value` on each line.

COPY writes each block as one value that ends in a line break, in quotes of its own (QUOTE), so that taking the quotes
out is all that is left to do.
"""

from typing import Final

from domain.copy_forms import QUOTE

_QUOTE: Final = QUOTE.encode()
_END: Final = b"\n" + _QUOTE + b"\n"


class TextWriter:
    """Turns COPY's output, in any pieces, into the file. `rows` counts the blocks so far."""

    def __init__(self) -> None:
        self._rest: bytes = b""
        self.rows = 0

    def start(self) -> bytes:
        """Nothing: a text has no header."""
        return b""

    def feed(self, data: bytes) -> bytes:
        """The blocks that are complete."""
        data = self._rest + data
        cut = data.rfind(_END) + len(_END)
        if cut < len(_END):
            cut = 0
        self._rest = data[cut:]
        complete = data[:cut]
        self.rows += complete.count(_END)
        return complete.replace(_QUOTE, b"")

    def finish(self) -> bytes:
        """Nothing: the last block has its end already."""
        return b""
