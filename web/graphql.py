"""The GraphQL route: GraphQL over HTTP, server-sent events and multipart subscriptions over one engine."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from graphql import OperationType
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from domain.errors import BadInput, Forbidden, Unauthenticated
from resolvers.encoding import encode
from resolvers.ports import Caller, Services, request_context
from web.authentication import Authenticator, credential_of
from web.engine import Answer, Engine, Refused
from web.graphql_request import BadRequest, RequestLimits, close_files, read_request
from web.negotiation import Media, accepted
from web.rates import Rates, TooManyRequests
from web.streams import Leave, as_events, as_parts

__all__ = ["GraphQLRoute"]

_STREAMS: Final = (Media.EVENTS, Media.MULTIPART)
_WHOLE: Final = (Media.RESPONSE, Media.JSON)
_MULTIPART_TYPE: Final = 'multipart/mixed; boundary="graphql"; subscriptionSpec=1.0'
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_RAW_HEADERS: Final = {
    media: [
        (b"content-type", f"{media}; charset=utf-8".encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    for media in _WHOLE
}


@dataclass(frozen=True, slots=True)
class GraphQLRoute:
    """Answers GET and POST of the GraphQL route, as an ASGI application."""

    engine: Engine
    services: Services
    authenticator: Authenticator
    rates: Rates
    limits: RequestLimits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            response = await self._response(request)
            await response(scope, receive, send)
        finally:
            await close_files(request)

    async def _response(self, request: Request) -> Response:
        """The answer, whatever the request is worth."""
        try:
            return await self._answer(request)
        except BadRequest as bad:
            return _failed(bad.status, bad.message, bad.code)
        except Unauthenticated as denied:
            return _failed(401, str(denied), "UNAUTHENTICATED", {"WWW-Authenticate": "Bearer"})
        except Forbidden as denied:
            return _failed(403, str(denied), "FORBIDDEN")
        except BadInput as bad:
            return _failed(400, bad.message, "BAD_USER_INPUT")
        except TooManyRequests as many:
            return _failed(429, str(many), "RATE_LIMITED", {"Retry-After": str(many.seconds)})

    async def _answer(self, request: Request) -> Response:
        media = accepted(request.headers.get("accept"))
        if not media:
            raise BadRequest(406, "Accept names none of: " + ", ".join(Media))
        address = request.client.host if request.client else None
        caller = await self._caller(request, address)
        ready = await self.engine.prepare(await read_request(request, self.limits), anonymous=caller is None)
        self.rates.count(caller.actor if caller else None, address, ready.cost)
        if isinstance(ready, Refused):
            return _whole(ready.answer, media)
        if request.method == "GET" and ready.kind is not OperationType.QUERY:
            raise BadRequest(405, "GET runs queries only; use POST.")
        context = request_context(self.services, caller, address)
        subscribing = ready.kind is OperationType.SUBSCRIPTION
        chosen = media[0] if media[0] in _STREAMS else next((one for one in media if one in _STREAMS), None)
        if subscribing or media[0] is Media.EVENTS:
            leave = Leave(caller.actor.expires_at if caller else None, partial(self._stays, request, caller, address))
            return _stream(chosen, self.engine.stream(ready, context), leave)
        return _whole(await self.engine.run(ready, context), media)

    async def _caller(self, request: Request, address: str | None) -> Caller | None:
        credential = credential_of(request.headers)
        return await self.authenticator.admit(credential, address) if credential else None

    async def _stays(self, request: Request, caller: Caller | None, address: str | None) -> bool:
        """Whether whoever listens may go on to."""
        credential = credential_of(request.headers)
        return credential is None or await self.authenticator.renewed(caller, credential, address) is not None


def _stream(media: Media | None, answers: AsyncGenerator[Answer], leave: Leave) -> Response:
    if media is Media.EVENTS:
        return StreamingResponse(as_events(answers, leave), headers=_HEADERS, media_type=Media.EVENTS)
    if media is Media.MULTIPART:
        headers = {**_HEADERS, "Content-Type": _MULTIPART_TYPE}
        return StreamingResponse(as_parts(answers, leave), headers=headers)
    raise BadRequest(406, "A subscription needs Accept: text/event-stream or multipart/mixed.")


class _Whole(Response):
    """An answer in one piece, with headers that are ready: Starlette encodes those that it is given each time."""

    def __init__(self, answer: Answer, status: int, media: Media) -> None:
        self.body = encode(answer)
        self.status_code = status
        self.background = None
        self.raw_headers = [(b"content-length", b"%d" % len(self.body)), *_RAW_HEADERS[media]]


def _whole(answer: Answer, media: Sequence[Media]) -> Response:
    """400 for an answer without data, for those who know the media type of GraphQL over HTTP; 200 for the others."""
    chosen = next((one for one in media if one in _WHOLE), Media.JSON)
    failed = chosen is Media.RESPONSE and "data" not in answer
    return _Whole(answer, 400 if failed else 200, chosen)


def _failed(status: int, message: str, code: str, headers: Mapping[str, str] | None = None) -> Response:
    answer = {"errors": [{"message": message, "extensions": {"code": code}}]}
    response = _Whole(answer, status, Media.JSON)
    response.headers.update(headers or {})
    return response
