"""Reads a GraphQL request from HTTP: GraphQL over HTTP for JSON and GET, graphql-multipart-request-spec for files."""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Final, cast
from urllib.parse import parse_qsl

import orjson
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

_SIMPLE_TYPES: Final = ("multipart/form-data", "text/plain", "application/x-www-form-urlencoded")
_PREFLIGHT_HEADERS: Final = ("graphql-preflight", "apollo-require-preflight", "x-apollo-operation-name")
_CHARSET: Final = re.compile(r'charset="?utf-?8"?', re.IGNORECASE)
_MAX_FILES: Final = 20
_LOSSLESS: Final = "latin-1"
_FORM: Final = "leadport.form"
_MAX_PATH: Final = 20
_MAX_STEP: Final = 100


class BadRequest(Exception):
    """The request is no GraphQL request; answered with this status and message."""

    def __init__(self, status: int, message: str, code: str = "BAD_REQUEST") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Bytes of a body, of a multipart body, and seconds until a body must have come in whole."""

    body_bytes: int = 2 << 20
    multipart_bytes: int = 12 << 20
    seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What is to be run."""

    query: str
    variables: Mapping[str, object] = field(default_factory=dict[str, object])
    operation_name: str | None = None


async def read_request(request: Request, limits: RequestLimits) -> GraphQLRequest:
    """The request of a GET or POST. Raises BadRequest."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    _refuse_simple(request, kind)
    if request.method == "GET":
        return _from_query_string(request)
    if kind == "application/json":
        _refuse_other_charsets(request)
        return request_of(_json(await _body(request, limits.body_bytes, limits.seconds)))
    if kind == "multipart/form-data":
        return await _from_multipart(request, limits)
    raise BadRequest(415, "The content type must be application/json or multipart/form-data.")


def _refuse_simple(request: Request, kind: str) -> None:
    """A cross-site form can send these types without asking first (CSRF)."""
    simple = kind in _SIMPLE_TYPES or (not kind and request.method == "POST")
    if simple and not any(name in request.headers for name in _PREFLIGHT_HEADERS):
        raise BadRequest(
            415 if kind != "multipart/form-data" else 400,
            "This content type needs the header GraphQL-Preflight: 1.",
            "CSRF",
        )


def _refuse_other_charsets(request: Request) -> None:
    parameters = request.headers["content-type"].partition(";")[2].strip()
    if "charset" in parameters.lower() and not _CHARSET.search(parameters):
        raise BadRequest(415, "The charset must be UTF-8.")


async def _body(request: Request, limit: int, seconds: float) -> bytes:
    received = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                received += chunk
                if len(received) > limit:
                    raise BadRequest(413, f"A body has at most {limit} bytes.", "LIMIT_EXCEEDED")
    except TimeoutError:
        raise BadRequest(408, f"The body must arrive within {seconds:.0f} seconds.", "LIMIT_EXCEEDED") from None
    except ClientDisconnect:
        raise BadRequest(400, "The body ended early.") from None
    return bytes(received)


def _json(body: bytes) -> object:
    try:
        return cast("object", orjson.loads(body))
    except orjson.JSONDecodeError:
        raise BadRequest(400, "The body is not valid JSON.") from None


def _from_query_string(request: Request) -> GraphQLRequest:
    document: dict[str, object] = dict(parse_qsl(request.url.query, keep_blank_values=True, max_num_fields=20))
    for name in ("variables", "extensions"):
        text = document.get(name)
        if isinstance(text, str) and text:
            document[name] = _json(text.encode())
    if "operationName" in document and not document["operationName"]:
        del document["operationName"]
    return request_of(document)


def request_of(document: object) -> GraphQLRequest:
    """The request that a JSON document holds. Raises BadRequest."""
    if isinstance(document, list):
        raise BadRequest(400, "Batches are not supported: send one operation a request.")
    if not isinstance(document, dict):
        raise BadRequest(400, "The body must be a JSON object.")
    known = cast("dict[str, object]", document)
    query = known.get("query")
    if not isinstance(query, str) or not query:
        raise BadRequest(400, "`query` must be a non-empty string.")
    name = known.get("operationName")
    if name is not None and not isinstance(name, str):
        raise BadRequest(400, "`operationName` must be a string.")
    if not isinstance(known.get("extensions"), dict | None):
        raise BadRequest(400, "`extensions` must be an object.")
    return GraphQLRequest(query, _variables(known.get("variables")), name)


def _variables(value: object) -> Mapping[str, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequest(400, "`variables` must be an object.")
    return cast("dict[str, object]", value)


async def _from_multipart(request: Request, limits: RequestLimits) -> GraphQLRequest:
    parts = await _parts(request, limits)
    operations, places = (_json(_text(parts, name, limits.body_bytes)) for name in ("operations", "map"))
    if not isinstance(places, dict) or not isinstance(operations, dict):
        raise BadRequest(400, "`operations` and `map` must be JSON objects.")
    if len(cast("dict[str, object]", places)) > _MAX_FILES:
        raise BadRequest(413, f"A request has at most {_MAX_FILES} files.", "LIMIT_EXCEEDED")
    for name, paths in cast("dict[str, object]", places).items():
        if name not in parts or not isinstance(paths, list) or len(cast("list[object]", paths)) > _MAX_FILES:
            raise BadRequest(400, f"`map` names no part of the request: {name[:100]!r}.")
        for path in cast("list[object]", paths):
            _put(cast("dict[str, object]", operations), path, _file(name, parts[name]))
    return request_of(cast("object", operations))


async def _parts(request: Request, limits: RequestLimits) -> dict[str, UploadFile | str]:
    received = 0

    async def counted() -> AsyncGenerator[bytes]:
        nonlocal received
        async for chunk in request.stream():
            received += len(chunk)
            if received > limits.multipart_bytes:
                raise BadRequest(413, f"A multipart body has at most {limits.multipart_bytes} bytes.", "LIMIT_EXCEEDED")
            yield chunk

    try:
        async with asyncio.timeout(limits.seconds):
            form = await MultiPartParser(
                _as_bytes(request.headers),
                counted(),
                max_files=_MAX_FILES,
                max_fields=_MAX_FILES,
                max_part_size=limits.multipart_bytes,
            ).parse()
    except MultiPartException as error:
        raise BadRequest(400, error.message) from None
    except (TimeoutError, ClientDisconnect, KeyError, ValueError):
        raise BadRequest(400, "The multipart body is damaged or came too slowly.") from None
    request.scope[_FORM] = form
    return dict(form.multi_items())


async def close_files(request: Request) -> None:
    """Close the temporary files that came with a request."""
    form = request.scope.get(_FORM)
    if isinstance(form, FormData):
        await form.close()


def _as_bytes(headers: Headers) -> Headers:
    """The parser decodes parts without a file name: in Latin-1 every byte stays what it was."""
    return Headers({"content-type": f"{headers['content-type']}; charset={_LOSSLESS}"})


def _file(name: str, part: UploadFile | str) -> UploadFile:
    """A part that `map` names is a file, also without a file name (streamed uploads have none)."""
    if isinstance(part, UploadFile):
        return part
    data = part.encode(_LOSSLESS)
    return UploadFile(BytesIO(data), size=len(data), filename=name)


def _text(parts: Mapping[str, UploadFile | str], name: str, limit: int) -> bytes:
    value = parts.get(name)
    if not isinstance(value, str):
        raise BadRequest(400, f"The part `{name}` is missing.")
    if len(value) > limit:
        raise BadRequest(413, f"The part `{name}` has at most {limit} bytes.", "LIMIT_EXCEEDED")
    return value.encode(_LOSSLESS)


def _put(operations: dict[str, object], path: object, part: UploadFile) -> None:
    """Put a file where `operations` has null: `variables.input.source.file`, `variables.files.0`."""
    steps = path.split(".") if isinstance(path, str) else []
    if not 1 < len(steps) <= _MAX_PATH or steps[0] != "variables":
        raise BadRequest(400, "`map` must lead into the variables.")
    place: object = operations
    for step in steps[:-1]:
        place = _step(place, step)
    if _step(place, steps[-1]) is not None:
        raise BadRequest(400, "`map` must lead to a null.")
    if isinstance(place, dict):
        place[steps[-1]] = part
    elif isinstance(place, list):
        place[int(steps[-1])] = part


def _step(place: object, step: str) -> object:
    if len(step) > _MAX_STEP:
        raise BadRequest(400, f"`map` leads nowhere: {step[:100]!r}.")
    if isinstance(place, dict) and step in place:
        return cast("dict[str, object]", place)[step]
    if isinstance(place, list) and step.isdecimal() and int(step) < len(cast("list[object]", place)):
        return cast("list[object]", place)[int(step)]
    raise BadRequest(400, f"`map` leads nowhere: {step[:100]!r}.")
