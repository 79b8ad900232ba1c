"""Packed files: gzip, and ZIP archives of one file. What counts is the bytes that really come out."""

import gzip
import zlib
from pathlib import Path
from typing import IO, Final, Protocol
from zipfile import BadZipFile, LargeZipFile, ZipFile, ZipInfo

from transfer.failures import FileFault, TooLarge, UnsafeFile, damaged

_CHUNK_BYTES: Final = 1 << 20
_MAX_ENTRIES: Final = 10_000
_BOMB_RATIO: Final = 100
"""Tables rarely shrink more than this; what does and passes the limit is meant to harm."""
_ENCRYPTED: Final = 0x1
_DOCUMENTS: Final = {
    "xl/workbook.bin": "a binary Excel workbook (.xlsb); save it as .xlsx",
    "content.xml": "an OpenDocument spreadsheet or text; save it as .xlsx or CSV",
    "index/document.iwa": "a Numbers or Pages document; export it as Excel or CSV",
    "word/document.xml": "a Word document; save its table as .xlsx or CSV",
}
"""What a ZIP archive with such a part is."""
ZIP_ERRORS: Final = (
    BadZipFile,
    LargeZipFile,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    zlib.error,
    OSError,
)


def is_workbook(archive: ZipFile) -> bool:
    """Whether a ZIP archive is an Excel workbook."""
    return any(name.casefold() == "xl/workbook.xml" for name in archive.namelist())


def unpack_gzip(source: Path, target: Path, limit: int) -> None:
    """Writes what a gzip file holds.

    Raises:
        FileFault: It is damaged, or holds more than `limit` bytes.
    """
    try:
        with gzip.open(source, "rb") as packed, target.open("wb") as out:
            _copy(packed, out, limit, source.stat().st_size)
    except (EOFError, zlib.error, OSError) as error:
        raise damaged(error, "The gzip file is damaged or incomplete.") from error


def unpack_zip(source: Path, target: Path, limit: int) -> None:
    """Writes the only file of a ZIP archive; folders and what macOS adds do not count.

    Raises:
        FileFault: It is damaged, locked or a document, holds no or several files, or more than `limit` bytes.
    """
    try:
        with ZipFile(source) as archive:
            entry = _only_file(archive)
            with archive.open(entry) as packed, target.open("wb") as out:
                _copy(packed, out, limit, entry.compress_size)
    except ZIP_ERRORS as error:
        raise damaged(error, "The ZIP archive is damaged.") from error


def _only_file(archive: ZipFile) -> ZipInfo:
    entries = archive.infolist()
    if len(entries) > _MAX_ENTRIES:
        raise UnsafeFile(f"The ZIP archive holds more than {_MAX_ENTRIES:,} entries.")
    parts = {entry.filename.casefold() for entry in entries}
    kinds = [kind for part, kind in _DOCUMENTS.items() if part in parts]
    if kinds and len(parts) > 1:
        raise FileFault(f"The file is {kinds[0]}.")
    files = [entry for entry in entries if not entry.filename.endswith("/") and not _is_clutter(entry.filename)]
    if len(files) != 1:
        raise FileFault(f"The ZIP archive holds {len(files)} files; it must hold one.")
    if files[0].flag_bits & _ENCRYPTED:
        raise FileFault("The ZIP archive is locked with a password.")
    return files[0]


def _is_clutter(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rpartition("/")[2] in (".DS_Store", "Thumbs.db")


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _copy(packed: _Readable, out: IO[bytes], limit: int, packed_bytes: int) -> None:
    size = 0
    while data := packed.read(_CHUNK_BYTES):
        size += len(data)
        if size > limit:
            kind = UnsafeFile if size > packed_bytes * _BOMB_RATIO else TooLarge
            raise kind(f"The file unpacks to more than {limit >> 20} MB.")
        out.write(data)
