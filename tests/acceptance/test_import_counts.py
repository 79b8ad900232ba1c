"""Public files over HTTP, createUpload to report: exactly the counts that were made elsewhere."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from db.roles import system_dsn
from db.system import SystemDatabase
from tests.acceptance.calling import Caller, rows_of
from tests.acceptance.conftest import Enter
from tests.acceptance.files import (
    EXPECTED,
    STRATEGIES,
    content,
    expected_counts,
    import_input,
    needs_folder,
    variants,
)
from tests.conftest import SECRET, cloned, maker, opened
from tests.serving import Server

pytestmark = needs_folder
CASES = [(name, variant) for name in ("p2", "p4") for variant in variants(name)]
SMALL = [(name, variant) for name in EXPECTED if name.startswith("p6") for variant in variants(name)]
LARGE = [("p1", "S2"), ("p3", "S2"), ("p5", "S6")]
NewCaller = Callable[[str], Awaitable[Caller]]


@pytest.fixture(scope="module")
def database_url(template_database: str) -> Iterator[str]:
    with cloned(template_database) as url:
        yield url


@pytest.fixture(scope="module")
def server_on_a_database(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("server"), {"DATABASE_URL": database_url})
    yield started
    started.stop()


@pytest.fixture(scope="module")
async def newcomer(database_url: str, server_on_a_database: Server, enter: Enter) -> AsyncIterator[NewCaller]:
    """`await newcomer("FR")`: an administrator in an empty organization of this country."""
    numbers = itertools.count(1)
    async with opened(SystemDatabase, system_dsn(database_url, SECRET)) as system:

        async def newcomer(country: str) -> Caller:
            made = await maker(system)(f"org-{next(numbers)}", country=country)
            return enter(made.slug, url=server_on_a_database.url)

        yield newcomer


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(("name", "variant"), CASES)
async def test_a_public_file_is_counted_exactly(newcomer: NewCaller, name: str, variant: str, strategy: str):
    await judge(await newcomer(EXPECTED[name]["default_region"]), name, variant, strategy)


@pytest.mark.parametrize(("name", "variant"), SMALL)
async def test_an_address_book_is_counted_exactly(newcomer: NewCaller, name: str, variant: str):
    await judge(await newcomer(EXPECTED[name]["default_region"] or "US"), name, variant, "SKIP")


@pytest.mark.parametrize(("name", "variant"), LARGE)
async def test_a_larger_public_file_is_counted_exactly(newcomer: NewCaller, name: str, variant: str):
    await judge(await newcomer("US"), name, variant, "SKIP")


async def judge(caller: Caller, name: str, variant: str, strategy: str) -> None:
    expected = expected_counts(name, variant, strategy)
    payload = await caller.import_file(content(name), f"{name}.csv", **import_input(name, variant, strategy))
    if payload["userErrors"]:  # a required field without column and default: no job, which counts as every row failed
        assert {error["code"] for error in payload["userErrors"]} == {"REQUIRED"}
        assert expected["failed"] == EXPECTED[name]["data_rows"]
        assert await caller.count() == 0
        return
    job = payload["job"]
    assert job["counts"] == expected
    assert job["totalRows"] == sum(expected.values()) == EXPECTED[name]["data_rows"]
    assert job["state"] == ("COMPLETED_WITH_ERRORS" if expected["failed"] else "COMPLETED")
    assert await caller.count() == expected["created"] == await caller.count(importJobId={"eq": job["id"]})
    assert await rows_in_error_file(caller, job, EXPECTED[name]["delimiter"]) == expected["failed"]


async def rows_in_error_file(caller: Caller, job: dict, delimiter: str) -> int:
    links = [file["download"]["url"] for file in job["files"] if file["role"] == "ERRORS"]
    return sum([len(rows_of((await caller.download(link)).content, delimiter)) - 1 for link in links])


async def test_a_value_map_gives_the_expected_sources(newcomer: NewCaller):
    caller, case = await newcomer("US"), EXPECTED["p2"]
    given = import_input("p2", "S1")
    values = [{"from": source, "to": target} for source, target in case["value_map"].items()]
    source = {"column": "Lead Source", "field": "SOURCE", "values": values, "default": "unknown"}
    mapping = [source if one["column"] == "Lead Source" else one for one in given["mapping"]]
    payload = await caller.import_file(content("p2"), mapping=mapping)
    assert payload["userErrors"] == []
    groups = (await caller.ask("{ leadGroups(by: [SOURCE]) { keys { value } count } }"))["leadGroups"]
    found = {group["keys"][0]["value"].lower(): group["count"] for group in groups}
    assert found == case["expected"]["S3_value_map_default_unknown_source_distribution"]


async def test_an_export_imports_back_as_all_unchanged(newcomer: NewCaller):
    caller = await newcomer("US")
    await caller.import_file(content("p2"), **import_input("p2", "S1"))
    fields = [
        field["key"].upper()
        for field in (await caller.ask("{ leadFields { key exportable importable } }"))["leadFields"]
        if field["exportable"] and field["importable"] and not field["key"].startswith("custom.")
    ]
    custom = [{"custom": one["custom"]} for one in import_input("p2", "S1")["mapping"] if one.get("custom")]
    for columns in ([{"field": key} for key in fields] + custom, None):
        job, data = await caller.export({"columns": columns} if columns else {})
        assert job["rowCount"] == 3900
        back = await caller.import_file(data, options={"mergeStrategy": "OVERWRITE"})
        assert back["userErrors"] == []
        assert back["job"]["counts"] == {
            "created": 0, "updated": 0, "unchanged": 3900, "skipped": 0, "failed": 0, "unprocessed": 0,
        }  # fmt: skip
