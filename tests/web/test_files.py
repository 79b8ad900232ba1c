"""The routes of files: what is counted, what is refused, what an object store takes over (SECURITY-TESTS 4, 26)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from domain.vocabulary import Role
from jobs.runtime import Runtime
from storage.store import StorageUnavailable, open_store
from tests.object_store import seaweed
from tests.resolvers.office import Desk, Office, open_office, uuid
from web.app import create_app
from web.config import WebConfig
from web.pages import PageConfig
from web.tokens import TokenSettings

EXPORT = """mutation { exportLeads(input: {spec: {columns: [{field: NAME}]}, waitSeconds: 20}) {
  job { id file { id } } download { url } } }"""
UPLOAD = 'mutation { createUpload(input: {fileName: "leads.csv"}) { upload { id put { url } } } }'
TOKENS = TokenSettings("leadport", "leadport", {"tests": b"a secret of the tests that is long enough"})
PAUSE_SECONDS = 1.0


@pytest.fixture(scope="module")
async def office(shared_database_url: str, shared_files: Path) -> AsyncIterator[Office]:
    async with open_office(shared_database_url, shared_files) as office:
        yield office


@pytest.fixture
async def desk(office: Office) -> Desk:
    """An owner, with a row as links need it."""
    desk = await office.desk()
    await desk.runtime.system.execute(
        "insert into store.users (organization_id, id, name, role) values ($1, $2, 'Owner', $3)",
        desk.organization.id, desk.actor.id, Role.OWNER,
    )  # fmt: skip
    await desk.leads(*({"name": f"Lead {number}"} for number in range(50)))
    return desk


@pytest.fixture
async def http(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    async with client(office.runtime) as opened:
        yield opened


def client(runtime: Runtime) -> httpx.AsyncClient:
    pages = PageConfig(graphiql_enabled=False, demo_token=None, version="1")
    app = create_app(WebConfig(runtime=runtime, tokens=TOKENS, pages=pages, upload_seconds=PAUSE_SECONDS))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


def path(url: str) -> str:
    return httpx.URL(url).path


async def a_link(desk: Desk) -> tuple[str, str]:
    """The path of a link, and the id of its job."""
    payload = (await desk.ask(EXPORT))["exportLeads"]
    return path(payload["download"]["url"]), payload["job"]["id"]


async def downloads(desk: Desk, job: str) -> int:
    rows = await desk.rows(
        "select count(*) as entries from activity where action = 'EXPORT_DOWNLOADED' and job_id = $2", uuid(job)
    )
    return rows[0]["entries"]


async def test_s26_a_download_in_parts_is_one_download(desk: Desk, http: httpx.AsyncClient) -> None:
    link, job = await a_link(desk)
    await http.head(link)
    assert await downloads(desk, job) == 0
    for wanted in ("bytes=0-99", "bytes=100-199", "bytes=200-"):
        assert (await http.get(link, headers={"Range": wanted})).status_code == 206
    assert await downloads(desk, job) == 1
    await http.get(link)
    assert await downloads(desk, job) == 2


async def test_s26_who_leaves_out_the_first_byte_is_written_down_all_the_same(
    desk: Desk, http: httpx.AsyncClient
) -> None:
    link, job = await a_link(desk)
    assert (await http.get(link, headers={"Range": "bytes=1-"})).status_code == 206
    assert await downloads(desk, job) == 1


@pytest.mark.parametrize(
    "headers",
    [{"Range": "bytes=-999999"}, {"Range": "bytes=1-2,3-"}, {"Range": "bytes=1-", "If-Range": '"another"'}],
)
async def test_s26_a_whole_file_is_written_down_each_time_it_is_sent(
    desk: Desk, http: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    link, job = await a_link(desk)
    whole = await http.get(link)
    assert (await http.get(link, headers=headers)).content == whole.content
    assert await downloads(desk, job) == 2


async def test_s26_nothing_is_written_down_where_nothing_is_sent(desk: Desk, http: httpx.AsyncClient) -> None:
    link, job = await a_link(desk)
    assert (await http.get(link, headers={"Range": "bytes=99999999-"})).status_code == 416
    assert await downloads(desk, job) == 0
    assert (await http.get(link, headers={"Range": "bytes=1-"})).status_code == 206
    assert await downloads(desk, job) == 1


async def test_headers_alone_are_those_of_the_whole_file(desk: Desk, http: httpx.AsyncClient) -> None:
    link, _ = await a_link(desk)
    whole = await http.get(link)
    head = await http.head(link, headers={"Range": "bytes=0-4"})
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(whole.content)))


async def test_s26_a_deleted_file_is_gone(desk: Desk, http: httpx.AsyncClient) -> None:
    link, job = await a_link(desk)
    await desk.ask("mutation ($id: ID!) { deleteJobFiles(id: $id) { userErrors { code } } }", id=job)
    assert (await http.get(link)).status_code == 410


async def test_s26_a_file_that_the_store_has_lost_is_gone_and_not_half_sent(
    desk: Desk, http: httpx.AsyncClient
) -> None:
    link, job = await a_link(desk)
    (file,) = await desk.rows("select key from job_files where job_id = $2 and role = 'DATA'", uuid(job))
    await desk.runtime.store.delete(file["key"])
    answer = await http.get(link)
    assert (answer.status_code, answer.json()) == (410, {"error": "The file has been deleted."})


async def test_s26_a_link_dies_with_its_holders_account(desk: Desk, http: httpx.AsyncClient) -> None:
    link, _ = await a_link(desk)
    await desk.runtime.system.execute("update store.users set active = false where id = $1", desk.actor.id)
    assert (await http.get(link)).status_code == 403


async def test_an_upload_is_taken_once(desk: Desk, http: httpx.AsyncClient) -> None:
    target = path((await desk.ask(UPLOAD))["createUpload"]["upload"]["put"]["url"])
    taken = await http.put(target, content=b"name\nAda Invented\n")
    assert (taken.status_code, taken.json()) == (201, {"bytes": 18})
    assert (await http.put(target, content=b"name\nSomebody else\n")).status_code == 409


async def test_s04_an_upload_over_the_limit_is_refused_and_nothing_of_it_is_kept(
    desk: Desk, http: httpx.AsyncClient
) -> None:
    limit = {"maxUploadBytes": 1_000}
    await desk.runtime.system.execute(
        "update store.organizations set limits = $2 where id = $1", desk.organization.id, limit
    )
    upload = (await desk.ask(UPLOAD))["createUpload"]["upload"]
    (row,) = await desk.rows("select key from uploads where id = $2", uuid(upload["id"]))
    assert (await http.put(path(upload["put"]["url"]), content=b"x" * 1_001)).status_code == 413
    assert await desk.runtime.store.size(row["key"]) is None
    assert (await http.put(path(upload["put"]["url"]), content=b"x" * 1_000)).status_code == 201


async def test_s04_an_upload_that_stops_coming_is_given_up(desk: Desk, http: httpx.AsyncClient) -> None:
    upload = (await desk.ask(UPLOAD))["createUpload"]["upload"]

    async def slow() -> AsyncIterator[bytes]:
        yield b"name\n"
        await asyncio.sleep(PAUSE_SECONDS * 5)
        yield b"late\n"

    answer = await http.put(path(upload["put"]["url"]), content=slow())
    assert answer.status_code == 408
    assert (await http.put(path(upload["put"]["url"]), content=b"name\n")).status_code == 201, "it can be sent again"


async def test_s26_an_object_store_serves_the_file_by_a_link_of_a_minute(desk: Desk, tmp_path: Path) -> None:
    link, job = await a_link(desk)
    (file,) = await desk.rows("select key from job_files where job_id = $2 and role = 'DATA'", uuid(job))
    with seaweed() as peer:
        store = open_store(peer.url, peer.options)
        for _ in range(40):  # its volumes come up a moment after its port
            try:
                await store.check()
                break
            except StorageUnavailable:
                await asyncio.sleep(0.5)
        pieces = desk.runtime.store.read(file["key"])
        await store.put(file["key"], pieces, content_type="text/csv", download_name="leads.csv")
        async with client(replace(desk.runtime, store=store)) as http, httpx.AsyncClient(timeout=60) as anybody:
            answer = await http.get(link)
            head = await http.head(link)
            fetched = await anybody.get(answer.headers["location"])
    assert answer.status_code == 302
    assert answer.headers["cache-control"] == "private, no-store"
    assert int(httpx.URL(answer.headers["location"]).params["X-Amz-Expires"]) <= 60
    assert fetched.text.count("\n") == 51
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(fetched.content)))
    assert await downloads(desk, job) == 1
