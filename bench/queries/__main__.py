"""`make bench-queries`: five works by this server, by a hand-written endpoint, and by other GraphQL servers."""

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import quantiles

import orjson
import psycopg
import uvloop

from bench.document import write_lines
from bench.queries.client import Call, Connection, load
from bench.queries.own import deep_pages, isolated_search, read_no_table_whole
from bench.queries.works import Work, works
from bench.queries.world import Subject, World, python, subject, world
from bench.rows import Row

SERVER, PLAIN, IDIOMATIC, OTHER = "leadport", "hand-written", "Strawberry, ORM, dataloaders", "PostGraphile 5"
UNCOMPARED = frozenset({"endCursor", "extensions"})
PREFIX = re.compile(r"^(?:lead|company|chatbot|status)_(?=[0-9a-f-]{36}$)")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT")
CONNECTIONS = 4
ROUNDS = 5


@dataclass
class Measured:
    """What one subject used for one work."""

    requests: int = 0
    seconds: float = 0.0
    server: float = 0.0
    database: float = 0.0
    times: list[float] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        """CPU milliseconds a request, server and PostgreSQL."""
        return (self.server + self.database) / self.requests * 1000

    @property
    def figures(self) -> dict[str, float]:
        cuts = quantiles(self.times, n=100)
        return {
            "cpu ms": round(self.cpu, 3),
            "server cpu ms": round(self.server / self.requests * 1000, 3),
            "database cpu ms": round(self.database / self.requests * 1000, 3),
            "requests a second": round(self.requests / self.seconds),
            "p50 ms": round(cuts[49] * 1000, 2),
            "p99 ms": round(cuts[98] * 1000, 2),
        }


def call(where: World, one: Subject, work: Work) -> Call:
    if one.name == PLAIN:
        return Call.of(one.port, f"/{work.name}", where.token, work.variables)
    if one.name == OTHER:
        return Call.of(one.port, "/graphql", where.token, {"query": work.other})
    path = "/graphql/" if one.name == IDIOMATIC else "/graphql"
    return Call.of(one.port, path, where.token, {"query": work.document, "variables": work.variables})


def normal(value: object) -> object:
    """An answer without what servers may word differently: cursors, prefixes of ids, how counts and instants look."""
    if isinstance(value, dict):
        return _normal_object({name: normal(inner) for name, inner in value.items() if name not in UNCOMPARED})
    if isinstance(value, list):
        return [normal(inner) for inner in value]
    if isinstance(value, str):
        value = PREFIX.sub("", value)
        return datetime.fromisoformat(value).isoformat() if INSTANT.match(value) else value
    return value


def _normal_object(value: dict[str, object]) -> object:
    if value.keys() in ({"value", "exact"}, {"totalCount"}, {"nodes"}):
        return next(iter(value.values()))
    if "lastCallAt" in value:
        call = {"at": value.pop("lastCallAt"), "status": value.pop("lastCallStatus")}
        value["lastCall"] = call if call["at"] else None
    return value


async def measure(where: World, subjects: Sequence[Subject], work: Work, scale: float) -> dict[str, Measured]:
    calls = {one.name: call(where, one, work) for one in subjects}
    answers = dict[str, object]()
    for one in subjects:
        connections = [await Connection.open(one.port) for _ in range(CONNECTIONS)]
        answers[one.name] = normal(orjson.loads(await connections[0].send(calls[one.name])))
        await load(connections, calls[one.name], 40)
    for name, answer in answers.items():
        assert answer == answers[PLAIN], f"{work.title}: {name} answers otherwise\n{answer}\n{answers[PLAIN]}"
    measured = {one.name: Measured() for one in subjects}
    for turn in range(ROUNDS):
        for one in [*subjects[turn % len(subjects) :], *subjects[: turn % len(subjects)]]:
            count = max(
                20, int(work.requests * scale * (0.15 if one.name == IDIOMATIC else 0.5 if one.name == OTHER else 1))
            )
            connections = [await Connection.open(one.port) for _ in range(CONNECTIONS)]
            await _round(where, one, (connections, calls[one.name], count), measured[one.name])
            for connection in connections:
                connection.close()
    return measured


async def _round(where: World, one: Subject, sent: tuple[Sequence[Connection], Call, int], into: Measured) -> None:
    server, database = one.cpu(), where.database_cpu()
    seconds, times = await load(*sent)
    into.server += one.cpu() - server
    into.database += where.database_cpu() - database
    into.requests += sent[2]
    into.seconds += seconds
    into.times += times


