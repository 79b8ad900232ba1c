"""Documents are prepared once, within limits that are known before anything is validated."""

import pytest
from graphql import GraphQLSchema, build_schema

from web.cost import CostLimits, TooExpensive
from web.documents import DocumentLimits, Documents, Prepared

SDL = """
type Query { leads(first: Int = 50, last: Int): LeadConnection! lead: Lead names: [Lead!]! }
type LeadConnection { nodes: [Lead!]! }
type Lead { id: ID! name: String notes(first: Int = 50): NoteConnection! parent: Lead }
type NoteConnection { nodes: [Note!]! }
type Note { id: ID! }
"""


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(SDL)


@pytest.fixture
def documents(schema: GraphQLSchema) -> Documents:
    return Documents(schema, DocumentLimits(kept=2), CostLimits())


async def code(documents: Documents, query: str) -> str | None:
    """The code of what is wrong with the query; None where nothing is."""
    errors = (await documents.prepare(query)).errors
    return str(errors[0].extensions["code"]) if errors else None


def cost(documents: Documents, prepared: Prepared, **variables: object) -> int:
    return documents.check_cost(prepared, None, variables)


async def test_a_document_is_prepared_once(documents: Documents) -> None:
    first = await documents.prepare("{ lead { id } }")
    again = await documents.prepare("{ lead { id } }")
    assert again.document is first.document
    assert again.effort == 0


async def test_only_so_many_documents_are_kept(documents: Documents) -> None:
    first = await documents.prepare("{ lead { id } }")
    for name in ("a", "b"):
        await documents.prepare(f"{{ {name}: lead {{ id }} }}")
    assert (await documents.prepare("{ lead { id } }")).document is not first.document


async def test_preparing_counts_towards_the_rate_by_its_length(documents: Documents) -> None:
    padding = "# " + "x" * 3_000
    assert (await documents.prepare(f"{{ lead {{ id }} }} {padding}")).effort > 300


async def test_s03_the_cost_of_a_page_is_its_fields_times_its_rows(documents: Documents) -> None:
    prepared = await documents.prepare("query ($n: Int) { leads(first: $n) { nodes { id name } } }")
    assert cost(documents, prepared, n=10) < cost(documents, prepared, n=20) < cost(documents, prepared)
    with pytest.raises(TooExpensive, match=r"cost is \d+; the limit is 100000"):
        cost(documents, prepared, n=1_000_000)


async def test_s03_pages_within_pages_multiply(documents: Documents) -> None:
    assert await code(documents, "{ leads(first: 200) { nodes { notes(first: 200) { nodes { id } } } } }") is None
    deeper = "{ leads(first: 200) { nodes { notes(first: 5000) { nodes { id } } } } }"
    assert await code(documents, deeper) == "LIMIT_EXCEEDED"


async def test_s03_last_counts_as_first_does(documents: Documents) -> None:
    assert await code(documents, "{ leads(last: 1000000) { nodes { id } } }") == "LIMIT_EXCEEDED"


@pytest.mark.parametrize(("value", "expected"), [("9" * 5_000, "LIMIT_EXCEEDED"), ("-1", None), ("0", None)])
async def test_s03_a_page_size_is_reckoned_whatever_its_digits(
    documents: Documents, value: str, expected: str | None
) -> None:
    """Sizes below 1 cost little, and are refused by the list itself."""
    assert await code(documents, f"{{ leads(first: {value}) {{ nodes {{ id }} }} }}") == expected


@pytest.mark.parametrize("value", [True, "12", None, 1.5, [3], -7])
async def test_s03_a_variable_of_another_type_is_left_to_validation(documents: Documents, value: object) -> None:
    prepared = await documents.prepare("query ($n: Int) { leads(first: $n) { nodes { id } } }")
    assert cost(documents, prepared, n=value) > 0


async def test_s01_a_fragment_is_reckoned_once_however_often_it_is_spread(documents: Documents) -> None:
    """Reckoned anew each time, this many levels would take longer than the earth has been there."""
    spreads = " ".join(f"fragment f{n} on Lead {{ parent {{ ...f{n + 1} ...f{n + 1} }} }}" for n in range(90))
    refused = await code(documents, f"{{ lead {{ ...f0 ...f0 }} }} {spreads} fragment f90 on Lead {{ id }}")
    assert refused == "LIMIT_EXCEEDED"


async def test_s01_fragments_that_spread_themselves_are_refused(documents: Documents) -> None:
    loop = "{ lead { ...a } } fragment a on Lead { parent { ...b } } fragment b on Lead { parent { ...a } }"
    assert await code(documents, loop) == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.parametrize(
    "query",
    [
        "{ lead { " + "id " * 1_900 + "} }",
        "{ leads { " + "nodes { parent { id } } " * 250 + "} }",
        "{ lead { " + "... on Lead { id } " * 300 + "} }",
        "{ lead { id } } fragment unused on Lead { " + "parent { id } " * 400 + "}",
        "{ lead { " + " ".join(f"...f{n}" for n in range(150)) + " } } "
        + " ".join(f"fragment f{n} on Lead {{ id name }}" for n in range(150)),
    ],
    ids=["fields", "selections", "inline", "unused", "fragments"],
)  # fmt: skip
async def test_s02_fields_repeated_a_thousand_times_are_refused_before_they_are_compared(
    documents: Documents, query: str
) -> None:
    assert await code(documents, query) == "LIMIT_EXCEEDED"


async def test_fields_repeated_as_components_of_a_page_do_are_allowed(documents: Documents) -> None:
    fragments = " ".join(f"fragment f{n} on Lead {{ id name parent {{ id }} }}" for n in range(30))
    query = f"{{ leads {{ nodes {{ {' '.join(f'...f{n}' for n in range(30))} }} }} }} {fragments}"
    assert await code(documents, query) is None


@pytest.mark.parametrize(
    "query",
    [
        "{ " + "lead { parent " * 300 + "{ id }" + " }" * 300 + " }",
        "{ leads(first: " + "[" * 900 + "]" * 900 + ") { nodes { id } } }",
        "query ($v: " + "[" * 900 + "Int" + "]" * 900 + ") { lead { id } }",
    ],
    ids=["selections", "values", "types"],
)
async def test_s02_nesting_without_end_is_refused(documents: Documents, query: str) -> None:
    assert await code(documents, query) in ("LIMIT_EXCEEDED", "GRAPHQL_PARSE_FAILED")


async def test_s12_who_may_not_read_the_schema_is_told_nothing_of_it(schema: GraphQLSchema) -> None:
    hidden = Documents(schema, DocumentLimits(), CostLimits(), introspection=False)
    assert await code(hidden, "{ __schema { types { name } } }") == "GRAPHQL_VALIDATION_FAILED"
    (error,) = (await hidden.prepare("{ leed { id } }")).errors
    assert "Did you mean" not in error.message
    (error,) = (await Documents(schema, DocumentLimits(), CostLimits()).prepare("{ leed { id } }")).errors
    assert "Did you mean" in error.message
