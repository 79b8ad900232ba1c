"""From the uploaded bytes to UTF-8 text with CSV records: the one form that everything else reads."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from domain.imports import Detected
from domain.vocabulary import DetectionConfidence, ImportFormat
from transfer.detect_container import HEAD_BYTES, Container, container_of
from transfer.detect_encoding import detect_encoding, sha256_of, transcode
from transfer.failures import FileFault, TooLarge
from transfer.messages import ChildRequest
from transfer.read_csv import CsvShape

_TEXT: Final = "text"
_UTF8: Final = "utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Readable text. `shape` is given where the child wrote the CSV itself (workbooks, JSON).

    `begin` is the byte where the text begins (behind a BOM); `line_of_record` whether a record's number tells its line.
    """

    path: Path
    format: ImportFormat
    encoding: Detected
    bom: bool
    sha256: str
    begin: int = 0
    shape: CsvShape | None = None
    sheet: str | None = None
    sheets: tuple[str, ...] = ()


def prepare(request: ChildRequest) -> Prepared:
    """The file as text, written anew into the scratch directory where it is not readable as it is.

    Raises:
        FileFault: It holds no rows that could be read, or passes a limit.
    """
    path = Path(request.path)
    if path.stat().st_size > request.limits.max_bytes:
        raise TooLarge(f"The file is larger than {request.limits.max_bytes >> 20} MB.")
    digest = sha256_of(path)
    container = _container(path)
    if container is not Container.TEXT:
        raise FileFault("Packed files are not read yet.")
    return _text(path, digest, request)


def _container(path: Path) -> Container:
    with path.open("rb") as stream:
        return container_of(stream.read(HEAD_BYTES))


def _text(path: Path, digest: str, request: ChildRequest) -> Prepared:
    decided = request.decided.encoding.value if request.decided else None
    encoding = detect_encoding(path, decided or request.dialect.encoding, partial=request.partial)
    text, begin = path, encoding.bom_bytes
    if not encoding.is_utf8 or encoding.detected.confidence is DetectionConfidence.GIVEN:
        text, begin = Path(request.scratch) / _TEXT, 0
        transcode(path, encoding, text)
    return Prepared(
        path=text,
        format=ImportFormat.CSV,
        encoding=request.decided.encoding if request.decided else encoding.detected,
        bom=encoding.bom_bytes > 0,
        sha256=digest,
        begin=begin,
    )
