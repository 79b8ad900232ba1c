"""Tells of each request to whoever traces the server: route, method and status, and nothing that a caller wrote."""

from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.observing import Observe
from web.metrics import route_of

__all__ = ["Observed"]

_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Observed:
    """Wraps the whole application."""

    app: ASGIApp
    observe: Observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; sockets and the lifespan pass through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method, route = str(scope["method"]), route_of(scope)
        with self.observe(f"{method} {route}", {"http.request.method": method, "http.route": route}) as said:

            async def note(message: Message) -> None:
                if message["type"] == "http.response.start":
                    status = int(message["status"])
                    failed = {"failed": status} if status >= _SERVER_ERROR else {}
                    said({"http.response.status_code": status, **failed})
                await send(message)

            await self.app(scope, receive, note)
