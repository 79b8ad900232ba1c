"""Whether the process is alive, and whether it can do its work."""

import asyncio
from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db.transient import TRANSIENT
from jobs.runtime import Runtime

__all__ = ["health_routes"]

_SECONDS: Final = 3.0


def health_routes(runtime: Runtime, worker_healthy: Callable[[], bool] | None) -> list[Route]:
    """`/healthz`: the process answers. `/readyz`: the database answers too, and the worker where there is one."""

    async def healthy(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_: Request) -> Response:
        checks = {"database": await _database(runtime)}
        if worker_healthy is not None:
            checks["worker"] = worker_healthy()
        passed = all(checks.values())
        return JSONResponse({"status": "ok" if passed else "unavailable", **checks}, 200 if passed else 503)

    return [Route("/healthz", healthy), Route("/readyz", ready)]


async def _database(runtime: Runtime) -> bool:
    try:
        async with asyncio.timeout(_SECONDS):
            await runtime.system.ping()
    except (*TRANSIENT, TimeoutError):
        return False
    return True
