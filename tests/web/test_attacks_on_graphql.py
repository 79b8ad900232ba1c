"""Attacks by documents and arguments (SECURITY-TESTS 1 to 3, 6, 7, 11 to 13)."""

import asyncio

import pytest

from tests.web.conftest import Edge


async def _attacked(edge: Edge, attack: str) -> dict:
    """The answer to an attack, beside which everybody else is answered; `make bench-abuse` measures how soon."""

    async def small() -> int:
        return (await edge.http.get(f"{edge.server.url}/healthz")).status_code

    answer, *neighbours = await asyncio.gather(edge.ask(attack), *(small() for _ in range(5)))
    assert neighbours == [200] * 5
    return answer.json()


@pytest.mark.parametrize("levels", [16, 24, 30])
async def test_s01_a_fragment_bomb_is_refused_and_stalls_nobody(edge: Edge, levels: int) -> None:
    spreads = " ".join(f"fragment f{n} on Lead {{ ...f{n + 1} ...f{n + 1} }}" for n in range(levels))
    bomb = f"{{ leads(first: 1) {{ nodes {{ ...f0 }} }} }} {spreads} fragment f{levels} on Lead {{ id }}"
    answer = await _attacked(edge, bomb)
    assert "data" not in answer or levels == 16
    assert len(answer.get("errors", [])) <= 1


@pytest.mark.parametrize(
    "document",
    [
        "{ " + " ".join(f"a{n}: __typename" for n in range(20_000)) + " }",
        "{ __typename " + "@include(if: true) " * 5_000 + "}",
        "{ " + "n" * (1 << 20) + " }",
        "{ " * 5_000 + "}" * 5_000,
    ],
    ids=["aliases", "directives", "names", "depth"],
)
async def test_s02_a_huge_document_is_refused_and_stalls_nobody(edge: Edge, document: str) -> None:
    answer = await _attacked(edge, document)
    assert answer["errors"][0]["extensions"]["code"] in ("LIMIT_EXCEEDED", "GRAPHQL_PARSE_FAILED")


async def test_s02_memory_stays_flat_under_huge_documents(edge: Edge) -> None:
    document = "{ " + " ".join(f"a{n}: __typename" for n in range(20_000)) + " }"
    await edge.ask(document)
    before = await edge.memory()
    for _ in range(30):
        await edge.ask(document)
    assert await edge.memory() - before < 30 << 20


async def test_s03_the_cost_of_pages_is_known_before_they_are_read(edge: Edge) -> None:
    query = "query ($n: Int) { leads(first: $n) { nodes { notes(first: 200) { nodes { id text } } } } }"
    answer = (await edge.ask(query, n=1_000_000)).json()
    assert answer["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert "100000" in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        "first: -1",
        "first: 0",
        "first: 201",
        "first: 2, last: 2",
        'first: 2, after: "garbage"',
        "first: null",
        "first: 1, filter: {score: {}}",
        "first: 1, filter: {tags: {hasAny: []}}",
        "first: 1, filter: {and: [{}]}",
        'first: 1, filter: {status: {eq: "no-such-status"}}',
        'first: 1, filter: {status: {eq: "new\\n"}}',
        'first: 1, filter: {companyId: {eq: "company_x"}}',
        "first: 1, filter: {email: null}",
    ],
)
async def test_s06_bad_arguments_of_a_list_are_bad_user_input(edge: Edge, arguments: str) -> None:
    assert await edge.code(f"{{ leads({arguments}) {{ nodes {{ id }} }} }}") == "BAD_USER_INPUT"


async def test_s06_a_cursor_of_another_order_or_filter_is_bad_user_input(edge: Edge) -> None:
    query = "query ($after: String, $by: LeadOrder, $where: LeadFilter) "
    query += "{ leads(first: 1, after: $after, orderBy: $by, filter: $where) { pageInfo { endCursor } } }"
    cursor = (await edge.ask(query)).json()["data"]["leads"]["pageInfo"]["endCursor"]
    assert await edge.code(query, after=cursor, by={"field": "SCORE"}) == "BAD_USER_INPUT"
    assert await edge.code(query, after=cursor, where={"score": {"gte": 1}}) == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "identifier",
    [
        "lead_00000000-0000-7000-8000-000000000000",
        "company_00000000-0000-7000-8000-000000000000",
        "x",
        "",
        "lead_",
        "../",
    ],
)
async def test_s07_ids_that_name_nothing_answer_alike(edge: Edge, identifier: str) -> None:
    answer = (
        await edge.ask(
            "query ($id: ID!) { lead(id: $id) { id } node(id: $id) { id } job(id: $id) { id } }", id=identifier
        )
    ).json()
    assert answer == {"data": {"lead": None, "node": None, "job": None}}


@pytest.mark.parametrize("text", ["%", "_", "\\", "'; drop table leads; --", "a' or '1'='1", "%%%", "\\%", "ab\u0000c"])
async def test_s13_search_and_filters_take_every_text_as_data(edge: Edge, text: str) -> None:
    query = "query ($t: String!) { leads(first: 5, filter: {or: [{search: $t}, {name: {contains: $t}}]})"
    query += " { nodes { name } } }"
    answer = (await edge.ask(query, t=text)).json()
    if "\0" in text:
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        return
    assert answer["data"]["leads"]["nodes"] == []


async def test_s11_no_error_shows_sql_paths_or_addresses(edge: Edge) -> None:
    document = "query ($f: LeadFilter) { leads(filter: $f) { nodes { id } } }"
    for where in (
        {"conversionValue": {"eq": "1" * 500}},
        {"createdAt": {"gte": "9999-99-99"}},
        {"custom": [{"key": "x" * 900, "eq": "'"}]},
    ):
        text = (await edge.ask(document, f=where)).text.lower()
        assert not any(word in text for word in ("select", "postgres", "traceback", "store.", "/", "asyncpg"))
