"""The graphql-transport-ws protocol (graphql-ws, version 6) over a WebSocket."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Final, NoReturn, cast
from urllib.parse import urlsplit

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from domain.errors import BadInput, Forbidden, Unauthenticated
from resolvers.encoding import encode
from resolvers.ports import Caller, Services, request_context
from web.authentication import Authenticator, Credential, credential_of
from web.config import SocketLimits
from web.engine import Answer, Engine, Ready, Refused
from web.graphql_request import BadRequest, request_of
from web.rates import Rates, TooManyRequests

__all__ = ["SocketRoute"]

PROTOCOL: Final = "graphql-transport-ws"
_Message = Mapping[str, object]


class _Close(Exception):
    """The protocol asks to close the socket with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SocketRoute:
    """Accepts sockets of our own pages, of allowed origins, and of programs, which send no Origin."""

    engine: Engine
    services: Services
    authenticator: Authenticator
    rates: Rates
    limits: SocketLimits
    origins: tuple[str, ...]

    async def __call__(self, socket: WebSocket) -> None:
        """One socket, from its handshake to its end."""
        origin = socket.headers.get("origin")
        same = origin is None or urlsplit(origin).netloc == socket.headers.get("host")
        if not (same or origin in self.origins) or PROTOCOL not in socket.scope["subprotocols"]:
            await socket.close()  # before it is accepted: answered with 403
            return
        await socket.accept(PROTOCOL)
        await _Connection(self, socket).run()


@dataclass(slots=True)
class _Connection:
    route: SocketRoute
    socket: WebSocket
    credential: Credential | None = None
    caller: Caller | None = None
    acknowledged: bool = False
    operations: dict[str, asyncio.Task[None]] = field(default_factory=dict[str, "asyncio.Task[None]"])

    async def run(self) -> None:
        halves = {asyncio.create_task(self._watch()), asyncio.create_task(self._listen())}
        try:
            ended, _ = await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
            for half in ended:
                half.result()
        except _Close as close:
            await self._close(close.code, close.reason)
        except WebSocketDisconnect:
            pass
        finally:
            tasks = [*halves, *self.operations.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self) -> NoReturn:
        while True:
            await self._handle(_message(await self._text()))

    async def _text(self) -> str:
        try:
            return await self.socket.receive_text()
        except KeyError:  # a binary frame has no text
            raise _Close(4400, "Messages are text") from None

    async def _watch(self) -> NoReturn:
        """Closes a socket that never says who it is, and one whose credential has ended."""
        await asyncio.sleep(self.route.limits.init_seconds)
        if not self.acknowledged:
            raise _Close(4408, "Connection initialisation timeout")
        while True:
            await asyncio.sleep(self.route.limits.check_seconds)
            if self.credential is None:
                continue
            self.caller = await self.route.authenticator.renewed(self.caller, self.credential, self._address)
            if self.caller is None:
                raise _Close(4403, "Forbidden")

    async def _handle(self, message: _Message) -> None:
        match message.get("type"):
            case "connection_init":
                await self._init(message.get("payload"))
            case "ping":
                await self._send({"type": "pong"})
            case "pong":
                pass
            case "subscribe":
                await self._subscribe(message)
            case "complete":
                task = self.operations.pop(str(message.get("id")), None)
                if task is not None:
                    task.cancel()
            case _:
                raise _Close(4400, "Unknown message type")

    async def _init(self, payload: object) -> None:
        if self.acknowledged:
            raise _Close(4429, "Too many initialisation requests")
        if payload is not None and not isinstance(payload, dict):
            raise _Close(4400, "Invalid connection_init payload")
        params = {
            name.lower(): value
            for name, value in cast("dict[str, object]", payload or {}).items()
            if isinstance(value, str)
        }
        try:
            self.credential = credential_of({**self.socket.headers, **params})
            if self.credential is not None:
                self.caller = await self.route.authenticator.admit(self.credential, self._address)
        except (Unauthenticated, Forbidden, BadInput):
            raise _Close(4403, "Forbidden") from None
        except TooManyRequests as many:
            raise _Close(4429, str(many)) from None
        self.acknowledged = True
        await self._send({"type": "connection_ack"})

    @property
    def _address(self) -> str | None:
        return self.socket.client.host if self.socket.client else None

    async def _subscribe(self, message: _Message) -> None:
        if not self.acknowledged:
            raise _Close(4401, "Unauthorized")
        name = message.get("id")
        if not isinstance(name, str) or not name:
            raise _Close(4400, "Invalid subscribe message")
        if name in self.operations:
            raise _Close(4409, f"Subscriber for {name[:80]} already exists")
        if len(self.operations) >= self.route.limits.operations:
            raise _Close(4429, f"A socket runs at most {self.route.limits.operations} operations at once")
        try:
            ready = await self._prepare(message.get("payload"))
        except BadRequest as bad:
            raise _Close(4400, bad.message[:100]) from None
        if isinstance(ready, Refused):
            await self._send({"id": name, "type": "error", "payload": ready.answer["errors"]})
            return
        self.operations[name] = asyncio.create_task(self._operate(name, ready))

    async def _prepare(self, payload: object) -> Ready | Refused:
        ready = await self.route.engine.prepare(request_of(payload), anonymous=self.caller is None)
        try:
            self.route.rates.count(self.caller.actor if self.caller else None, self._address, ready.cost)
        except TooManyRequests as many:
            error = {"message": str(many), "extensions": {"code": "RATE_LIMITED", "retryAfterSeconds": many.seconds}}
            return Refused({"errors": [error]})
        return ready

    async def _operate(self, name: str, ready: Ready) -> None:
        context = request_context(self.route.services, self.caller, self._address)
        async with aclosing(self.route.engine.stream(ready, context)) as answers:
            async for answer in answers:
                await self._answer(name, answer)
        if self.operations.pop(name, None) is not None:
            await self._send({"id": name, "type": "complete"})

    async def _answer(self, name: str, answer: Answer) -> None:
        if "data" not in answer:
            self.operations.pop(name, None)
            await self._send({"id": name, "type": "error", "payload": answer["errors"]})
            return
        await self._send({"id": name, "type": "next", "payload": answer})

    async def _send(self, message: Mapping[str, object]) -> None:
        if self.socket.application_state is WebSocketState.CONNECTED:
            with suppress(WebSocketDisconnect, RuntimeError):  # closed while the message was made
                await self.socket.send_text(encode(message).decode())

    async def _close(self, code: int, reason: str) -> None:
        if self.socket.application_state is WebSocketState.CONNECTED:
            with suppress(RuntimeError):
                await self.socket.close(code, reason)


def _message(text: str) -> _Message:
    try:
        message = cast("object", orjson.loads(text))
    except orjson.JSONDecodeError:
        raise _Close(4400, "Messages are JSON") from None
    if not isinstance(message, dict):
        raise _Close(4400, "Messages are JSON objects")
    return cast("dict[str, object]", message)
