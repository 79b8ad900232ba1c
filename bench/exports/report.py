"""What was measured, as rows of `JSON=file` and as the table of the documentation."""

import statistics
from collections.abc import Iterator, Sequence

from bench.document import write_lines
from bench.rows import COPY, OURS, Figures, Row, compared, figures_of


def against_copy(work: str, subject: str, pairs: Sequence[tuple[Figures, Figures]]) -> Row:
    """The medians of runs that each had a psql beside them; of memory the most."""
    figures = {name: statistics.median(run[name] for run, _ in pairs) for name in pairs[0][0]}
    figures["MiB over idle"] = max(run["MiB over idle"] for run, _ in pairs)
    reference = statistics.median(psql["seconds"] for _, psql in pairs)
    ratio = figures["seconds"] / reference
    return compared(work, subject, COPY, ratio, {**figures, "reference seconds": reference})


def beside(row: Row, other: Row, name: str) -> Row:
    """One row's time in units of another's."""
    seconds, reference = figures_of(row)["seconds"], figures_of(other)["seconds"]
    figures = {"seconds": seconds, "reference seconds": reference}
    return compared(str(row["work"]), OURS, name, seconds / reference, figures)


def write_table(found: Sequence[Row]) -> None:
    """In the documentation."""
    write_lines("bench-export", table(found))


def table(found: Sequence[Row]) -> Iterator[str]:
    yield "| work | by | times psql \\copy | seconds | MB | MiB over idle |"
    yield "|---|---|---|---|---|---|"
    for row in found:
        if row["reference"] == COPY:
            figures = figures_of(row)
            yield (
                f"| {row['work']} | {row['subject']} | {row['ratio']:.2f} | {figures['seconds']:,} "
                f"| {figures['MB']:,.0f} | {figures['MiB over idle']:,.0f} |"
            )
    yield ""
    for row in found:
        if row["reference"] != COPY:
            yield f"- {row['work']}: {row['ratio']:.2f} times {row['reference']}."