def report(work: Work, measured: Mapping[str, Measured]) -> list[Row]:
    rows = list[Row]()
    for name, one in measured.items():
        if name == SERVER:
            continue
        ratio = measured[SERVER].cpu / one.cpu
        figures = {SERVER: measured[SERVER].figures, name: one.figures}
        rows.append(
            {"work": work.title, "subject": SERVER, "reference": name, "ratio": round(ratio, 3), "figures": figures}
        )
        print(f"{work.title}: {ratio:.2f} times the CPU of {name}", flush=True)
    for name, one in measured.items():
        print(f"  {name:32}", ", ".join(f"{key} {value:,}" for key, value in one.figures.items()), flush=True)
    return rows


def asked_for(where: World) -> tuple[str, str]:
    """The shown id of a lead, and the UUID of the status `new`."""
    with psycopg.connect(where.dsn) as connection:
        found = connection.execute(
            "select l.id, s.id from store.leads l join store.statuses s using (organization_id) "
            "where organization_id = %s and l.external_id = 'CRM-777' and s.key = 'new'",
            [where.organization],
        ).fetchone()
        assert found is not None
        return f"lead_{found[0]}", str(found[1])


def commands(where: World) -> dict[str, tuple[list[str], str]]:
    found = {
        SERVER: ([sys.executable, "server.py", "serve", "--port", "{port}"], "/healthz"),
        PLAIN: (python("bench.queries.plain"), "/healthz"),
        IDIOMATIC: (python("bench.queries.idiomatic"), "/healthz"),
    }
    if shutil.which("node") and shutil.which("npm"):
        folder = where.folder / "postgraphile"
        shutil.copytree(Path(__file__).parent / "postgraphile", folder, dirs_exist_ok=True)
        installed = subprocess.run(["npm", "ci", "--silent"], cwd=folder, check=False)
        if installed.returncode == 0:
            found[OTHER] = (["node", str(folder / "server.mjs"), "{port}"], "/graphql")
    if OTHER not in found:
        print(f"{OTHER} is left out: it needs node and npm", flush=True)
    return found


async def run(where: World, subjects: Sequence[Subject], asked: argparse.Namespace) -> tuple[list[Row], list[Row]]:
    """The rows of the works, and those of what this server alone is held to."""
    compared, asked_works = list[Row](), works(*asked_for(where))
    server = next(one for one in subjects if one.name == SERVER)
    if not asked.only:
        await read_no_table_whole(where, server, [call(where, server, work) for work in asked_works])
    for work in asked_works:
        if not asked.only or work.name in asked.only:
            compared += report(work, await measure(where, subjects, work, asked.scale))
    if asked.only:
        return compared, []
    return compared, [await deep_pages(where, server, asked.leads), await isolated_search(where)]


def table(rows: Sequence[Mapping[str, object]], leads: int) -> str:
    lines = [
        f"CPU a request of server and PostgreSQL, {leads:,} leads in three organizations, {CONNECTIONS} connections:",
        "",
        "| work | server | CPU ms | of it PostgreSQL | requests/s | p50 ms | p99 ms | leadport's CPU is |",
        "|---|---|---|---|---|---|---|---|",
    ]
    shown = set[tuple[object, str]]()
    for row in rows:
        for name, figures in row["figures"].items():
            if (row["work"], name) in shown:
                continue
            shown.add((row["work"], name))
            times = "" if name == SERVER else f"{row['ratio']:.2f} times"
            lines.append(
                f"| {row['work']} | {name} | {figures['cpu ms']:.2f} | {figures['database cpu ms']:.2f} "
                f"| {figures['requests a second']:,} | {figures['p50 ms']:.2f} | {figures['p99 ms']:.2f} | {times} |"
            )
    return "\n".join(lines)


def sentence(row: Row) -> str:
    return f"- {row['work']}: {row['ratio']:.2f} times {row['reference']}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--data", type=Path, help="a folder that keeps the database for the next time")
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--scale", type=float, default=1.0, help="how many requests, of the usual number")
    parser.add_argument("--only", nargs="*", default=[], help="works, such as q2")
    parser.add_argument("--subjects", nargs="*", default=[], help="besides this server and the hand-written one")
    asked = parser.parse_args()
    with world(asked.leads, asked.data) as where, ExitStack() as started:
        chosen = {
            name: command
            for name, command in commands(where).items()
            if name in {SERVER, PLAIN} or not asked.subjects or name in asked.subjects
        }
        subjects = [
            started.enter_context(subject(name, command, where, ready)) for name, (command, ready) in chosen.items()
        ]
        compared, own = uvloop.run(run(where, subjects, asked))
    if asked.json:
        asked.json.write_text(json.dumps([*compared, *own], indent=1))
    if asked.leads >= 1_000_000 and not asked.only:
        write_lines("bench-queries", (table(compared, asked.leads), "", *map(sentence, own)))


if __name__ == "__main__":
    main()
