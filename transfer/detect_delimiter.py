"""Which character separates the cells: the one that gives records of equal length outside quotes."""

import csv
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import Final

from domain.imports import Detected, DialectSpec
from domain.vocabulary import DetectionConfidence
from transfer.failures import FileFault
from transfer.read_csv import CsvShape, open_reader, split_lines

_CANDIDATES: Final = ",;\t|"
_RECORDS: Final = 200
_SEP_LINE: Final = re.compile(r"sep=(.)\r?\n|sep=(.)\r", re.IGNORECASE)
_NAMED: Final = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
_GIVEN: Final = DetectionConfidence.GIVEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Delimiter:
    """The delimiter as the reader takes it, as it is shown, and how many characters of a `sep=` line come first."""

    shape: CsvShape
    detected: Detected
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class _Score:
    agreeing: float
    width: int
    records: int
    shape: CsvShape


def detect_delimiter(head: str, spec: DialectSpec) -> Delimiter:
    """The delimiter of a text by its beginning (complete lines), or the one that was given.

    `, ` (two characters) stands for a delimiter that is followed by blanks.

    Raises:
        FileFault: The given delimiter, quote or escape is not a single character.
    """
    quote = _character(spec.quote, "quote", absent='"')
    escape = _character(spec.escape, "escape", absent=None)
    sep = _SEP_LINE.match(head)
    skipped = sep.end() if sep else 0
    if spec.delimiter is not None:
        named = _NAMED.get(spec.delimiter.lower(), spec.delimiter)
        padded = len(named) > 1 and not named[1:].strip(" ")
        delimiter = _character(named[0] if padded else named, "delimiter", absent=",")
        shape = CsvShape(delimiter=delimiter or ",", padded=padded, quote=quote, escape=escape)
        return Delimiter(shape=shape, detected=Detected(named, _GIVEN), skipped=skipped)
    if sep:
        shape = CsvShape(delimiter=sep.group(1) or sep.group(2), quote=quote, escape=escape)
        evidence = f"the first line says sep={shape.delimiter}"
        detected = Detected(shape.delimiter, DetectionConfidence.CERTAIN, evidence)
        return Delimiter(shape=shape, detected=detected, skipped=skipped)
    return _by_counts(head, quote, escape)


def _character(given: str | None, what: str, absent: str | None) -> str | None:
    if given is None:
        return absent
    if not given and what == "quote":
        return None
    if not given:
        return absent
    if len(given) > 1 or given in "\r\n":
        raise FileFault(f"The {what} must be one character.")
    return given


def _by_counts(head: str, quote: str | None, escape: str | None) -> Delimiter:
    shapes = [CsvShape(delimiter=candidate, quote=quote, escape=escape) for candidate in _CANDIDATES]
    scores = [score for shape in shapes if (score := _score(head, shape)).width > 1]
    if not scores:
        detected = Detected(",", DetectionConfidence.LIKELY, "no delimiter found: one column", tuple(_CANDIDATES[1:]))
        return Delimiter(shape=shapes[0], detected=detected)
    scores.sort(key=lambda score: (score.agreeing > 0.9, score.agreeing * min(score.width, 20)), reverse=True)  # noqa: PLR2004 - nine records in ten, twenty columns
    best = _with_padding(head, scores[0])
    return Delimiter(shape=best.shape, detected=_detected(best, scores[1:]))


def _detected(best: _Score, others: list[_Score]) -> Detected:
    certain = best.agreeing == 1 and best.records > 1 and all(other.agreeing < 1 for other in others)
    shown = best.shape.delimiter + (" " if best.shape.padded else "")
    return Detected(
        shown,
        DetectionConfidence.CERTAIN if certain else DetectionConfidence.LIKELY,
        f"{round(best.agreeing * 100)} % of the first {best.records} records have {best.width} cells",
        tuple(other.shape.delimiter for other in others),
    )


def _score(head: str, shape: CsvShape) -> _Score:
    widths = Counter(len(record) for record in _records(head, shape))
    if not widths:
        return _Score(0, 0, 0, shape)
    width, count = max(widths.items(), key=lambda item: (item[1] * min(item[0], 2), item[0]))
    total = widths.total()
    return _Score(count / total, width, total, shape)


def _records(head: str, shape: CsvShape) -> list[list[str]]:
    records = list[list[str]]()
    try:
        for record in islice(open_reader(split_lines(head), shape), _RECORDS):
            if record:
                records.append(record)
    except csv.Error:
        pass
    return records


def _with_padding(head: str, score: _Score) -> _Score:
    """`, "` after each delimiter: the quotes count only where the blank is skipped."""
    quote = score.shape.quote
    if quote is None or f"{score.shape.delimiter} {quote}" not in head:
        return score
    padded = CsvShape(delimiter=score.shape.delimiter, padded=True, quote=quote, escape=score.shape.escape)
    other = _score(head, padded)
    kept_quotes = any(
        cell.startswith(f" {quote}") and cell.endswith(quote)
        for record in _records(head, score.shape)
        for cell in record
    )
    better = other.agreeing > score.agreeing or (kept_quotes and other.agreeing == score.agreeing)
    return other if better else score
