"""What the database's COPY and the writers of files agree on: separators, quotes, marks that no value is taken for.

COPY doubles its quote inside values, and control characters are quoted wherever they could be misread.
"""

from typing import Final

RECORD_MARK: Final = "\r"
"""CSV: the value of one more column at each row's end."""
QUOTE: Final = "\x01"
"""XLSX and text: stands around texts, and around nothing else."""
DELIMITER: Final = "\x02"
"""XLSX: stands between cells."""
LIST_SEPARATOR: Final = "\x1f"
"""Parquet: stands between the items of a list."""
LONGEST_NAME: Final = 63
"""PostgreSQL cuts names of columns after so many bytes; longer keys of JSON objects travel under a stand-in."""


def json_name(key: str, position: int) -> str:
    """The name under which COPY is asked for the column at a position that JSON objects call `key`."""
    return key if len(key.encode()) <= LONGEST_NAME else f"\x02{position}"
