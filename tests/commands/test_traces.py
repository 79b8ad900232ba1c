"""Traces: what a collector gets of requests, operations and jobs, and that it gets nothing of a lead."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.acceptance.calling import Caller
from tests.acceptance.conftest import token_of
from tests.serving import SECRET_KEYS, Server, clean_environment, demo_folder, run_command

SECRETS = ("Dana", "Quellwasser", "xq48221", "2122004822")
"""Of each value of a lead that is sent, a piece that occurs nowhere else."""
FILE = b"name,phone,email,source\nDana Quellwasser,+12122004822,danaxq48221@example.com,web\n,bad xq48221,x,web\n"
FIND = """query FindSomebody($term: String!) { leads(filter: {search: $term, name: {contains: "Quellwasser"}}) {
  nodes { id name phone } } }"""
ABSENT = 'query FindNobody { lead(id: "lead_xq48221") { name } }'
WRONG = 'query { leads(filter: {nonsense: "Quellwasser"}) { nodes { id } } }'


class Collector(ThreadingHTTPServer):
    """Takes what is exported to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.taken: list[tuple[str, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def spans(self) -> list[dict[str, object]]:
        """Each with its name, attributes, `trace`, `id` and `parent`."""
        found: list[dict[str, object]] = []
        for path, body in self.taken:
            assert path == "/v1/traces"
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    found += [spread(span) for span in scope.spans]
        return found


def spread(span: object) -> dict[str, object]:
    attributes = {one.key: one.value.string_value or one.value.int_value for one in span.attributes}
    ids = {"trace": span.trace_id.hex(), "id": span.span_id, "parent": span.parent_span_id}
    return {"name": span.name, "events": len(span.events), "status": span.status.code, **ids, **attributes}


class _Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.taken.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        collector.shutdown()
        thread.join()
        collector.server_close()


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "LEADPORT_SECRET_KEYS": SECRET_KEYS}


async def test_s27_a_collector_is_told_of_requests_operations_and_jobs_and_of_no_lead(
    environment: dict[str, str],
) -> None:
    with collecting() as collector, demo_folder() as folder:
        whole = {**clean_environment(), **environment}
        assert run_command(folder, whole, "organization", "acme").returncode == 0
        server = Server(folder, {**environment, "LEADPORT_OTEL_ENDPOINT": collector.url})
        try:
            job = await work(server)
        finally:
            assert server.stop() == 0
        log = server.output
    spans = collector.spans()
    names = {span["name"] for span in spans}
    assert {"POST /graphql", "PUT /uploads", "GET /files", "query", "mutation", "job IMPORT", "job EXPORT"} <= names
    everything = b"".join(body for _, body in collector.taken)
    assert [secret for secret in SECRETS if secret.encode() in everything] == []
    (imported,) = [span for span in spans if span["name"] == "job IMPORT"]
    assert (imported["leadport.job.id"], imported["leadport.job.state"]) == (job, "COMPLETED_WITH_ERRORS")
    operations = [span for span in spans if span.get("graphql.operation.name") == "FindSomebody"]
    by_id = {span["id"]: span for span in spans}
    assert [by_id[span["parent"]]["name"] for span in operations] == ["POST /graphql"]
    assert {span["http.response.status_code"] for span in spans if span["name"] == "POST /graphql"} == {200}
    assert not any(span["events"] for span in spans), "an error's message and stack would be events"
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert {line["trace_id"] for line in lines if "trace_id" in line} <= {span["trace"] for span in spans}


async def work(server: Server) -> str:
    """Everything that a caller does with leads; the id of the import, without its prefix."""
    async with httpx.AsyncClient() as http:
        caller = Caller(server.url, token_of("acme", "ADMIN"), http)
        job = (await caller.import_file(FILE))["job"]
        assert (job["counts"]["created"], job["counts"]["failed"]) == (1, 1)
        found = await caller.ask(FIND, term="Dana")
        assert [lead["name"] for lead in found["leads"]["nodes"]] == ["Dana Quellwasser"]
        _, data = await caller.export({"template": "LEADS"})
        assert b"Dana Quellwasser" in data
        assert (await caller.ask(ABSENT))["lead"] is None
        await caller.refused(WRONG)
    return job["id"].removeprefix("job_")


def test_traces_without_their_packages_are_refused_in_one_line(environment: dict[str, str], tmp_path: Path) -> None:
    hiding = tmp_path / "hiding" / "opentelemetry"
    hiding.mkdir(parents=True)
    (hiding / "__init__.py").touch()  # before the real one, without any of its parts
    wanted = {"LEADPORT_OTEL_ENDPOINT": "http://127.0.0.1:4318", "PYTHONPATH": str(hiding.parent)}
    ended = run_command(tmp_path, {**clean_environment(), **environment, **wanted}, "worker")
    assert ended.returncode == 1
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("leadport: ")]
    assert line.startswith("leadport: LEADPORT_OTEL_ENDPOINT: opentelemetry")
    assert line.endswith("is missing; install requirements-otel.txt")
