"""The outermost layer: one log line and one safe answer for what nobody expected, and a duration for every request."""

import logging
import time
from dataclasses import dataclass
from typing import Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.ids import new_id
from web.metrics import REQUESTS, route_of

__all__ = ["Edge"]

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Edge:
    """Wraps the application."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or socket; the lifespan passes through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.monotonic(), 500
        answering = False

        async def note(message: Message) -> None:
            nonlocal status, answering
            if message["type"] == "http.response.start":
                status, answering = message["status"], True
            await send(message)

        try:
            await self.app(scope, receive, note)
        except Exception:  # noqa: BLE001 - the edge: whatever it is, callers get an id and the log the rest
            correlation_id = str(new_id())
            _LOG.exception("request failed", extra={"correlation_id": correlation_id, "route": route_of(scope)})
            if not answering:
                await _masked(correlation_id)(scope, receive, send)
        finally:
            REQUESTS.labels(route_of(scope), scope["method"], str(status)).observe(time.monotonic() - started)


def _masked(correlation_id: str) -> JSONResponse:
    message = "Something went wrong. The correlation id finds it in the server's log."
    error = {"message": message, "extensions": {"code": "INTERNAL", "correlationId": correlation_id}}
    return JSONResponse({"errors": [error]}, 500, {"X-Content-Type-Options": "nosniff"})
