"""The table of the measured rows, in the documentation."""

from collections.abc import Iterator, Sequence
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- bench-jobs -->", "<!-- /bench-jobs -->"

Row = dict[str, object]


def write_table(found: Sequence[Row]) -> None:
    """Between its markers; what stands around them stays."""
    head, _, rest = DOCUMENT.read_text().partition(BEGIN)
    DOCUMENT.write_text(f"{head}{BEGIN}\n" + "\n".join(table(found)) + f"\n{END}{rest.partition(END)[2]}")


def table(found: Sequence[Row]) -> Iterator[str]:
    yield "| work | measured | compared |"
    yield "|---|---|---|"
    for row in found:
        figures = row["figures"]
        assert isinstance(figures, dict)
        shown = ", ".join(f"{name} {value:,.4g}" for name, value in figures.items())
        compared = "" if row["ratio"] is None else f"{row['ratio']:.2f} times {row['reference']}"
        yield f"| {row['work']} | {shown} | {compared} |"
