"""Anything as names, mappings, filters and cursors, over HTTP: an answer or an error with a code, never a failure."""

import asyncio
import base64
import json
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import httpx
import pytest
from graphql import GraphQLInputType, get_named_type, is_enum_type, is_input_object_type, is_list_type, is_non_null_type
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from domain.vocabulary import Role
from tests.resolvers.office import Desk, Office
from tests.security.surface import GRAPHQL
from tests.security.test_edge import TOKENS, edge
from tests.security.world import World
from web.rates import RateLimits
from web.tokens import Tokens

SHORT, LONG = 60, 1_000
CODES = {"BAD_USER_INPUT", "LIMIT_EXCEEDED", "GRAPHQL_VALIDATION_FAILED", "FORBIDDEN", "TIMEOUT", "BAD_REQUEST"}
NASTY = (
    "",
    " ",
    "\0",
    "%",
    "_",
    "\\",
    "'",
    '"',
    "$1",
    "{",
    "\ud800",
    "\ufeff",
    "\u202e",
    "NaN",
    "-0",
    "9" * 400,
    "a\n",
    "null",
)
TEXTS = st.one_of(st.sampled_from(NASTY), st.text(max_size=40), st.text(min_size=1_000, max_size=1_001))
NUMBERS = st.one_of(st.integers(-(1 << 70), 1 << 70), st.sampled_from([0, -1, 1 << 31, (1 << 31) - 1, 1 << 63]))
INSTANTS = st.one_of(
    st.datetimes().map(lambda at: f"{at.isoformat()}Z"),
    st.sampled_from(["0000-00-00", "9999-12-31T23:59:59Z", "24:00"]),
)
SCALARS: dict[str, SearchStrategy[object]] = {
    "String": TEXTS,
    "ID": st.one_of(TEXTS, st.uuids().map(lambda made: f"lead_{made}"), st.uuids().map(lambda made: f"company_{made}")),
    "Int": st.one_of(st.integers(-(1 << 31), (1 << 31) - 1), NUMBERS),
    "Float": st.floats(),
    "Boolean": st.booleans(),
    "DateTime": INSTANTS,
    "Decimal": st.one_of(st.decimals().map(str), TEXTS),
    "BigInt": NUMBERS.map(str),
    "JSON": st.recursive(st.one_of(st.none(), TEXTS, NUMBERS), lambda inner: st.lists(inner, max_size=3), max_leaves=5),
    "Upload": st.none(),
}


def values_of(kind: GraphQLInputType, depth: int = 3) -> SearchStrategy[object]:
    """Values that nearly fit a type of the schema; now and then null or something else."""
    if is_non_null_type(kind):
        return values_of(kind.of_type, depth)
    if is_list_type(kind):
        return st.lists(values_of(kind.of_type, depth), max_size=3)
    named = get_named_type(kind)
    if is_enum_type(named):
        return st.sampled_from([*named.values] * 9 + ["NOPE"])
    if is_input_object_type(named):
        if depth == 0:
            return st.just({})
        fields = {name: values_of(field.type, depth - 1) for name, field in named.fields.items()}
        return st.lists(st.sampled_from([*fields]), max_size=3, unique=True).flatmap(
            lambda names: st.fixed_dictionaries({name: fields[name] for name in names})
        )
    return st.one_of(SCALARS[named.name], st.none()) if named.name == "String" else SCALARS[named.name]


def any_of(name: str) -> SearchStrategy[object]:
    return values_of(GRAPHQL.type_map[name])


@dataclass
class Client:
    """Somebody who sends anything."""

    http: httpx.AsyncClient
    headers: dict[str, str]
    desk: Desk

    async def send(self, document: str, **variables: object) -> dict:
        """The answer, which is one or says with a code why not."""
        body = json.dumps({"query": document, "variables": variables}, allow_nan=True).encode("utf-8", "surrogatepass")
        headers = {**self.headers, "Content-Type": "application/json"}
        answer = await self.http.post("/graphql", content=body, headers=headers)
        assert answer.status_code in (200, 400, 413), answer.text
        said = answer.json()
        codes = {error["extensions"]["code"] for error in said.get("errors", ())}
        assert codes <= CODES, (variables, said)
        for payload in (said.get("data") or {}).values():
            for error in (payload or {}).get("userErrors", ()) if isinstance(payload, dict) else ():
                assert error["code"] not in ("", "INTERNAL"), error
        return said


