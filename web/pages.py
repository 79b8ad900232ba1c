"""The pages a browser sees: the start page and GraphiQL, built ahead and served from this server alone."""

import asyncio
import gzip
import html
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from string import Template

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
START_PAGE = Template((STATIC / "start.html").read_text(encoding="utf-8"))

# The machine's own table of media types differs between distributions; these are the types that are shipped.
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
}

_HASHED = "assets"
"""The folder of files whose names carry a hash of their content."""
_COMPRESSIBLE = frozenset({".css", ".js", ".svg"})
_OF_THE_PLAIN_FILE = frozenset({"content-length", "etag", "last-modified", "accept-ranges"})

COMMON_POLICY = (
    "default-src 'self'; connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
STRICT_POLICY = f"{COMMON_POLICY}; style-src 'self'"
# GraphiQL's editor (Monaco) writes <style> elements and style attributes, has no nonce to offer for them, and draws
# the underline of a fault as an image with a data: address.
GRAPHIQL_POLICY = f"{COMMON_POLICY}; style-src 'self' 'unsafe-inline'; img-src 'self' data:"

GRAPHIQL_READY = (
    '<p><a href="graphiql/">Open GraphiQL</a>. A token of the demo organization is filled in, with a query to run.</p>'
)
GRAPHIQL_LINK = '<p><a href="graphiql/">Open GraphiQL</a> and put a token into its Headers tab.</p>'
GRAPHIQL_OFF = "<p>GraphiQL is switched off on this server; any GraphQL client can use the API.</p>"


@dataclass(frozen=True, slots=True)
class PageConfig:
    """What the pages show.

    Attributes:
        graphiql_enabled: Whether /graphiql/ exists.
        demo_token: A bearer token that GraphiQL fills in for everyone who can reach the page; None outside a demo.
        version: The server's version, as the start page names it.
    """

    graphiql_enabled: bool
    demo_token: str | None
    version: str


_REFUSING = (Middleware(ExceptionMiddleware),)
"""StaticFiles raises what it answers for a file that is not there."""


class Assets(StaticFiles):
    """Files of one folder under a content security policy.

    Files in a folder called `assets` carry a hash of their content in their name and never change; all others are
    asked for again each time and answered 304 while they are the same.
    """

    def __init__(self, directory: Path, *, policy: str, html: bool = False) -> None:
        super().__init__(directory=directory, html=html)
        self._policy = policy
        self._compressed: dict[Path, bytes] = {}

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The file with its media type, caching and security headers."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        path = Path(full_path)
        if not isinstance(response, NotModifiedResponse):
            response.headers["Content-Type"] = MEDIA_TYPES.get(path.suffix, "application/octet-stream")
        immutable = path.parent.name == _HASHED
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if immutable else "no-cache"
        response.headers.update(security_headers(self._policy))
        return response

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, compressed for those who can read that; each is compressed once."""
        response = await super().get_response(path, scope)
        readable = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        if not readable or not isinstance(response, FileResponse) or response.status_code != HTTPStatus.OK:
            return response
        file = Path(response.path)
        if file.parent.name != _HASHED or file.suffix not in _COMPRESSIBLE:
            return response
        if file not in self._compressed:
            self._compressed[file] = await asyncio.to_thread(_compressed, file)
        headers = {name: value for name, value in response.headers.items() if name not in _OF_THE_PLAIN_FILE}
        headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return Response(self._compressed[file], headers=headers)


def _compressed(file: Path) -> bytes:
    return gzip.compress(file.read_bytes(), 6, mtime=0)


def security_headers(policy: str) -> dict[str, str]:
    """The headers of every page and asset, with the given Content-Security-Policy (W3C CSP level 3)."""
    return {
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def page_routes(config: PageConfig) -> list[Route | Mount]:
    """Routes of the start page, its style sheet and, where enabled, GraphiQL.

    Raises:
        RuntimeError: If a folder of built files is missing from the checkout.
    """
    routes: list[Route | Mount] = [
        Route("/", _start_page(config)),
        Mount("/static", Assets(STATIC / "site", policy=STRICT_POLICY), middleware=_REFUSING),
    ]
    if config.graphiql_enabled:
        if config.demo_token is not None:
            routes.append(Route("/graphiql/config.json", _demo_headers(config.demo_token)))
        assets = Assets(STATIC / "graphiql", policy=GRAPHIQL_POLICY, html=True)
        routes.append(Mount("/graphiql", assets, middleware=_REFUSING))
    return routes


def _start_page(config: PageConfig) -> Callable[[Request], Awaitable[Response]]:
    if not config.graphiql_enabled:
        try_it = GRAPHIQL_OFF
    elif config.demo_token is None:
        try_it = GRAPHIQL_LINK
    else:
        try_it = GRAPHIQL_READY
    page = START_PAGE.substitute(version=html.escape(config.version), try_it=try_it)
    headers = {"Cache-Control": "no-cache"} | security_headers(STRICT_POLICY)

    async def answer(_: Request) -> Response:
        return HTMLResponse(page, headers=headers)

    return answer


def _demo_headers(token: str) -> Callable[[Request], Awaitable[Response]]:
    content = {"headers": {"Authorization": f"Bearer {token}"}}
    headers = {"Cache-Control": "no-store"} | security_headers(STRICT_POLICY)

    async def answer(_: Request) -> Response:
        return JSONResponse(content, headers=headers)

    return answer
