"""What the database's COPY and the writers of files agree on: separators, quotes, marks that no value is taken for.

COPY doubles its quote inside values, and control characters are quoted wherever they could be misread.
"""

from typing import Final

RECORD_MARK: Final = "\r"
"""CSV: the value of one more column at each row's end."""
QUOTE: Final = "\x01"
"""XLSX, JSON and text: stands around texts, and around nothing else."""
DELIMITER: Final = "\x02"
"""XLSX and JSON: stands between cells."""
LIST_SEPARATOR: Final = "\x1f"
"""Parquet: stands between the items of a list."""
