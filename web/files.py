"""The two routes of files: `/files/<token>` sends one (RFC 9110 ranges), `/uploads/<token>` takes one."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from domain.jobs import JobFileRecord
from jobs import import_templates, links, uploads
from jobs.runtime import Runtime
from storage.store import StorageUnavailable, content_disposition
from web.ranges import ByteRange, RangeNotSatisfiable, requested_range

__all__ = ["file_routes"]

_PRESIGNED_SECONDS: Final = 60
_UNAVAILABLE: Final = "The file store does not answer; try again in a moment."
_BEGUN_KEPT: Final = 10_000
_LATER: Final = {"Retry-After": "5"}
_HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_LINK_STATUS: Final = {links.WhyRefused.LINK: 403, links.WhyRefused.EXPIRED: 403, links.WhyRefused.GONE: 410}
_UPLOAD_STATUS: Final = {
    uploads.WhyRefused.LINK: 403,
    uploads.WhyRefused.EXPIRED: 410,
    uploads.WhyRefused.COMPLETE: 409,
    uploads.WhyRefused.TOO_LARGE: 413,
}


class _Begun:
    """The links whose download this process has seen begin, so that its further ranges are not counted again."""

    def __init__(self) -> None:
        self._tokens: OrderedDict[str, None] = OrderedDict()

    def begins(self, token: str, request: Request, file: JobFileRecord) -> bool:
        """Whether a request begins a download: at its first byte, or at any other where nothing went before."""
        try:
            part = _part(request, file)
        except RangeNotSatisfiable:
            return False
        return request.method != "HEAD" and (part is None or part.start == 0 or token not in self._tokens)

    def remember(self, token: str) -> None:
        """A download has begun."""
        self._tokens[token] = None
        if len(self._tokens) > _BEGUN_KEPT:
            self._tokens.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Files:
    runtime: Runtime
    pause_seconds: float
    begun: _Begun = field(default_factory=_Begun)

    async def download(self, request: Request) -> Response:
        """A file behind a signed link: whole, in part, or only its headers."""
        token, head = str(request.path_params["token"]), request.method == "HEAD"
        address = request.client.host if request.client else None

        def begins(file: JobFileRecord) -> bool:
            return self.begun.begins(token, request, file)

        try:
            file = await links.open_download(self.runtime, token, address, begins=begins)
            if begins(file):
                self.begun.remember(token)
            elsewhere = None if head else await self.runtime.store.presign(file.key, _PRESIGNED_SECONDS)
            if elsewhere is not None:
                return RedirectResponse(elsewhere, status_code=302, headers=dict(_HEADERS))
            return await self._answer(request, file)
        except links.LinkRefused as refused:
            return _refused(_LINK_STATUS[refused.why], refused.message)
        except FileNotFoundError:
            return _refused(410, "The file has been deleted.")
        except StorageUnavailable:
            return _refused(503, _UNAVAILABLE, _LATER)

    async def _answer(self, request: Request, file: JobFileRecord) -> Response:
        headers = {
            **_HEADERS,
            "Accept-Ranges": "bytes",
            "Content-Disposition": content_disposition(file.name),
            "ETag": _etag(file),
        }
        try:
            part = _part(request, file)
        except RangeNotSatisfiable:
            return _refused(416, "The file has no such range.", {"Content-Range": f"bytes */{file.bytes}"})
        status = 200
        if part is None:
            part = ByteRange(0, file.bytes)
        else:
            status = 206
            headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{file.bytes}"
        headers["Content-Length"] = str(part.end - part.start)
        if request.method == "HEAD":
            return Response(None, status, headers, file.content_type)
        return StreamingResponse(await self._bytes(file.key, part), status, headers, file.content_type)

    async def _bytes(self, key: str, part: ByteRange) -> AsyncIterator[bytes]:
        """The bytes, once the first of them are there: a status that was sent cannot be taken back."""
        if part.end == part.start:
            return _chained(b"", None)
        pieces = self.runtime.store.read(key, part.start, part.end)
        return _chained(await anext(pieces, b""), pieces)

    async def template(self, request: Request) -> Response:
        """An empty file to fill in, made now."""
        try:
            made = await import_templates.open_template(self.runtime, request.path_params["token"])
        except import_templates.TemplateRefused as refused:
            return _refused(403, str(refused))
        headers = {**_HEADERS, "Content-Disposition": content_disposition(made.name)}
        return Response(made.data, 200, headers, made.content_type)

    async def upload(self, request: Request) -> Response:
        """The bytes of an upload, streamed into the store."""
        try:
            async with asyncio.timeout(self.runtime.settings.upload_seconds):
                record = await uploads.accept_upload(self.runtime, request.path_params["token"], self._chunks(request))
        except uploads.UploadRefused as refused:
            return _refused(_UPLOAD_STATUS[refused.why], refused.message)
        except (TimeoutError, ClientDisconnect):
            return _refused(408, "The bytes came too slowly, or not all of them came.", {"Connection": "close"})
        except StorageUnavailable:
            return _refused(503, _UNAVAILABLE, _LATER)
        return JSONResponse({"bytes": record.bytes}, status_code=201, headers=dict(_HEADERS))

    async def _chunks(self, request: Request) -> AsyncGenerator[bytes]:
        stream = request.stream()
        while True:
            try:
                async with asyncio.timeout(self.pause_seconds):
                    chunk = await anext(stream, None)
            except TimeoutError:  # which is an OSError: the store would take it for its own
                raise ClientDisconnect from None
            if chunk is None:
                return
            if chunk:
                yield chunk


def file_routes(runtime: Runtime, *, pause_seconds: float) -> list[Route]:
    """The routes; `pause_seconds` bounds the pause between two pieces of an upload."""
    files = _Files(runtime, pause_seconds)
    return [
        Route("/files/{token}", files.download, methods=["GET"]),
        Route("/templates/{token}", files.template, methods=["GET"]),
        Route("/uploads/{token}", files.upload, methods=["PUT"]),
    ]


def _part(request: Request, file: JobFileRecord) -> ByteRange | None:
    """What is to be sent of the file, None for all of it; only GET has ranges. Raises RangeNotSatisfiable."""
    if request.method == "HEAD" or request.headers.get("if-range") not in (None, _etag(file)):
        return None
    return requested_range(request.headers.get("range"), file.bytes)


def _etag(file: JobFileRecord) -> str:
    return f'"{file.sha256}"'


async def _chained(first: bytes, rest: AsyncIterator[bytes] | None) -> AsyncIterator[bytes]:
    yield first
    if rest is not None:
        async for piece in rest:
            yield piece


def _refused(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status_code=status, headers={**_HEADERS, **(headers or {})})
