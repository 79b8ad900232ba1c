"""In which order numeric dates are written, and which decimal mark amounts have: whole columns decide."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.imports import Detected
from domain.vocabulary import DateOrder, DetectionConfidence
from transfer.cells import bare
from transfer.validate_dates import NUMERIC

_MONTHS: Final = 12
_DAYS: Final = 31
_YEAR_DIGITS: Final = 4
_CERTAIN: Final = DetectionConfidence.CERTAIN
_PREFERRED: Final = (DateOrder.DMY, DateOrder.MDY, DateOrder.YMD)
NO_DATES: Final = Detected(DateOrder.YMD, _CERTAIN, "no date is written with day and month as bare numbers")
NO_AMOUNTS: Final = Detected(".", _CERTAIN, "no amount has a decimal mark")
_THREE: Final = re.compile(r"\D*[1-9]\d{0,2}([.,])\d{3}[^\d,.]*")
"""Thousands or three decimals."""
_LAST_MARK: Final = re.compile(r"[.,](?=\d*[^\d.,]*$)")


@dataclass(slots=True)
class DateEvidence:
    """What the numeric dates of columns say. Feed all cells; `settled` as soon as one date can be read only one way."""

    only: Counter[DateOrder] = field(default_factory=Counter[DateOrder])
    either: int = 0
    example: dict[DateOrder, str] = field(default_factory=dict[DateOrder, str])
    year_or_day: str | None = None
    """A date that may begin with the one or the other: 24-01-15."""

    def look(self, cells: Iterable[str]) -> None:
        """Takes the cells of a column into account."""
        for cell in cells:
            match = NUMERIC.fullmatch(bare(cell))
            if match is None or len(match["a"]) == _YEAR_DIGITS:
                continue
            order = _only_order(match)
            if order is not None:
                self.only[order] += 1
                self.example.setdefault(order, bare(cell))
            elif int(match["a"]) != int(match["b"]):
                self.either += 1
                if int(match["a"]) > _MONTHS:
                    self.year_or_day = bare(cell)

    @property
    def settled(self) -> bool:
        """Whether more cells would change nothing."""
        return bool(self.only)

    def detected(self) -> Detected:
        """The order; AMBIGUOUS where every date could be read in several ways."""
        if self.settled:
            order, *others = sorted(self.only, key=lambda one: (-self.only[one], _PREFERRED.index(one)))
            confidence = DetectionConfidence.LIKELY if others else _CERTAIN
            return Detected(order, confidence, f"{self.example[order]} can be nothing else", tuple(others))
        if not self.either:
            return NO_DATES
        if self.year_or_day is not None:
            evidence = f"{self.year_or_day} may begin with the day or the year, and none of {self.either:,} dates tells"
            return Detected(DateOrder.DMY, DetectionConfidence.AMBIGUOUS, evidence, _PREFERRED)
        evidence = f"in all {self.either:,} dates day and month are 12 or less"
        return Detected(DateOrder.DMY, DetectionConfidence.AMBIGUOUS, evidence, _PREFERRED[:2])


def _only_order(match: re.Match[str]) -> DateOrder | None:
    """The order of a date that can be read in one way alone. A dashed one with two digits may begin with its year."""
    first, second, last = int(match["a"]), int(match["b"]), int(match["c"])
    if match["s"] == ".":
        return DateOrder.DMY
    if first > _DAYS:
        return DateOrder.YMD
    if first > _MONTHS:
        short = match["s"] == "-" and len(match["c"]) < _YEAR_DIGITS
        return None if short and last <= _DAYS else DateOrder.DMY
    return DateOrder.MDY if second > _MONTHS else None


@dataclass(slots=True)
class DecimalEvidence:
    """What amounts say of the decimal mark. `dotted`: a program wrote them, to which a dot is always one."""

    dotted: bool = False
    comma: int = 0
    dot: int = 0
    either: int = 0

    def look(self, cells: Iterable[str]) -> None:
        """Takes the cells of a column into account."""
        for cell in cells:
            text = bare(cell)
            if "," not in text and "." not in text:
                continue
            three = _THREE.fullmatch(text)
            if three is not None and not (self.dotted and three[1] == "."):
                self.either += 1
            elif (match := _LAST_MARK.search(text)) is not None and text.count(match.group()) == 1:
                self.comma += match.group() == ","
                self.dot += match.group() == "."
            else:
                self._grouped(text)

    def _grouped(self, text: str) -> None:
        """`1.234.567` or `1,234,567`: the mark that repeats is no decimal mark."""
        self.comma += text.count(".") > 1
        self.dot += text.count(",") > 1

    @property
    def settled(self) -> bool:
        """Whether more cells would change nothing."""
        return self.comma + self.dot > 0

    def detected(self) -> Detected:
        """The mark; AMBIGUOUS where every amount reads like `1,234` or `1.234`."""
        mark, other = (",", ".") if self.comma > self.dot else (".", ",")
        if self.settled:
            mixed = bool(self.comma and self.dot)
            confidence = DetectionConfidence.LIKELY if mixed else _CERTAIN
            return Detected(mark, confidence, f"{max(self.comma, self.dot):,} amounts", (other,) if mixed else ())
        if self.either:
            evidence = f"all {self.either:,} amounts with a dot or comma read like 1,234"
            return Detected(".", DetectionConfidence.AMBIGUOUS, evidence, (".", ","))
        return NO_AMOUNTS


def samples_of(cells: Sequence[str], count: int = 3, longest: int = 100) -> tuple[str, ...]:
    """The first different values of a column that are not blank."""
    seen = dict.fromkeys(text[:longest] for cell in cells if (text := cell.strip()))
    return tuple(seen)[:count]
