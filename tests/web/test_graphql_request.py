"""Multipart requests: files go where `map` leads, and nowhere else (graphql-multipart-request-spec)."""

import json

import pytest

from tests.web.conftest import Edge

QUERY = "query ($files: [String]) { __typename }"


async def _send(edge: Edge, places: object, *, files: int = 1, variables: object = None) -> tuple[int, str]:
    operations = {"query": QUERY, "variables": variables if variables is not None else {"files": [None]}}
    parts = {"operations": (None, json.dumps(operations)), "map": (None, json.dumps(places))}
    parts |= {str(number): (f"{number}.csv", b"name\n") for number in range(files)}
    answer = await edge.http.post(edge.graphql, files=parts, headers={**edge.headers, "GraphQL-Preflight": "1"})
    (error,) = answer.json()["errors"]
    return answer.status_code, error["message"]


@pytest.mark.parametrize(
    "path",
    [
        "variables.files." + "9" * 5_000,
        "variables.files.1",
        "variables.files.-1",
        "variables.files.٠١",
        "variables.files.0.0",
        "variables.nothing",
        "variables.__class__.0",
        "variables",
        "query",
        "",
        "variables" + ".files" * 30,
        7,
        None,
    ],
    ids=lambda path: str(path)[:30],
)
async def test_s05_a_path_that_leads_to_no_empty_place_is_refused(edge: Edge, path: object) -> None:
    status, message = await _send(edge, {"0": [path]})
    assert status == 400
    assert message.startswith("`map`")


async def test_s05_a_place_that_is_taken_is_not_overwritten(edge: Edge) -> None:
    status, message = await _send(edge, {"0": ["variables.files.0"]}, variables={"files": ["mine"]})
    assert (status, message) == (400, "`map` must lead to a null.")


async def test_s04_a_map_of_thousands_is_refused(edge: Edge) -> None:
    assert (await _send(edge, {str(number): [] for number in range(10_000)}))[0] == 413
    assert (await _send(edge, {"0": ["variables.files.0"] * 10_000}))[0] == 400


async def test_s04_thousands_of_parts_are_refused(edge: Edge) -> None:
    assert (await _send(edge, {}, files=2_000))[0] == 400


async def test_s04_operations_are_no_larger_than_a_body_may_be(edge: Edge) -> None:
    status, message = await _send(edge, {}, variables={"files": ["x" * (3 << 20)]})
    assert (status, message) == (413, "The part `operations` has at most 2097152 bytes.")
