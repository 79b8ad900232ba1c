"""The pages that show what the benchmarks measured."""

from collections.abc import Iterable
from pathlib import Path

_DOCS = Path(__file__).resolve().parents[1] / "docs"


def write_lines(name: str, lines: Iterable[str], page: str = "benchmarks.md") -> None:
    """Between the markers of this benchmark; what stands around them stays."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    head, _, rest = (_DOCS / page).read_text().partition(begin)
    (_DOCS / page).write_text(f"{head}{begin}\n" + "\n".join(lines) + f"\n{end}{rest.partition(end)[2]}")