@pytest.fixture(scope="module")
async def client(office: Office) -> AsyncIterator[Client]:
    desk = await office.desk()
    await desk.leads(*({"name": f"Lead {number}", "score": number} for number in range(5)))
    token = Tokens(TOKENS).issue(
        organization=desk.organization.slug, role=Role.ADMIN, subject="f", name="F", seconds=3600
    )
    async with edge(office, RateLimits(credential=1 << 60, organization=1 << 60)) as http:
        yield Client(http, {"Authorization": f"Bearer {token}"}, desk)


SEARCH = "query ($f: LeadFilter) { leads(first: 2, filter: $f) { nodes { id } } }"
Try = Callable[[Client, object], Awaitable[None]]


async def try_filter(client: Client, where: object) -> None:
    document = """query ($f: LeadFilter) { leads(first: 2, filter: $f) { nodes { id } totalCount { value } }
      leadGroups(by: [STATUS], filter: $f) { count } exportPreview(spec: {filter: $f}) { rows } }"""
    await client.send(document, f=where)


def operators() -> list[tuple[str, str]]:
    """Every operator of every field that a filter can name."""
    fields = {name: get_named_type(field.type) for name, field in GRAPHQL.type_map["LeadFilter"].fields.items()}
    kinds = {name: kind for name, kind in fields.items() if is_input_object_type(kind) and kind.name != "LeadFilter"}
    return [(name, operator) for name, kind in kinds.items() if name != "custom" for operator in kind.fields]


EASY: dict[str, object] = {
    "String": "Paris",
    "Int": 5,
    "Boolean": True,
    "DateTime": "2026-01-01T00:00:00Z",
    "Decimal": "1.5",
    "RelativePeriod": {"last": 3, "unit": "DAY"},
    "ID": "lead_00000000-0000-7000-8000-000000000000",
}
NAMED = ("id", "status", "companyId", "chatbotId", "assigneeId", "importJobId")
"""Where the value must name something."""


@pytest.mark.parametrize(("name", "operator"), operators())
async def test_every_operator_of_every_field_is_answered(client: Client, name: str, operator: str) -> None:
    kind = get_named_type(GRAPHQL.type_map["LeadFilter"].fields[name].type).fields[operator].type
    named = get_named_type(kind)
    value = next(iter(named.values)) if is_enum_type(named) else EASY[named.name]
    listed = is_list_type(kind.of_type if is_non_null_type(kind) else kind)
    said = await client.send(SEARCH, f={name: {operator: [value] if listed else value}})
    assert "errors" not in said or name in NAMED


async def try_order(client: Client, given: object) -> None:
    await client.send(
        "query ($o: LeadOrder, $f: Int, $l: Int) { leads(orderBy: $o, first: $f, last: $l) { nodes { id } } }", **given
    )


LISTS = {
    "leads": "query ($a: String) { leads(first: 2, after: $a) { nodes { id } } }",
    "leads before": "query ($a: String) { leads(last: 2, before: $a) { nodes { id } } }",
    "jobs": "query ($a: String) { jobs(first: 2, after: $a) { nodes { id } } }",
    "activity": "query ($a: String) { activity(first: 2, after: $a) { nodes { id } } }",
    "organizations": "query ($a: String) { organizations(first: 2, after: $a) { nodes { id } } }",
    "notes": "query ($a: String) { leads(first: 1) { nodes { notes(first: 2, after: $a) { nodes { id } } } } }",
}
SINCE = "query ($a: String) { exportPreview(spec: {since: $a}) { rows } }"


async def try_cursor(client: Client, cursor: object) -> None:
    for document in (*LISTS.values(), SINCE):
        await client.send(document, a=cursor)


