"""The two routes of files: `/files/<token>` sends one (RFC 9110 ranges), `/uploads/<token>` takes one."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from domain.errors import Rejected
from domain.jobs import JobFileRecord
from jobs import import_templates, links, uploads
from jobs.runtime import Runtime
from storage.store import StorageUnavailable, content_disposition
from web.ranges import ByteRange, RangeNotSatisfiable, requested_range

__all__ = ["file_routes"]

_PRESIGNED_SECONDS: Final = 60
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


@dataclass(frozen=True, slots=True)
class _Files:
    runtime: Runtime
    pause_seconds: float

    async def download(self, request: Request) -> Response:
        """A file behind a signed link: whole, in part, or only its headers."""
        head, wanted = request.method == "HEAD", request.headers.get("range")
        begins = not head and (wanted is None or wanted.replace(" ", "").startswith("bytes=0-"))
        address = request.client.host if request.client else None
        try:
            opened = await links.open_download(self.runtime, request.path_params["token"], address, begins=begins)
            elsewhere = await self.runtime.store.presign(opened.file.key, _PRESIGNED_SECONDS)
        except links.LinkRefused as refused:
            return _refused(_LINK_STATUS[refused.why], refused.message)
        except StorageUnavailable:
            return _refused(503, "The file store does not answer; try again in a moment.")
        if elsewhere is not None and not head:
            return RedirectResponse(elsewhere, status_code=302, headers=dict(_HEADERS))
        return self._answer(request, opened.file)

    def _answer(self, request: Request, file: JobFileRecord) -> Response:
        etag = f'"{file.sha256}"'
        headers = {
            **_HEADERS,
            "Accept-Ranges": "bytes",
            "Content-Disposition": content_disposition(file.name),
            "ETag": etag,
        }
        condition = request.headers.get("if-range")
        wanted = request.headers.get("range") if condition in (None, etag) else None
        try:
            part = requested_range(wanted, file.bytes)
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
        return StreamingResponse(self._bytes(file.key, part), status, headers, file.content_type)

    async def _bytes(self, key: str, part: ByteRange) -> AsyncIterator[bytes]:
        if part.end > part.start:
            async for piece in self.runtime.store.read(key, part.start, part.end):
                yield piece

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
            record = await uploads.accept_upload(self.runtime, request.path_params["token"], self._chunks(request))
        except uploads.UploadRefused as refused:
            return _refused(_UPLOAD_STATUS[refused.why], refused.message)
        except Rejected as refused:
            return _refused(413, str(refused))
        except (TimeoutError, ClientDisconnect):
            return _refused(408, f"The bytes paused for more than {self.pause_seconds:.0f} seconds.")
        except StorageUnavailable:
            return _refused(503, "The file store does not answer; try again in a moment.")
        return JSONResponse({"bytes": record.bytes}, status_code=201, headers=dict(_HEADERS))

    async def _chunks(self, request: Request) -> AsyncGenerator[bytes]:
        stream = request.stream()
        while True:
            async with asyncio.timeout(self.pause_seconds):
                chunk = await anext(stream, None)
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


def _refused(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status_code=status, headers={**_HEADERS, **(headers or {})})
