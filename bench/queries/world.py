"""A throw-away database with a million leads in three organizations, and the processes that answer from it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psutil
import psycopg
from psycopg.conninfo import conninfo_to_dict

from db.dsn import for_asyncpg, with_database
from db.embedded import EmbeddedCluster
from db.migrate import migrate
from db.roles import app_dsn
from domain.vocabulary import Role
from web.tokens import Tokens, TokenSettings

SECRET = "the-secret-of-the-benchmark-of-queries"
ROOT = Path(__file__).resolve().parents[2]
SHARES = (0.34, 0.33, 0.33)
SLUGS = ("bench-0", "bench-1", "bench-2")

_LEADS = """
insert into store.leads (organization_id, id, external_id, name, phone, phone_display, phone_key, email, email_key,
  status_id, stage, source, lead_source, score, interest_level, confidence, category, primary_language,
  detected_languages, ai_legitimate, ai_confidence_score, session_id, location_country, location_city, message_count,
  session_duration, conversation_summary, company_id, chatbot_id, assignee_id, tags, conversion_value,
  conversion_currency, last_call_at, last_call_status, notes_count, search_text, created_at, updated_at)
select o.id, gen_random_uuid(), 'CRM-' || n, word || ' ' || n, phone, phone, phone, mail, mail,
  (select id from store.statuses where organization_id = o.id and position = n %% 9), 'NEW',
  (array['WEB','WHATSAPP','CHATBOT','REFERRAL'])[1 + n %% 4], case when n %% 3 = 0 then 'Google Ads, spring' end,
  case when n %% 5 > 0 then n %% 101 end, (array['HOT','HIGH','MEDIUM','LOW'])[1 + n %% 4],
  (array['HIGH','MEDIUM','LOW'])[1 + n %% 3], (array['BUYING_INTENT','DEMO_REQUEST'])[1 + n %% 2],
  (array['en','he','hi_transliterated'])[1 + n %% 3], array['en','he'], n %% 10 > 0, 50 + n %% 50, md5(n::text), 'FR',
  'Lyon', n %% 40, n %% 1800, 'Asked about a policy and wants a call back in the evening.', c.id, b.id,
  case when n %% 2 = 0 then u.id end, case when n %% 4 = 0 then array['vip','renewal'] else '{}' end,
  case when n %% 5 = 0 then n %% 9999 + 0.5 end, case when n %% 5 = 0 then 'EUR' end,
  case when n %% 3 = 0 then at + interval '2 days' end, case when n %% 3 = 0 then 'no_answer' end, n %% 4,
  lower(word) || ' ' || n || ' ' || mail || ' ' || substr(phone, 2) || ' crm-' || n, at, at + interval '3 days'
from generate_series(1, %(rows)s) n
cross join lateral (select (array['Dana','Levi','Paris','Durand','Kumar','Smith','Cohen','דנה'])[1 + n %% 8] as word,
  '+336' || lpad(n::text, 8, '0') as phone, 'lead' || n || '@example.com' as mail,
  timestamptz '2024-01-01' + n * (interval '700 days' / %(rows)s) as at) made
join store.organizations o on o.slug = %(slug)s
join (select *, row_number() over (partition by organization_id order by id) - 1 as place from store.companies) c
  on c.organization_id = o.id and c.place = n %% 20
join (select *, row_number() over (partition by organization_id order by id) - 1 as place from store.chatbots) b
  on b.organization_id = o.id and b.place = n %% 20
join store.users u on u.organization_id = o.id
"""
_PARTS = """
insert into store.companies (organization_id, id, name, name_key)
select id, gen_random_uuid(), 'Company ' || n, 'company ' || n from store.organizations, generate_series(1, 20) n;
insert into store.chatbots (organization_id, id, name, name_key)
select id, gen_random_uuid(), 'Chatbot ' || n, 'chatbot ' || n from store.organizations, generate_series(1, 20) n;
insert into store.users (organization_id, id, name, role)
select id, gen_random_uuid(), 'Somebody', 'AGENT' from store.organizations;
"""


@dataclass(frozen=True, slots=True)
class World:
    """Where the database is, whose leads are asked for, and how callers prove who they are."""

    dsn: str
    folder: Path
    postmaster: int
    organization: UUID
    token: str

    @property
    def environment(self) -> dict[str, str]:
        """What every server is told."""
        return {
            **os.environ,
            "DATABASE_URL": self.dsn,
            "LEADPORT_SECRET_KEYS": f"k1:{SECRET}",
            "LEADPORT_WORKER": "false",
            "LEADPORT_DATABASE_CONNECTIONS": "10",
            "BENCH_DSN": for_asyncpg(app_dsn(self.dsn, SECRET)).dsn,
            "BENCH_ADDRESS": json.dumps(_parts(app_dsn(self.dsn, SECRET))),
            "BENCH_SECRET": SECRET,
            "BENCH_ORGANIZATION": str(self.organization),
        }

    def database_cpu(self) -> float:
        """CPU seconds that PostgreSQL has used, all of its processes together."""
        postmaster = psutil.Process(self.postmaster)
        ended = postmaster.cpu_times()
        living = sum(map(cpu_seconds, (postmaster, *postmaster.children())))
        return living + ended.children_user + ended.children_system


def _parts(dsn: str) -> dict[str, object]:
    """An address as programs want it that cannot read libpq's form."""
    found = conninfo_to_dict(dsn)
    names = {"host": "host", "port": "port", "user": "user", "password": "password", "dbname": "database"}
    return {theirs: found[ours] for ours, theirs in names.items() if ours in found}


