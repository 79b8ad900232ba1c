"""What kind of file this is, by its first bytes: names and content types of uploads are not to be trusted."""

import re
from enum import StrEnum
from typing import Final

from transfer.failures import FileFault

HEAD_BYTES: Final = 4_096


class Container(StrEnum):
    """TEXT is CSV or JSON in some encoding; ZIP is an XLSX workbook or one packed file."""

    TEXT = "TEXT"
    ZIP = "ZIP"
    GZIP = "GZIP"


_FOREIGN: Final = (
    (b"%PDF-", "a PDF document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or locked Excel workbook; save it as .xlsx"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\x89PNG\r\n", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (b"BZh", "packed with bzip2; unpack it or use gzip"),
    (b"\xfd7zXZ\0", "packed with xz; unpack it or use gzip"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd; unpack it or use gzip"),
    (b"PAR1", "a Parquet file; save it as CSV"),
    (b"SQLite format 3\0", "a database"),
    (b"{\\rtf", "a text document (RTF); save it as CSV"),
)
_MARKUP: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|table|\?xml|script|svg)", re.IGNORECASE)


def container_of(head: bytes) -> Container:
    """The container that a file begins like.

    Raises:
        FileFault: The file is empty or of a kind that holds no rows; the message names it.
    """
    if not head:
        raise FileFault("The file is empty (0 bytes).")
    if head.startswith(b"PK\x03\x04"):
        return Container.ZIP
    if head.startswith(b"PK\x05\x06"):
        raise FileFault("The ZIP archive is empty.")
    if head.startswith(b"\x1f\x8b"):
        return Container.GZIP
    if _MARKUP.match(head):
        raise FileFault("The file is a web page or XML, not a table. Was a sign-in page saved instead of the export?")
    for magic, name in _FOREIGN:
        if head.startswith(magic) and (magic != b"MZ" or b"\0" in head):
            raise FileFault(f"The file is {name}.")
    return Container.TEXT
