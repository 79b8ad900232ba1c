r"""`make bench-import`: imports by a worker beside psql's \copy of the resulting rows into the same table.

Each comparison has two copies of one database, which knows a tenth of the file's leads. One takes the import; the
leads that it created go into the other by \copy, under the same indexes and keys.
"""

import argparse
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from bench.imports.leads import write, write_known, write_workbook
from bench.imports.measured import Load, PostgresWatch, Run, clone, drop, dump, load, run_import
from bench.imports.report import across, against_copy, write_table
from bench.jobs.place import Place, actors, administer, place, runtime_of
from bench.peers import install
from bench.rows import COPY, OURS, Figures, Row, compared, figures_of
from domain.actors import Actor
from domain.imports import ImportOptions, ImportRequest
from domain.vocabulary import ImportMode, LeadFieldKey, MatchKey, MergeStrategy

HERE = Path(__file__).parent
BASE = "bench_known"
SIZES = (10_000, 100_000, 1_000_000)
SMALL = 100_000
"""Up to here SKIP is done in rounds, and their medians told; the workbook has this many rows."""
PEERS = {10_000: ("bulk", "django-import-export, bulk"), 100_000: ("tuned", "django-import-export, bulk and tuned")}
"""By the size that they are given, so that none takes longer than the rest together."""
SAME = "select count(*), md5(string_agg(phone_key || name, ',' order by phone_key)) from store.leads"


@dataclass(frozen=True, slots=True)
class Work:
    rows: int
    strategy: MergeStrategy
    mode: ImportMode = ImportMode.COMMIT
    file: str = "leads.csv"

    @property
    def name(self) -> str:
        kind = ", workbook" if self.file.endswith(".xlsx") else ""
        return f"{self.rows:,} rows{kind}, {self.strategy if self.mode is ImportMode.COMMIT else self.mode}"

    @property
    def request(self) -> ImportRequest:
        required = (LeadFieldKey.NAME, LeadFieldKey.PHONE, LeadFieldKey.SOURCE)
        options = ImportOptions(merge_strategy=self.strategy, match_on=(MatchKey.PHONE,), required=required)
        return ImportRequest(options=options, mode=self.mode)


@dataclass
class Bench:
    where: Place
    actor: Actor
    rounds: int
    loaded: Load = field(init=False)

    async def prepare(self, rows: int) -> None:
        """The file, and a database that knows a tenth of its leads."""
        write(self.where.folder / "leads.csv", rows)
        known = self.where.folder / "known.csv"
        write_known(known, rows)
        base = clone(self.where, "bench", BASE)
        await run_import(base, self.actor, known, Work(rows, MergeStrategy.SKIP).request)
        administer(base.dsn, "vacuum analyze")
        administer(base.dsn, "checkpoint")

    async def pair(self, work: Work) -> tuple[Run, Load]:
        imported = clone(self.where, BASE, "bench_import")
        run = await run_import(imported, self.actor, self.where.folder / work.file, work.request)
        if work.mode is ImportMode.COMMIT:
            dumped = self.where.folder / "dumped.txt"
            dump(imported, run.job, dumped)
            self.loaded = load(clone(self.where, BASE, "bench_copy"), dumped)
            drop(self.where, "bench_copy")
        return run, self.loaded  # a validation would create what the import before it did

    async def compare(self, work: Work) -> Row:
        """Turn about, so that what else the machine does meets both."""
        rounds = self.rounds if work == Work(min(work.rows, SMALL), MergeStrategy.SKIP) else 1
        return against_copy(work.name, [await self.pair(work) for _ in range(rounds)])

    async def against_peer(self, python: Path, rows: int) -> list[Row]:
        """The import and the peer, turn about; both must have made the same leads."""
        work = Work(rows, MergeStrategy.SKIP)
        ours = against_copy(work.name, [await self.pair(work)])
        way, subject = PEERS[rows]
        other = clone(self.where, BASE, "bench_peer")
        theirs = self.peer(python, way, other, work)
        assert administer(other.dsn, SAME) == administer(self.where.named("bench_import").dsn, SAME)
        ratio = theirs["seconds"] / figures_of(ours)["reference seconds"]
        return [
            compared(work.name, subject, COPY, ratio, theirs),
            compared(work.name, OURS, subject, figures_of(ours)["seconds"] / theirs["seconds"], figures_of(ours)),
        ]

    def peer(self, python: Path, way: str, other: Place, work: Work) -> Figures:
        [(status,)] = administer(other.dsn, "select distinct status_id::text from store.leads")
        arguments = [way, other.dsn, str(self.actor.organization_id), str(status), str(self.where.folder / work.file)]
        postgres = PostgresWatch(other.dsn)
        done = subprocess.run([python, HERE / "peer.py", *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        figures: Figures = json.loads(done.stdout)
        figures["of it PostgreSQL"] = postgres.cpu
        figures["cpu seconds"] += figures["of it PostgreSQL"]
        figures["rows a second"] = work.rows / figures["seconds"]
        return figures


def works_of(rows: int, strategies: list[MergeStrategy]) -> list[Work]:
    """Every strategy where files are large; beside SKIP a validation, and at one size a workbook."""
    first = Work(rows, MergeStrategy.SKIP)
    works = [first, Work(rows, MergeStrategy.SKIP, ImportMode.VALIDATE)]
    if rows == SMALL:
        works.append(Work(rows, MergeStrategy.SKIP, file="leads.xlsx"))
    return works + [Work(rows, strategy) for strategy in strategies if strategy is not MergeStrategy.SKIP]


async def measure(bench: Bench, sizes: list[int], strategies: list[MergeStrategy]) -> list[Row]:
    found: list[Row] = []
    skips: dict[int, Row] = {}
    python = install(bench.where.folder) if PEERS.keys() & {*sizes} else None
    for rows in sizes:
        await bench.prepare(rows)
        if rows == SMALL:
            write_workbook(bench.where.folder / "leads.xlsx", rows)
        for work in works_of(rows, strategies):
            found.append(await bench.compare(work))
            skips.setdefault(rows, found[-1])
        if rows in PEERS and python is not None:
            found += await bench.against_peer(python, rows)
    return [*found, *across(sizes, skips)]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=list(SIZES), help="sizes; the table needs all of them")
    parser.add_argument("--strategies", type=MergeStrategy, nargs="+", default=list(MergeStrategy))
    parser.add_argument("--rounds", type=int, default=3, help=f"of SKIP up to {SMALL:,} rows")
    asked = parser.parse_args()
    with place() as where:
        async with runtime_of(*where.addresses[:2], where.folder) as runtime:
            [actor] = await actors(runtime, 1, "bench")
        found = await measure(Bench(where, actor, asked.rounds), asked.rows, asked.strategies)
    if asked.rows == list(SIZES) and asked.strategies == list(MergeStrategy):
        write_table(found)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    uvloop.run(main())
