import json
import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from graphql import build_schema, parse, validate
from starlette.applications import Starlette

from web.pages import STATIC, PageConfig, page_routes

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "web" / "graphiql"
SHIPPED = sorted(path.relative_to(STATIC).as_posix() for path in (STATIC / "graphiql").rglob("*") if path.is_file())
DEMO = PageConfig(graphiql_enabled=True, demo_token="demo.token", version="1.2.3")
PLAIN = PageConfig(graphiql_enabled=True, demo_token=None, version="1.2.3")
OFF = PageConfig(graphiql_enabled=False, demo_token="demo.token", version="1.2.3")


def browse(config: PageConfig) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(Starlette(routes=page_routes(config)))
    return httpx.AsyncClient(transport=transport, base_url="http://leadport.test")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with browse(DEMO) as client:
        yield client


class Markup(HTMLParser):
    """The addresses a page refers to, and whatever a strict policy would refuse in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.refused: list[str] = []
        self._open = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src", "action", "srcset"}]
        self.refused += [name for name, _ in attrs if name == "style" or name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in {"script", "style"} and data.strip():
            self.refused.append(data)


def directives(response: httpx.Response) -> dict[str, list[str]]:
    policy = response.headers["content-security-policy"]
    return {name: sources for name, *sources in (directive.split() for directive in policy.split(";"))}


async def test_the_start_page_names_the_api_the_health_checks_and_the_version(client: httpx.AsyncClient):
    page = await client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for words in ("Version 1.2.3", "/graphql", "graphql-transport-ws", "text/event-stream", "multipart"):
        assert words in page.text
    assert {"graphiql/", "healthz", "readyz"} <= set(Markup(page.text).addresses)


async def test_the_start_page_escapes_the_version():
    async with browse(PageConfig(graphiql_enabled=False, demo_token=None, version="<b>&")) as client:
        page = await client.get("/")
    assert "&lt;b&gt;&amp;" in page.text
    assert "<b>" not in page.text


async def test_the_start_page_promises_a_token_only_in_a_demo():
    pages = {}
    for config in (DEMO, PLAIN):
        async with browse(config) as client:
            pages[config] = (await client.get("/")).text
    assert "filled in" in pages[DEMO]
    assert "filled in" not in pages[PLAIN]
    assert "demo.token" not in pages[DEMO]


@pytest.mark.parametrize("path", ["/", "/graphiql/"])
async def test_a_page_holds_no_inline_code_and_refers_to_no_other_host(client: httpx.AsyncClient, path: str):
    markup = Markup((await client.get(path)).text)
    assert markup.refused == []
    assert markup.addresses
    assert [address for address in markup.addresses if ":" in address or address.startswith("/")] == []


@pytest.mark.parametrize("path", ["/", "/graphiql/"])
async def test_everything_that_a_page_loads_is_served(client: httpx.AsyncClient, path: str):
    page = await client.get(path)
    elsewhere = {"graphiql/", "healthz", "readyz"}
    loaded = [address for address in Markup(page.text).addresses if address not in elsewhere]
    assert loaded
    for address in loaded:
        assert (await client.get(page.url.join(address))).status_code == 200, address


@pytest.mark.parametrize("path", ["/", "/static/start.css", "/graphiql/", "/graphiql/config.json"])
async def test_every_answer_carries_the_security_headers(client: httpx.AsyncClient, path: str):
    response = await client.get(path)
    assert response.status_code == 200
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cross-origin-resource-policy"] == "same-origin"
    policy = directives(response)
    assert (
        policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == policy["object-src"] == ["'none'"]
    )
    assert policy["default-src"] == policy["connect-src"] == policy["worker-src"] == ["'self'"]


async def test_only_graphiql_may_style_inline_and_draw_images_and_nothing_may_run_inline_code(
    client: httpx.AsyncClient,
):
    start, graphiql = directives(await client.get("/")), directives(await client.get("/graphiql/"))
    assert start["style-src"] == ["'self'"]
    assert graphiql["style-src"] == ["'self'", "'unsafe-inline'"]
    assert graphiql["img-src"] == ["'self'", "data:"]
    assert {"img-src", "script-src"} & start.keys() == set()
    assert {"font-src", "script-src"} & graphiql.keys() == set()


@pytest.mark.parametrize("path", SHIPPED)
async def test_every_shipped_file_is_served_with_its_type_and_its_caching(client: httpx.AsyncClient, path: str):
    response = await client.get(f"/{path}")
    assert response.content == (STATIC / path).read_bytes()
    types = {
        "css": "text/css; charset=utf-8",
        "html": "text/html; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "md": "text/markdown; charset=utf-8",
        "svg": "image/svg+xml",
        "ttf": "font/ttf",
        "txt": "text/plain; charset=utf-8",
    }
    assert response.headers["content-type"] == types[path.rpartition(".")[2]]
    hashed = path.startswith("graphiql/assets/")
    assert response.headers["cache-control"] == ("public, max-age=31536000, immutable" if hashed else "no-cache")


async def test_an_unchanged_page_is_not_sent_again(client: httpx.AsyncClient):
    first = await client.get("/graphiql/")
    again = await client.get("/graphiql/", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["cache-control"] == "no-cache"
    assert again.headers["content-security-policy"] == first.headers["content-security-policy"]


async def test_a_demo_hands_its_token_to_graphiql_and_lets_nobody_store_it(client: httpx.AsyncClient):
    response = await client.get("/graphiql/config.json")
    assert response.json() == {"headers": {"Authorization": "Bearer demo.token"}}
    assert response.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in response.headers


async def test_without_a_demo_there_is_no_token_to_fetch():
    async with browse(PLAIN) as client:
        assert (await client.get("/graphiql/")).status_code == 200
        assert (await client.get("/graphiql/config.json")).status_code == 404


@pytest.mark.parametrize("path", ["/graphiql/", "/graphiql", "/graphiql/config.json", "/static/graphiql/index.html"])
async def test_graphiql_switched_off_is_not_there(path: str):
    async with browse(OFF) as client:
        assert (await client.get(path)).status_code == 404
        assert "graphiql/" not in (await client.get("/")).text


async def test_graphiql_without_its_slash_redirects_to_it(client: httpx.AsyncClient):
    response = await client.get("/graphiql")
    assert response.status_code == 307
    assert response.headers["location"] == "http://leadport.test/graphiql/"


@pytest.mark.parametrize(
    "path",
    [
        "/static/%2e%2e/start.html",
        "/static/..%2f..%2fpages.py",
        "/static/%2fetc/passwd",
        "/graphiql/assets/..%2f..%2fstart.html",
        "/graphiql/..%5c..%5cpages.py",
        "/graphiql/%00",
        "/graphiql/assets",
        "/static/",
    ],
)
async def test_nothing_outside_the_served_folders_and_no_listing_can_be_read(client: httpx.AsyncClient, path: str):
    assert (await client.get(path)).status_code == 404


async def test_pages_cannot_be_written_to(client: httpx.AsyncClient):
    for path in ("/", "/static/start.css", "/graphiql/", "/graphiql/config.json"):
        assert (await client.post(path)).status_code == 405


def test_no_shipped_style_sheet_loads_from_elsewhere():
    sheets = list(STATIC.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        loads = re.findall(r"""@import|url\(\s*["']?(?:[a-z]+:|//)[^)]{0,40}""", sheet.read_text(encoding="utf-8"))
        assert [load for load in loads if not re.match(r"""url\(["']?data:image/""", load)] == [], sheet.name


def test_the_lock_file_records_no_download_addresses():
    packages = json.loads((SOURCES / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []


def test_the_shipped_page_was_built_with_the_locked_packages_and_the_default_query():
    packages = json.loads((SOURCES / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    licenses = (STATIC / "graphiql" / "THIRD_PARTY_LICENSES.md").read_text(encoding="utf-8")
    for name in ("graphiql", "@graphiql/plugin-explorer", "graphql-ws", "monaco-editor"):
        assert f"## {name} - {packages[f'node_modules/{name}']['version']} " in licenses
    scripts = "".join(path.read_text(encoding="utf-8") for path in (STATIC / "graphiql" / "assets").glob("index-*.js"))
    assert (SOURCES / "src" / "default-query.graphql").read_text(encoding="utf-8") in scripts


@pytest.mark.skipif(not (ROOT / "schema.graphql").exists(), reason="schema.graphql is not printed yet")
def test_the_default_query_is_valid_in_the_servers_schema():
    schema = build_schema((ROOT / "schema.graphql").read_text(encoding="utf-8"))
    query = (SOURCES / "src" / "default-query.graphql").read_text(encoding="utf-8")
    assert validate(schema, parse(query)) == []


async def test_a_large_asset_is_compressed_for_those_who_can_read_that(client: httpx.AsyncClient):
    page = (await client.get("/graphiql/")).text
    bundle = re.search(r'src="\.?/?(?:graphiql/)?(assets/[^"]+\.js)"', page)[1]
    plain = await client.get(f"/graphiql/{bundle}", headers={"Accept-Encoding": "identity"})
    packed = await client.get(f"/graphiql/{bundle}", headers={"Accept-Encoding": "gzip"})
    assert packed.content == plain.content
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert packed.headers["content-security-policy"] == plain.headers["content-security-policy"]
    assert packed.headers["cache-control"] == plain.headers["cache-control"]
    assert "content-encoding" not in plain.headers
