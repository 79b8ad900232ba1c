"""From the uploaded bytes to UTF-8 text with CSV records: the one form that everything else reads."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from domain.imports import Detected
from domain.vocabulary import DetectionConfidence, ImportFormat
from transfer.detect_container import HEAD_BYTES, Container, container_of
from transfer.detect_encoding import detect_encoding, is_valid_utf8, sha256_of, transcode
from transfer.failures import FileFault, TooLarge
from transfer.messages import ChildRequest
from transfer.read_csv import CsvShape
from transfer.read_json import JsonText, json_format, write_json_as_csv
from transfer.read_xlsx import write_sheet
from transfer.unpack import ZIP_ERRORS, is_workbook, unpack_gzip, unpack_zip

_UNPACKED: Final = "unpacked"
_TEXT: Final = "text"
_RECORDS: Final = "records.csv"
_OWN_SHAPE: Final = CsvShape()
_CERTAIN: Final = DetectionConfidence.CERTAIN
_HEAD_CHARACTERS: Final = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Readable text. `shape` is given where the child wrote the CSV itself (workbooks, JSON).

    `begin` is the byte where the text begins (behind a BOM).
    """

    path: Path
    format: ImportFormat
    encoding: Detected
    bom: bool = False
    sha256: str = ""
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
    return replace(_read(path, request, packed=False), sha256=sha256_of(path))


def _read(path: Path, request: ChildRequest, *, packed: bool) -> Prepared:
    with path.open("rb") as stream:
        container = container_of(stream.read(HEAD_BYTES))
    if container is Container.TEXT:
        return _text(path, request)
    if container is Container.ZIP and _holds_workbook(path):
        return _workbook(path, request)
    if packed:
        raise FileFault("The file is packed twice; unpack it once.")
    unpacked = Path(request.scratch) / _UNPACKED
    unpack = unpack_gzip if container is Container.GZIP else unpack_zip
    unpack(path, unpacked, request.limits.max_bytes)
    return _read(unpacked, request, packed=True)


def _holds_workbook(path: Path) -> bool:
    try:
        with ZipFile(path) as archive:
            return is_workbook(archive)
    except ZIP_ERRORS as error:
        raise FileFault("The ZIP archive or workbook is damaged.") from error


def _workbook(path: Path, request: ChildRequest) -> Prepared:
    _expect(request, ImportFormat.XLSX, ImportFormat.CSV)
    target = Path(request.scratch) / _RECORDS
    named = request.decided.sheet if request.decided else request.dialect.sheet
    written = write_sheet(path, named, target, request.limits.max_bytes)
    return Prepared(
        path=target,
        format=ImportFormat.XLSX,
        encoding=Detected("utf-8", _CERTAIN, "Excel workbook"),
        shape=_OWN_SHAPE,
        sheet=written.sheet,
        sheets=written.sheets,
    )


def _text(path: Path, request: ChildRequest) -> Prepared:
    decided = request.decided.encoding.value if request.decided else None
    encoding = detect_encoding(path, decided or request.dialect.encoding, partial=request.partial)
    detected = request.decided.encoding if request.decided else encoding.detected
    named = detected.confidence is DetectionConfidence.GIVEN
    text, begin = path, encoding.bom_bytes
    if not encoding.is_utf8 or (named and not is_valid_utf8(path)):
        text, begin = Path(request.scratch) / _TEXT, 0
        transcode(path, encoding, text)
    prepared = Prepared(
        path=text,
        format=ImportFormat.CSV,
        encoding=detected,
        bom=encoding.bom_bytes > 0,
        begin=begin,
    )
    kind = _json_format(prepared, request)
    return prepared if kind is None else _json(prepared, kind, request)


def _json_format(prepared: Prepared, request: ChildRequest) -> ImportFormat | None:
    with prepared.path.open("rb") as stream:
        stream.seek(prepared.begin)
        found = json_format(stream.read(_HEAD_CHARACTERS).decode(errors="ignore"))
    if request.format is ImportFormat.CSV:
        return None
    _expect(request, *((ImportFormat.CSV,) if found is None else (ImportFormat.JSON, ImportFormat.JSONL)))
    return found


def _json(prepared: Prepared, kind: ImportFormat, request: ChildRequest) -> Prepared:
    target = Path(request.scratch) / _RECORDS
    source = JsonText(path=prepared.path, kind=kind, partial=request.partial)
    write_json_as_csv(source, target, request.limits)
    return replace(prepared, path=target, format=kind, begin=0, shape=_OWN_SHAPE)


def _expect(request: ChildRequest, *found: ImportFormat) -> None:
    if request.format is not None and request.format not in found:
        raise FileFault(f"The file was said to be {request.format}, but it reads like {found[0]}.")