async def try_mapping(client: Client, given: object) -> None:
    document = """mutation ($i: ImportLeadsInput!) { importLeads(input: $i) { job { id state issues { nodes { code } } }
      userErrors { code message path } } }"""
    upload = await World(client.desk).uploaded(b"name,phone,score\nAda,+12025550123,5\nBob,x,NaN\n")
    inputs = {**given, "source": {"uploadId": upload}, "mode": "VALIDATE", "waitSeconds": 20, "allowSameFile": True}
    said = await client.send(document, i=inputs)
    job = ((said.get("data") or {}).get("importLeads") or {}).get("job")
    if job is not None:
        failure = "query ($id: ID!) { job(id: $id) { state failure { code } } }"
        shown = (await client.send(failure, id=job["id"]))["data"]["job"]
        assert (shown["failure"] or {}).get("code") != "INTERNAL", shown


async def try_name(client: Client, name: object) -> None:
    document = """mutation ($n: String!) { createUpload(input: {fileName: $n}) { upload { fileName put { url } }
      userErrors { code } } }"""
    said = await client.send(document, n=name)
    if said.get("data"):
        upload = said["data"]["createUpload"]["upload"]
        shown = upload["fileName"]
        assert shown
        assert len(shown) <= 200
        assert shown.strip()
        assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
        assert not {"/", "\\"} & set(shown)
        answer = await client.http.put(httpx.URL(upload["put"]["url"]).path, content=b"name\nAda\n")
        assert answer.status_code == 201
    parts = {
        "operations": (None, json.dumps({"query": MULTIPART, "variables": {"file": None}})),
        "map": (None, '{"0": ["variables.file"]}'),
        "0": (str(name).encode("utf-8", "replace").decode("utf-8"), b"name\nAda\n"),
    }
    headers = {**client.headers, "GraphQL-Preflight": "1"}
    answer = await client.http.post("/graphql", files=parts, headers=headers)
    assert answer.status_code in (200, 400), answer.text
    assert "INTERNAL" not in answer.text


MULTIPART = """mutation ($file: Upload!) { importLeads(input: {source: {file: $file}, mode: VALIDATE,
  options: {required: [NAME, PHONE]}}) { job { id } userErrors { code } } }"""
CURSORS = st.one_of(
    TEXTS,
    st.binary(max_size=60).map(lambda made: base64.urlsafe_b64encode(made).decode()),
    st.recursive(st.one_of(st.none(), NUMBERS, TEXTS, st.booleans()), lambda inner: st.lists(inner, max_size=4)).map(
        lambda made: base64.urlsafe_b64encode(json.dumps(made).encode("utf-8", "replace")).decode()
    ),
)
ORDERS = st.fixed_dictionaries(
    {"o": any_of("LeadOrder"), "f": SCALARS["Int"], "l": st.one_of(st.none(), SCALARS["Int"])}
)
IMPORTS = st.fixed_dictionaries(
    {},
    optional={
        "mapping": st.lists(any_of("ColumnMappingInput"), max_size=3),
        "options": any_of("ImportOptionsInput"),
        "dialect": any_of("DialectInput"),
        "format": any_of("ImportFormat"),
    },
)
CASES: dict[str, tuple[Try, SearchStrategy[object], int]] = {
    "filters": (try_filter, any_of("LeadFilter"), 1),
    "orders": (try_order, ORDERS, 1),
    "cursors": (try_cursor, CURSORS, 1),
    "mappings": (try_mapping, IMPORTS, 4),
    "names": (try_name, TEXTS, 4),
}


async def fuzz(client: Client, case: str, examples: int) -> None:
    """Runs a case with examples; hypothesis itself is synchronous, so each is run on the loop from its thread."""
    act, strategy, share = CASES[case]
    loop = asyncio.get_running_loop()

    @settings(
        max_examples=max(10, examples // share),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(value=strategy)
    def run(value: object) -> None:
        asyncio.run_coroutine_threadsafe(act(client, value), loop).result(120)

    await asyncio.to_thread(run)


@pytest.mark.parametrize("case", CASES)
async def test_whatever_is_sent_is_answered_or_refused_with_a_code(client: Client, case: str) -> None:
    await fuzz(client, case, SHORT)


@pytest.mark.chaos
@pytest.mark.parametrize("case", CASES)
async def test_whatever_is_sent_is_answered_or_refused_with_a_code_at_length(client: Client, case: str) -> None:
    await fuzz(client, case, LONG)
