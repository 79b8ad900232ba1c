"""What was measured, as rows of `JSON=file` and as the table of the documentation."""

import statistics
from collections.abc import Iterator, Mapping, Sequence

from bench.document import write_lines
from bench.imports.measured import Load, Run
from bench.rows import COPY, OURS, Row, compared, figures_of

MIB = 1 << 20


def against_copy(work: str, pairs: Sequence[tuple[Run, Load]]) -> Row:
    runs, loads = [run for run, _ in pairs], [loaded for _, loaded in pairs]
    counts, total = runs[0].result.tally, runs[0].result.total_rows or 0
    seconds = statistics.median(run.seconds for run in runs)
    reference = statistics.median(loaded.seconds for loaded in loads)
    figures = {
        "seconds": seconds,
        "rows a second": total // seconds,
        "cpu seconds": statistics.median(run.cpu + run.postgres_cpu for run in runs),
        "of it PostgreSQL": statistics.median(run.postgres_cpu for run in runs),
        "peak MiB": max(run.peak for run in runs) / MIB,
        "rows": total,
        "created": counts.created,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "skipped": counts.skipped,
        "failed": counts.failed,
        "reference seconds": reference,
        "reference cpu seconds": statistics.median(loaded.cpu for loaded in loads),
        "reference rows": loads[0].rows,
    }
    return compared(work, OURS, COPY, seconds / reference, figures)


def across(sizes: Sequence[int], works: Mapping[int, Row]) -> Iterator[Row]:
    """What a row costs, and the peak of memory, as files grow."""
    largest = sizes[-1]
    for smaller in sizes[:-1]:
        few, many = (figures_of(works[size]) for size in (smaller, largest))
        costs = {"microseconds a row": 1e6 * many["seconds"] / largest}
        costs["reference microseconds a row"] = 1e6 * few["seconds"] / smaller
        ratio = costs["microseconds a row"] / costs["reference microseconds a row"]
        yield compared(f"seconds a row, {largest:,} rows", OURS, f"{smaller:,} rows", ratio, costs)
        peaks = {"peak MiB": many["peak MiB"], "reference peak MiB": few["peak MiB"]}
        ratio = many["peak MiB"] / few["peak MiB"]
        yield compared(f"peak memory, {largest:,} rows", OURS, f"{smaller:,} rows", ratio, peaks)


def write_table(found: Sequence[Row]) -> None:
    """In the documentation."""
    write_lines("bench-import", table(found))


def table(found: Sequence[Row]) -> Iterator[str]:
    yield "| work | by | times psql \\copy | seconds | rows a second | CPU seconds | of it PostgreSQL | peak MiB |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in found:
        if row["reference"] == COPY:
            figures = figures_of(row)
            yield (
                f"| {row['work']} | {row['subject']} | {row['ratio']:.2f} | {figures['seconds']:,} "
                f"| {figures['rows a second']:,.0f} | {figures['cpu seconds']:,} | {figures['of it PostgreSQL']:,} "
                f"| {figures['peak MiB']:,.0f} |"
            )
    yield ""
    for row in found:
        if row["reference"] != COPY:
            yield f"- {row['work']}: {row['ratio']:.2f} times {row['reference']}."
