"""In which encoding a text file is written, from all of its bytes, and its bytes as UTF-8."""

import codecs
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from domain.imports import Detected
from domain.vocabulary import DetectionConfidence
from transfer.failures import FileFault
from transfer.read_csv import UNDECODABLE

_CHUNK_BYTES: Final = 1 << 20
_HEAD_BYTES: Final = 1 << 16
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FALLBACK: Final = "windows-1252"
_CERTAIN: Final = DetectionConfidence.CERTAIN
_CONTROLS: Final = bytes(byte for byte in (*range(0x20), 0x7F) if byte not in b"\t\n\r\f\x1a\x1b")
_BINARY_SHARE: Final = 0.1
_UTF16_SHARE: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How bytes become text. `python` is the codec's name; `bom_bytes` come before the text."""

    detected: Detected
    python: str
    bom_bytes: int = 0

    @property
    def is_utf8(self) -> bool:
        """Whether the file can be read as it is."""
        return self.python == "utf-8"


@dataclass(frozen=True, slots=True)
class _BadByte:
    offset: int
    line: int


def detect_encoding(path: Path, named: str | None, *, partial: bool = False) -> Encoding:
    """The encoding that was named, or that of a BOM, or UTF-8 where every byte of the file is, or windows-1252.

    A file named UTF-8 that is not keeps its name: each damaged row is reported. `partial`: the file may end inside
    a character.

    Raises:
        FileFault: The name is no encoding, or the bytes are no text.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
        bom = next(((mark, name) for mark, name in _BOMS if head.startswith(mark)), None)
        if named is not None:
            return _named(named, head, bom)
        if bom is not None:
            return _by_bom(*bom)
        guess = _utf16_by_zeros(head)
        if guess is not None:
            return guess
        refuse_binary(head)
        stream.seek(0)
        return _by_content(stream, partial=partial)


def refuse_binary(head: bytes) -> None:
    """Raises FileFault where the first bytes are no text of any kind."""
    if head and len(head) - len(head.translate(None, _CONTROLS)) > _BINARY_SHARE * len(head):
        raise FileFault("The file holds no text: it is a program, an image or damaged.")


def _named(named: str, head: bytes, bom: tuple[bytes, str] | None) -> Encoding:
    try:
        python = codecs.lookup(named).name
    except (LookupError, ValueError) as error:
        raise FileFault(f"There is no text encoding called {named[:40]}.") from error
    if not codecs.lookup(python)._is_text_encoding:  # noqa: SLF001 - how CPython itself tells text encodings apart
        raise FileFault(f"{named[:40]} is no text encoding.")
    plain = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(python, python)
    evidence = None
    bom_bytes = 0
    if bom is not None and (bom[1] == plain or python in ("utf-16", "utf-32")):
        plain, bom_bytes, evidence = bom[1], len(bom[0]), "and a byte order mark"
    else:
        refuse_binary(head.replace(b"\0", b"") if plain.startswith(("utf-16", "utf-32")) else head)
    return Encoding(
        detected=Detected(named.lower(), DetectionConfidence.GIVEN, evidence), python=plain, bom_bytes=bom_bytes
    )


def _by_bom(mark: bytes, name: str) -> Encoding:
    return Encoding(
        detected=Detected(name, _CERTAIN, f"byte order mark {mark.hex(' ')}"), python=name, bom_bytes=len(mark)
    )


def _utf16_by_zeros(head: bytes) -> Encoding | None:
    """UTF-16 without a mark: every other byte of mostly Latin text is zero."""
    for name, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        zeros, others = head[first::2], head[1 - first :: 2]
        if zeros and zeros.count(0) > _UTF16_SHARE * len(zeros) and others.count(0) < len(others) // 50 + 1:
            evidence = "every other byte is zero"
            return Encoding(detected=Detected(name, DetectionConfidence.LIKELY, evidence), python=name)
    return None


def _by_content(stream: BinaryIO, *, partial: bool) -> Encoding:
    bad = _first_bad_byte(stream, partial=partial)
    if bad is None:
        evidence = "the part that was read is valid UTF-8" if partial else "every byte is valid UTF-8"
        confidence = DetectionConfidence.LIKELY if partial else _CERTAIN
        return Encoding(detected=Detected("utf-8", confidence, evidence), python="utf-8")
    evidence = f"byte {bad.offset:,} (line {bad.line:,}) is not UTF-8"
    detected = Detected(_FALLBACK, DetectionConfidence.LIKELY, evidence, ("windows-1255", "iso-8859-15", "utf-8"))
    return Encoding(detected=detected, python="cp1252")


def _first_bad_byte(stream: BinaryIO, *, partial: bool) -> _BadByte | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset, lines, kept = 0, 1, b""
    while data := stream.read(_CHUNK_BYTES):
        try:
            decoder.decode(data)
        except UnicodeDecodeError as error:
            seen = (kept + data)[: error.start]
            return _BadByte(offset - len(kept) + error.start, lines + seen.count(b"\n"))
        kept = decoder.getstate()[0]
        offset += len(data)
        lines += data.count(b"\n")
    if kept and not partial:
        return _BadByte(offset - len(kept), lines)
    return None


def transcode(source: Path, encoding: Encoding, target: Path) -> None:
    """Writes the text as UTF-8 without BOM; bytes that are none in the encoding become UNDECODABLE."""
    decoder = codecs.getincrementaldecoder(encoding.python)(errors=_MARKING)
    with source.open("rb") as stream, target.open("wb") as out:
        stream.seek(encoding.bom_bytes)
        while data := stream.read(_CHUNK_BYTES):
            out.write(decoder.decode(data).encode("utf-8", "replace"))
        out.write(decoder.decode(b"", final=True).encode("utf-8", "replace"))


def is_valid_utf8(path: Path) -> bool:
    """Whether every byte of the file is UTF-8."""
    with path.open("rb") as stream:
        return _first_bad_byte(stream, partial=False) is None


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _mark_bad(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError):
        return UNDECODABLE, error.end
    raise error


_MARKING: Final = "leadport.mark"
codecs.register_error(_MARKING, _mark_bad)
