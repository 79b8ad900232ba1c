"""In which order numeric dates are written, and which decimal mark amounts have: whole columns decide."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.imports import Detected
from domain.vocabulary import DateOrder, DetectionConfidence
from transfer.cells import bare
from transfer.validate_dates import NUMERIC

_MONTHS: Final = 12
_YEAR_DIGITS: Final = 4
_CERTAIN: Final = DetectionConfidence.CERTAIN
NO_DATES: Final = Detected(DateOrder.YMD, _CERTAIN, "no date is written with day and month as bare numbers")
NO_AMOUNTS: Final = Detected(".", _CERTAIN, "no amount has a decimal mark")
_THREE: Final = re.compile(r"\D*[1-9]\d{0,2}([.,])\d{3}[^\d,.]*")
"""Thousands or three decimals."""
_LAST_MARK: Final = re.compile(r"[.,](?=\d*[^\d.,]*$)")


@dataclass(slots=True)
class DateEvidence:
    """What the numeric dates of columns say. Feed all cells; `settled` as soon as one date can be read only one way."""

    day_first: int = 0
    month_first: int = 0
    either: int = 0
    example: dict[DateOrder, str] = field(default_factory=dict[DateOrder, str])

    def look(self, cells: Iterable[str]) -> None:
        """Takes the cells of a column into account."""
        for cell in cells:
            match = NUMERIC.fullmatch(bare(cell))
            if match is None or len(match["a"]) == _YEAR_DIGITS:
                continue
            first, second = int(match["a"]), int(match["b"])
            if first > _MONTHS or match["s"] == ".":
                self.day_first += 1
                self.example.setdefault(DateOrder.DMY, bare(cell))
            elif second > _MONTHS:
                self.month_first += 1
                self.example.setdefault(DateOrder.MDY, bare(cell))
            elif first != second:
                self.either += 1

    @property
    def settled(self) -> bool:
        """Whether more cells would change nothing."""
        return self.day_first + self.month_first > 0

    def detected(self) -> Detected:
        """The order; AMBIGUOUS where every date could be read both ways."""
        order = DateOrder.DMY if self.day_first >= self.month_first else DateOrder.MDY
        other = DateOrder.MDY if order is DateOrder.DMY else DateOrder.DMY
        if self.settled:
            mixed = self.day_first and self.month_first
            confidence = DetectionConfidence.LIKELY if mixed else _CERTAIN
            return Detected(order, confidence, f"{self.example[order]} can be nothing else", (other,) if mixed else ())
        if self.either:
            evidence = f"in all {self.either:,} dates day and month are 12 or less"
            return Detected(order, DetectionConfidence.AMBIGUOUS, evidence, (DateOrder.DMY, DateOrder.MDY))
        return NO_DATES


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
