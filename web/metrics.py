"""`/metrics` for Prometheus: requests of this process, its connections, and the jobs of the database."""

from functools import lru_cache
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, Gauge, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from db.job_totals import job_totals
from jobs.runtime import Runtime

__all__ = ["metrics_routes", "observe_operation", "observe_request", "route_of"]

_ROUTES: Final = frozenset({"", "graphql", "graphiql", "static", "files", "uploads", "healthz", "readyz", "metrics"})

_KEPT: Final = 1_000
_REQUESTS: Final = Histogram("leadport_request_seconds", "HTTP requests.", ["route", "method", "status"])
_OPERATIONS: Final = Histogram("leadport_operation_seconds", "GraphQL operations.", ["kind", "outcome"])
_CONNECTIONS: Final = Gauge("leadport_pool_connections", "Database connections of this process.", ["pool", "state"])
_JOBS: Final = Gauge("leadport_jobs", "Jobs of all organizations.", ["kind", "state"])
_ROWS: Final = Gauge("leadport_job_rows", "Rows that jobs have moved.", ["kind", "state"])
_BYTES: Final = Gauge("leadport_job_bytes", "Bytes that jobs have moved.", ["kind", "state"])


def route_of(scope: Scope) -> str:
    """The first step of the path where it is one of ours; the rest of a path never becomes a label."""
    first = str(scope["path"]).lstrip("/").partition("/")[0]
    return f"/{first}" if first in _ROUTES else "other"


def observe_request(scope: Scope, status: int, seconds: float) -> None:
    """Count a request that has been answered."""
    _request_histogram(route_of(scope), scope["method"], status).observe(seconds)


def observe_operation(kind: str, outcome: str, seconds: float) -> None:
    """Count a GraphQL operation that has been run."""
    _operation_histogram(kind, outcome).observe(seconds)


@lru_cache(_KEPT)
def _request_histogram(route: str, method: str, status: int) -> Histogram:
    return _REQUESTS.labels(route, method, str(status))


@lru_cache(_KEPT)
def _operation_histogram(kind: str, outcome: str) -> Histogram:
    return _OPERATIONS.labels(kind, outcome)


def metrics_routes(runtime: Runtime) -> list[Route]:
    """The route of the metrics."""

    async def metrics(_: Request) -> Response:
        for name, pool in (("app", runtime.database), ("system", runtime.system)):
            _CONNECTIONS.labels(name, "open").set(pool.connections)
            _CONNECTIONS.labels(name, "idle").set(pool.idle_connections)
        for total in await job_totals(runtime.system):
            _JOBS.labels(total.kind, total.state).set(total.jobs)
            _ROWS.labels(total.kind, total.state).set(total.rows)
            _BYTES.labels(total.kind, total.state).set(total.bytes)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/metrics", metrics)]
