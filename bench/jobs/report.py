"""The table of the measured rows, in the documentation."""

from collections.abc import Iterator, Sequence

from bench.document import write_lines
from bench.rows import Row, figures_of


def write_table(found: Sequence[Row]) -> None:
    """In the documentation."""
    write_lines("bench-jobs", table(found))


def table(found: Sequence[Row]) -> Iterator[str]:
    yield "| work | measured | compared |"
    yield "|---|---|---|"
    for row in found:
        shown = ", ".join(f"{name} {value:,.4g}" for name, value in figures_of(row).items())
        compared = "" if row["ratio"] is None else f"{row['ratio']:.2f} times {row['reference']}"
        yield f"| {row['work']} | {shown} | {compared} |"
