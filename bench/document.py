"""The page that shows what the benchmarks measured."""

from collections.abc import Iterable
from pathlib import Path

_PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def write_lines(name: str, lines: Iterable[str]) -> None:
    """Between the markers of this benchmark; what stands around them stays."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    head, _, rest = _PAGE.read_text().partition(begin)
    _PAGE.write_text(f"{head}{begin}\n" + "\n".join(lines) + f"\n{end}{rest.partition(end)[2]}")
