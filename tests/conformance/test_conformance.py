"""Foreign clients and suites against a running server; what each of them counted goes into docs/conformance.md."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest
import schemathesis
from gql import Client, FileVar, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.websockets import WebsocketsTransport
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.graphql import nodes

from tests.examples import blocks
from tests.serving import Server, demo_folder

pytestmark = pytest.mark.conformance

HERE = Path(__file__).parent
PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
EXAMPLES = 500
NODE = shutil.which("node"), shutil.which("npm")
needs_node = pytest.mark.skipif(None in NODE, reason="node and npm are not here: the suites of npm were not run")
SUITES = {
    "graphql_http": ("GraphQL over HTTP, the specification's own audits", "graphql-http"),
    "graphql_ws": ("graphql-transport-ws", "graphql-ws"),
    "graphql_sse": ("Server-sent events, distinct connections", "graphql-sse"),
    "apollo": ("Apollo Client: pages, an upload, a subscription", "@apollo/client"),
    "urql": ("urql: query, mutation, subscription", "@urql/core"),
    "urql_sse": ("A query whose Accept lists text/event-stream", "@urql/core"),
}
IMPORT = """mutation Import($file: Upload!) { importLeads(input: {source: {file: $file}, waitSeconds: 30}) {
  job { id state totalRows counts { created failed } } userErrors { code message path } } }"""
HEAD = """# Conformance

What foreign clients and suites found against a running server, written by `make conformance`.

| what | by | checks | passed |
|---|---|---|---|
"""


@dataclass
class Report:
    """The rows of the page, by what was run."""

    rows: dict[str, tuple[str, int, int]]

    def add(self, what: str, by: str, checks: int, passed: int) -> None:
        self.rows[what] = by, checks, passed

    def write(self) -> None:
        lines = [f"| {what} | {by} | {checks} | {passed} |" for what, (by, checks, passed) in self.rows.items()]
        PAGE.write_text(HEAD + "\n".join([*lines, ""]), encoding="utf-8")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with demo_folder() as folder:
        started = Server(folder)
        try:
            yield started
        finally:
            started.stop()


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return server.token("demo", "ADMIN")


@pytest.fixture(scope="module")
def report(request: pytest.FixtureRequest) -> Iterator[Report]:
    """Written where every test of this file was run, so that a part of them does not look like the whole."""
    made = Report({})
    yield made
    if len(made.rows) == len(SUITES) + 3:
        made.write()


@pytest.fixture(scope="module")
def packages() -> Path:
    """The locked packages of npm, installed."""
    lock, installed = HERE / "package-lock.json", HERE / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        run("npm", "ci", "--no-audit", "--no-fund")
    return HERE / "node_modules"


def run(*command: str, **environment: str) -> str:
    ended = subprocess.run(
        command, cwd=HERE, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@needs_node
@pytest.mark.parametrize("suite", SUITES)
def test_a_suite_of_npm_passes(suite: str, packages: Path, server: Server, token: str, report: Report):
    what, package = SUITES[suite]
    installed = json.loads((packages / package / "package.json").read_text())["version"]
    said = run(
        "node", "--test", "--test-reporter=tap", f"{suite}.test.mjs", LEADPORT_URL=server.url, LEADPORT_TOKEN=token
    )
    checks, passed = (int(re.search(rf"^# {word} (\d+)$", said, re.MULTILINE)[1]) for word in ("tests", "pass"))
    report.add(what, f"{package} {installed}", checks, passed)
    assert checks == passed > 0


@needs_node
def test_the_typescript_of_the_documentation_runs(packages: Path, server: Server, token: str, tmp_path: Path):
    sources = blocks("api.md", "ts")
    assert sources
    for number, source in enumerate(sources):
        text = source.replace("127.0.0.1:8000", server.url.removeprefix("http://")).replace("<token>", token)
        (HERE / f".example-{number}.mts").write_text(text, encoding="utf-8")
    names = [f".example-{number}.mts" for number in range(len(sources))]
    try:
        run("node", str(packages / "typescript" / "bin" / "tsc"), *TSC, *names)
        for name in names:
            run("node", name.replace(".mts", ".mjs"))
    finally:
        for path in HERE.glob(".example-*"):
            path.unlink()


TSC = ("--strict", "--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom,dom.iterable,dom.asynciterable")


async def test_gql_streams_an_upload(server: Server, token: str, report: Report):
    async def chunks() -> AsyncIterator[bytes]:
        yield b"name,phone,source\n"
        for number in range(500):
            yield f"Streamed {number},+1202556{number:04},web\n".encode()

    preflight = {"GraphQL-Preflight": "1"}
    transport = AIOHTTPTransport(f"{server.url}/graphql", headers={**headers(token), **preflight})
    async with Client(transport=transport, execute_timeout=60) as session:
        document = gql(IMPORT)
        document.variable_values = {"file": FileVar(chunks())}
        answer = await session.execute(document, upload_files=True)
    assert answer["importLeads"]["userErrors"] == []
    assert answer["importLeads"]["job"]["counts"] == {"created": 500, "failed": 0}
    report.add("gql for Python: a streamed upload", f"gql {version('gql')}", 1, 1)


async def test_gql_follows_a_job(server: Server, token: str, report: Report):
    transport = AIOHTTPTransport(f"{server.url}/graphql", headers=headers(token))
    async with Client(transport=transport) as session:
        start = gql("mutation { exportLeads(input: {spec: {template: BASIC}}) { job { id } } }")
        job = (await session.execute(start))["exportLeads"]["job"]
    follow = gql("subscription ($id: ID!) { job(id: $id) { job { state } } }")
    follow.variable_values = {"id": job["id"]}
    address = f"{server.url.replace('http', 'ws', 1)}/graphql"
    socket = WebsocketsTransport(address, init_payload=headers(token))
    async with Client(transport=socket) as session:
        states = [event["job"]["job"]["state"] async for event in session.subscribe(follow)]
    assert states[-1] == "COMPLETED"
    report.add("gql for Python: a subscription", f"gql {version('gql')}", 1, 1)


def headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def scalars() -> None:
    """How values of the API's own scalars look."""
    texts = {
        "DateTime": st.datetimes().map(lambda at: f"{at.isoformat()}Z"),
        "Decimal": st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str),
        "BigInt": st.integers(0, 2**62).map(str),
    }
    for name, strategy in texts.items():
        schemathesis.graphql.scalar(name, strategy.map(nodes.String))
    schemathesis.graphql.scalar("JSON", st.just(nodes.Object(fields=())))
    schemathesis.graphql.scalar("Upload", st.just(nodes.Null))


def test_schemathesis_finds_no_failure(server: Server, token: str, report: Report):
    scalars()
    schema = schemathesis.graphql.from_url(f"{server.url}/graphql", headers=headers(token))
    asked = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=schema.as_strategy())
    def ask(case: schemathesis.Case) -> None:
        response = case.call(headers=headers(token))
        asked.append((case.operation.label, "errors" in response.json()))
        case.validate_response(response, checks=[not_a_server_error])

    ask()
    assert len(asked) >= EXAMPLES
    assert sum(refused for _, refused in asked) < len(asked) / 2, "most of what is generated runs"
    report.add("schemathesis: generated operations", f"schemathesis {version('schemathesis')}", len(asked), len(asked))
