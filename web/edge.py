"""The outermost layer: what nobody expected becomes one log line and one safe answer.

Every request gets a duration in the metrics, every answer its security headers.
"""

import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.ids import new_id
from resolvers.errors import MASKED
from web.metrics import observe_request, route_of

__all__ = ["Edge", "unbroken"]

_LOG: Final = logging.getLogger(__name__)
_INTERNAL_ERROR: Final = 1011
"""RFC 6455, section 7.4.1."""
_HEADERS: Final = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
"""Of answers that set none of their own; no answer is without."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Wraps the application."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or socket; the lifespan passes through."""
        match scope["type"]:
            case "http":
                await self._request(scope, receive, send)
            case "websocket":
                await self._socket(scope, receive, send)
            case _:
                await self.app(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception:  # noqa: BLE001 - the edge, as below: one log line, and a socket that closes
            _LOG.exception("socket failed", extra={"correlation_id": str(new_id()), "route": route_of(scope)})
            with suppress(RuntimeError):  # it is closed already
                await send({"type": "websocket.close", "code": _INTERNAL_ERROR, "reason": "Internal server error"})

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, status = time.monotonic(), 500
        answering = False

        async def note(message: Message) -> None:
            nonlocal status, answering
            if message["type"] == "http.response.start":
                status, answering = message["status"], True
                headers: list[tuple[bytes, bytes]] = message["headers"]
                own = {name for name, _ in headers}
                message["headers"] = [*headers, *(header for header in _HEADERS if header[0] not in own)]
            await send(message)

        try:
            await self.app(scope, receive, note)
        except Exception:  # noqa: BLE001 - the edge: whatever it is, callers get an id and the log the rest
            correlation_id = str(new_id())
            _LOG.exception("request failed", extra={"correlation_id": correlation_id, "route": route_of(scope)})
            if not answering:
                await _masked(correlation_id)(scope, receive, send)
        finally:
            taken = time.monotonic() - started
            observe_request(scope, status, taken)
            if _LOG.isEnabledFor(logging.DEBUG):
                facts = {"route": route_of(scope), "method": scope["method"], "status": status, "seconds": taken}
                _LOG.debug("request", extra=facts)


async def unbroken(answers: AsyncGenerator[Mapping[str, object]]) -> AsyncGenerator[Mapping[str, object]]:
    """The answers of a stream; what nobody expected is logged, and ends it with one more answer, which masks it."""
    try:
        async with aclosing(answers):
            async for answer in answers:
                yield answer
    except Exception:  # noqa: BLE001 - the edge, as above: the answer has begun, and no status can tell
        correlation_id = str(new_id())
        _LOG.exception("stream failed", extra={"correlation_id": correlation_id})
        yield _masked_answer(correlation_id)


def _masked(correlation_id: str) -> JSONResponse:
    return JSONResponse(_masked_answer(correlation_id), 500)


def _masked_answer(correlation_id: str) -> dict[str, object]:
    return {"errors": [{"message": MASKED, "extensions": {"code": "INTERNAL", "correlationId": correlation_id}}]}