@contextmanager
def world(rows: int, kept: Path | None = None) -> Iterator[World]:
    """`kept`: a folder whose database is used again, where it was filled with as many leads, and left behind."""
    folder = kept or Path(tempfile.mkdtemp(prefix="leadport-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)
    binaries = os.environ.get("PGBINDIR")
    settings = {"max_connections": "100", "shared_buffers": "1GB", "autovacuum": "off"}
    cluster = EmbeddedCluster(folder / "cluster", binaries=Path(binaries) if binaries else None, settings=settings)
    cluster.acquire()
    try:
        dsn = with_database(cluster.dsn(), f"bench_{rows}")
        organization = _filled(cluster.dsn(), dsn, rows)
        places = cluster.places
        assert places is not None
        postmaster = int((places.data / "postmaster.pid").read_text().split()[0])
        tokens = Tokens(TokenSettings("leadport", "leadport", {"k1": SECRET.encode()}))
        token = tokens.issue(organization=SLUGS[0], role=Role.ADMIN, subject="bench", name="Bench", seconds=86_400)
        yield World(dsn, folder, postmaster, organization, token)
    finally:
        cluster.release()
        if kept is None:
            shutil.rmtree(folder, ignore_errors=True)


def _filled(admin: str, dsn: str, rows: int) -> UUID:
    """The organization that is asked, in a database that has the leads."""
    name, unfinished = f"bench_{rows}", f"bench_{rows}_unfinished"
    with psycopg.connect(admin, autocommit=True) as connection:
        if not connection.execute("select from pg_database where datname = %s", [name]).fetchall():
            connection.execute(f"drop database if exists {unfinished}".encode())
            connection.execute(f"create database {unfinished}".encode())
            filling = with_database(admin, unfinished)
            migrate(filling, SECRET)
            _fill(filling, rows)
            connection.execute(f"alter database {unfinished} rename to {name}".encode())
    migrate(dsn, SECRET)
    with psycopg.connect(dsn) as connection:
        row = connection.execute("select id from store.organizations where slug = %s", [SLUGS[0]]).fetchone()
        assert row is not None
        return row[0]


def _fill(dsn: str, rows: int) -> None:
    environment = {**os.environ, "DATABASE_URL": dsn, "LEADPORT_SECRET_KEYS": f"k1:{SECRET}"}
    for slug in SLUGS:
        subprocess.run([sys.executable, "server.py", "organization", slug], cwd=ROOT, env=environment, check=True)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(_PARTS.encode())
        kept = connection.execute(
            "select indexname, indexdef from pg_indexes where schemaname = 'store' and tablename = 'leads' "
            "and indexname <> 'leads_pkey'"
        ).fetchall()
        for name, _ in kept:
            connection.execute(f"drop index store.{name}".encode())
        for slug, share in zip(SLUGS, SHARES, strict=True):
            connection.execute(_LEADS.encode(), {"rows": int(rows * share), "slug": slug})
        connection.execute(b"set maintenance_work_mem = '512MB'")
        for _, definition in kept:
            connection.execute(definition.encode())
        connection.execute(b"vacuum analyze")


@dataclass(frozen=True, slots=True)
class Subject:
    """A server that answers at `port`."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    def cpu(self) -> float:
        """CPU seconds of the server and its children."""
        server = psutil.Process(self.process.pid)
        return sum(map(cpu_seconds, (server, *server.children(recursive=True))))


def cpu_seconds(process: psutil.Process) -> float:
    """What a process has used, in user and in system mode; 0 once it is gone."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system


@contextmanager
def subject(name: str, command: list[str], where: World, ready: str = "/healthz") -> Iterator[Subject]:
    """A server process; `{port}` in the command is a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    arguments = [part.replace("{port}", str(port)) for part in command]
    log = (where.folder / f"{name}.log").open("wb")
    process = subprocess.Popen(arguments, cwd=ROOT, env=where.environment, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}{ready}", process, where.folder / f"{name}.log")
        yield Subject(name, port, process)
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{url} does not answer:\n{log.read_text()}") from None
            time.sleep(0.1)
        else:
            return


def python(module: str) -> list[str]:
    """The command of a subject written in Python."""
    return [
        *(sys.executable, "-m", "uvicorn", f"{module}:app", "--port", "{port}", "--loop", "uvloop"),
        *("--no-access-log", "--log-level", "warning"),
    ]
