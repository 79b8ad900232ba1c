r"""`make bench-import`: imports by a worker beside psql's \copy of the resulting rows into the same table."""

import argparse
import json
from pathlib import Path

import uvloop

from bench.imports.leads import write, write_known
from bench.imports.measured import Run, clone, dump, load, run_import
from bench.jobs.place import Place, actors, administer, place, runtime_of
from domain.actors import Actor
from domain.imports import ImportOptions
from domain.vocabulary import LeadFieldKey, MatchKey, MergeStrategy

Row = dict[str, object]
REFERENCE = "psql \\copy"
BASE = "bench_known"
MIB = 1 << 20
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- bench-import -->", "<!-- /bench-import -->"


def options_of(strategy: MergeStrategy) -> ImportOptions:
    return ImportOptions(
        merge_strategy=strategy,
        match_on=(MatchKey.PHONE,),
        required=(LeadFieldKey.NAME, LeadFieldKey.PHONE, LeadFieldKey.SOURCE),
    )


async def prepare(where: Place, count: int) -> tuple[Place, Actor]:
    """A database with the leads that a tenth of the rows collide with."""
    base = clone(where, "bench", BASE)
    known = where.folder / "known.csv"
    write_known(known, count)
    async with runtime_of(*base.addresses[:2], base.folder) as runtime:
        [actor] = await actors(runtime, 1, "bench")
    await run_import(base, actor, known, options_of(MergeStrategy.SKIP))
    administer(base.dsn, "vacuum analyze")
    administer(base.dsn, "checkpoint")
    return base, actor


async def compare(where: Place, actor: Actor, path: Path, count: int, strategy: MergeStrategy) -> Row:
    imported = clone(where, BASE, "bench_import")
    run = await run_import(imported, actor, path, options_of(strategy))
    assert run.job.failure is None, run.job.failure
    dumped = where.folder / "dumped.txt"
    rows = dump(imported, run.job, dumped)
    copied = clone(where, BASE, "bench_copy")
    seconds = load(copied, dumped)
    return report(f"{count:,} rows {strategy}", run, rows, seconds)


def report(work: str, run: Run, rows: int, seconds: float) -> Row:
    counts = run.result.counts
    figures = {
        "seconds": round(run.seconds, 2),
        "cpu seconds": round(run.cpu, 2),
        "peak MiB": round(run.peak / MIB, 1),
        "rows a second": round((run.result.total_rows or 0) / run.seconds),
        "created": counts.created,
        "updated": counts.updated,
        "skipped": counts.skipped,
        "failed": counts.failed,
        "reference seconds": round(seconds, 2),
        "reference rows": rows,
    }
    ratio = run.seconds / seconds
    print(f"{work}: {ratio:.2f} times {REFERENCE}; " + ", ".join(f"{k} {v:,}" for k, v in figures.items()), flush=True)
    return {"work": work, "subject": "leadport", "reference": REFERENCE, "ratio": round(ratio, 3), "figures": figures}


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--strategies", nargs="+", default=[strategy.value for strategy in MergeStrategy])
    asked = parser.parse_args()
    found: list[Row] = []
    with place() as where:
        for count in asked.rows:
            path = where.folder / "leads.csv"
            write(path, count)
            _, actor = await prepare(where, count)
            strategies = [MergeStrategy(strategy) for strategy in asked.strategies]
            found += [await compare(where, actor, path, count, strategy) for strategy in strategies]
    write_table(found)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2))


def write_table(found: list[Row]) -> None:
    """Between its markers in the documentation; what stands around them stays."""
    before, _, rest = DOCUMENT.read_text().partition(BEGIN) if DOCUMENT.exists() else ("# Benchmarks\n\n", "", "")
    after = rest.partition(END)[2] or "\n"
    lines = ["| work | times psql \\copy | seconds | rows a second | peak MiB |", "|---|---|---|---|---|"]
    for one in found:
        figures = one["figures"]
        lines.append(
            f"| {one['work']} | {one['ratio']:.2f} | {figures['seconds']:,} | {figures['rows a second']:,} "
            f"| {figures['peak MiB']:,} |"
        )
    DOCUMENT.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + after)


if __name__ == "__main__":
    uvloop.run(main())
