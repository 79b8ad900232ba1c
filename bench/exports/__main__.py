r"""`make bench-export`: exports by a worker beside psql's \copy of the raw columns, and beside other ways to export."""

import argparse
import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.exports.leads import KEYS, RAW, fill
from bench.jobs.place import Place, actors, place, runtime_of
from db.embedded.binaries import find_binaries
from domain.actors import Actor

Row = dict[str, object]
Figures = dict[str, float]
REFERENCE = "psql \\copy"
HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- bench-export -->", "<!-- /bench-export -->"
WORKS = (
    ("CSV", {"format": "CSV"}, 1),
    ("CSV with gzip", {"format": "CSV", "compression": "GZIP"}, 1),
    ("JSON Lines", {"format": "JSONL"}, 1),
    ("Parquet", {"format": "PARQUET"}, 1),
    ("XLSX", {"format": "XLSX"}, 10),
)
"""What is exported, and by what the number of rows is divided."""


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

    def compare(self, work: str, spec: dict[str, object], rows: int) -> Row:
        """Turn about, so that what else the machine does meets both."""
        pairs = [(self.ours(spec, rows), self.psql(rows)) for _ in range(self.rounds)]
        return report(f"{work}, {rows:,} rows x {len(KEYS) + 1}", "leadport", *_medians(pairs))

    def peer(self, python: Path, work: str, way: str, rows: int) -> Row:
        target = self.where.folder / "peer"
        arguments = [way, self.where.dsn, str(self.actor.organization_id), str(rows), str(target)]

        def run() -> Figures:
            return _run([str(python), str(HERE / "peers.py"), *arguments])

        return report(
            f"{work}, {rows:,} rows x {len(KEYS) + 1}", way.replace("_", "-"), *_medians([(run(), self.psql(rows))])
        )


def _run(command: list[str]) -> Figures:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def _medians(pairs: list[tuple[Figures, Figures]]) -> tuple[Figures, float]:
    figures = {name: statistics.median(ours[name] for ours, _ in pairs) for name in pairs[0][0]}
    reference = statistics.median(psql["seconds"] for _, psql in pairs)
    return {**figures, "reference seconds": reference}, figures["seconds"] / reference


def report(work: str, subject: str, figures: Figures, ratio: float) -> Row:
    shown = ", ".join(f"{name} {value:,.4g}" for name, value in figures.items())
    print(f"{work}, {subject}: {ratio:.2f} times {REFERENCE}; {shown}", flush=True)
    rounded = {name: round(value, 2) for name, value in figures.items()}
    return {"work": work, "subject": subject, "reference": REFERENCE, "ratio": round(ratio, 3), "figures": rounded}


def peers(folder: Path) -> Path | None:
    """The interpreter of an environment with the other ways, None where it cannot be installed here."""
    environment = folder / "peers"
    commands = (
        [sys.executable, "-m", "venv", str(environment)],
        [str(environment / "bin" / "pip"), "install", "--quiet", "--quiet", "--quiet", "-r", str(HERE / "peers.txt")],
    )
    for command in commands:
        if subprocess.run(command, check=False).returncode:
            print("The other ways cannot be installed here: they are left out.", flush=True)
            return None
    return environment / "bin" / "python"


async def prepare(where: Place, rows: int) -> Actor:
    async with runtime_of(where.app, where.system, where.folder) as runtime:
        [actor] = await actors(runtime, 1, "bench")
    fill(where.dsn, str(actor.organization_id), rows)
    return actor


def measure(bench: Bench) -> list[Row]:
    bench.psql(bench.rows)  # what the first reader of a table pays is nobody's figure
    found = [bench.compare(work, spec, bench.rows // share) for work, spec, share in WORKS]
    python = peers(bench.where.folder)
    if python is not None:
        found += [
            bench.peer(python, "CSV", "csv_writer", bench.rows),
            bench.peer(python, "CSV", "django_import_export", bench.rows // 10),
            bench.peer(python, "XLSX", "xlsxwriter", bench.rows // 10),
        ]
    return found


def write_table(found: list[Row]) -> None:
    """Between its markers in the documentation; what stands around them stays."""
    before, _, rest = DOCUMENT.read_text().partition(BEGIN) if DOCUMENT.exists() else ("# Benchmarks\n\n", "", "")
    after = rest.partition(END)[2] or "\n"
    lines = ["| work | by | times psql \\copy | seconds | MiB over idle |", "|---|---|---|---|---|"]
    for one in found:
        figures = one["figures"]
        lines.append(
            f"| {one['work']} | {one['subject']} | {one['ratio']:.2f} | {figures['seconds']:,} "
            f"| {figures['MB over idle']:,} |"
        )
    DOCUMENT.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + after)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--table", action="store_true", help="write the documentation's table")
    asked = parser.parse_args()
    with place() as where:
        actor = uvloop.run(prepare(where, asked.rows))
        found = measure(Bench(where, actor, asked.rows, asked.rounds))
    if asked.table:
        write_table(found)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
