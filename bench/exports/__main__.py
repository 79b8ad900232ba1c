r"""`make bench-export`: exports by a worker beside psql's \copy of the raw columns, and beside other ways to export."""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.exports.leads import KEYS, RAW, fill
from bench.exports.report import against_copy, beside, write_table
from bench.jobs.place import Place, actors, place, runtime_of
from bench.peers import install
from bench.rows import OURS, Figures, Row, compared
from db.embedded.binaries import find_binaries
from domain.actors import Actor

HERE = Path(__file__).parent
ROWS = 1_000_000
WORKS = (
    ("CSV", {"format": "CSV"}, 1),
    ("CSV with gzip", {"format": "CSV", "compression": "GZIP"}, 1),
    ("JSON Lines", {"format": "JSONL"}, 1),
    ("Parquet", {"format": "PARQUET"}, 1),
    ("XLSX", {"format": "XLSX"}, 10),
)
"""What is exported, and by what the number of rows is divided."""
OTHERS = (
    ("CSV with zstd", {"format": "CSV", "compression": "ZSTD"}),
    ("CSV in a ZIP", {"format": "CSV", "compression": "ZIP"}),
    ("CSV, a part a status", {"format": "CSV", "split_by": "STATUS"}),
    ("JSON", {"format": "JSON"}),
    ("TXT", {"format": "TXT"}),
    ("XLSX, all rows", {"format": "XLSX"}),
)
"""Exported once each, for their memory."""


@dataclass(frozen=True, slots=True)
class Bench:
    where: Place
    actor: Actor
    rows: int
    rounds: int

    def psql(self, rows: int) -> Figures:
        sql = RAW.format(organization=self.actor.organization_id, limit=rows)
        target = self.where.folder / "psql.csv"
        began = time.perf_counter()
        subprocess.run(
            [find_binaries() / "psql", self.where.dsn, "-qc", f"\\copy ({sql}) to '{target}' csv header"], check=True
        )
        seconds = time.perf_counter() - began
        return {"seconds": seconds, "MB": target.stat().st_size / 1e6}

    def ours(self, spec: dict[str, object], rows: int) -> Figures:
        given = [*self.where.addresses, str(self.actor.organization_id), json.dumps({**spec, "limit": rows})]
        return _run([sys.executable, "-m", "bench.exports.run", *given])

    def compare(self, work: str, spec: dict[str, object], rows: int, rounds: int) -> Row:
        """Turn about, so that what else the machine does meets both."""
        pairs = [(self.ours(spec, rows), self.psql(rows)) for _ in range(rounds)]
        return against_copy(named(work, rows), OURS, pairs)

    def preview(self) -> Row:
        found = _run(
            [sys.executable, "-m", "bench.exports.preview", *self.where.addresses, str(self.actor.organization_id)]
        )
        ratio = found["seconds"] / found["reference seconds"]
        return compared("preview of 50 leads", OURS, "a page query of the same leads", ratio, found)

    def peer(self, python: Path, work: str, way: str, rows: int) -> Row:
        target = self.where.folder / "peer"
        arguments = [way, self.where.dsn, str(self.actor.organization_id), str(rows), str(target)]

        def run() -> Figures:
            return _run([str(python), str(HERE / "peers.py"), *arguments])

        return against_copy(named(work, rows), way.replace("_", "-"), [(run(), self.psql(rows))])


def named(work: str, rows: int) -> str:
    return f"{work}, {rows:,} rows x {len(KEYS) + 1}"


def _run(command: list[str]) -> Figures:
    """What the process tells of itself, as JSON."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


async def prepare(where: Place, rows: int) -> Actor:
    async with runtime_of(where.app, where.system, where.folder) as runtime:
        [actor] = await actors(runtime, 1, "bench")
    fill(where.dsn, str(actor.organization_id), rows)
    return actor


def measure(bench: Bench) -> list[Row]:
    bench.psql(bench.rows)  # what the first reader of a table pays is nobody's figure
    found = [bench.compare(work, spec, bench.rows // share, bench.rounds) for work, spec, share in WORKS]
    csv, gzip, *_, workbook = found
    found += [bench.compare(work, spec, bench.rows, 1) for work, spec in OTHERS]
    found += [beside(gzip, csv, "CSV without gzip"), bench.preview()]
    python = install(bench.where.folder)
    if python is None:
        return found
    found += [
        bench.peer(python, "CSV", "csv_writer", bench.rows),
        bench.peer(python, "CSV", "django_import_export", bench.rows // 10),
        bench.peer(python, "XLSX", "xlsxwriter", bench.rows // 10),
    ]
    return [*found, beside(workbook, found[-1], "xlsxwriter in constant memory")]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rows", type=int, default=ROWS, help=f"the documentation's table is of {ROWS:,}")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with place() as where:
        actor = uvloop.run(prepare(where, asked.rows))
        found = measure(Bench(where, actor, asked.rows, asked.rounds))
    if asked.rows == ROWS:
        write_table(found)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
