"""Variables are coerced as graphql-core coerces them, or left to it."""

import pytest
from graphql import OperationDefinitionNode, parse
from graphql.execution.values import VariableValues, get_variable_values
from hypothesis import given, settings
from hypothesis import strategies as st

from resolvers.schema import build_schema
from web.engine import graphql_schema
from web.variables import plain_values, signatures_of

SCHEMA = graphql_schema(build_schema())
DOCUMENT = """query($filter: LeadFilter, $order: LeadOrder, $first: Int = 3, $after: String, $by: [LeadGroupBy!]!,
                    $id: ID!, $more: [[Int]]) {
    leads(filter: $filter, orderBy: $order, first: $first, after: $after) { nodes { id } } lead(id: $id) { id } }"""
OPERATION = parse(DOCUMENT).definitions[0]
assert isinstance(OPERATION, OperationDefinitionNode)
SIGNATURES = signatures_of(SCHEMA, OPERATION)
GIVEN = {"by": ["STATUS"], "id": "lead_1", "first": 3}


def reference(values: dict[str, object]) -> object:
    return get_variable_values(SCHEMA, OPERATION.variable_definitions or (), values)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"id": 7},
        {"unknown": 1},
        {"first": None, "after": None, "filter": None},
        {"filter": {}},
        {"filter": {"score": {"gte": 1, "in": [1, 2]}, "createdAt": {"gte": "2024-06-01T00:00:00Z"}, "search": "x"}},
        {"filter": {"createdAt": {"within": {"unit": "DAY", "last": 2}}, "and": [{"or": [{"not": {"search": "x"}}]}]}},
        {"filter": {"source": {"in": ["WEB"]}, "conversionValue": {"lt": "1.50"}, "name": {"isNull": True}}},
        {"order": {"field": "SCORE", "direction": "ASC"}},
        {"more": [[1, None], None, []]},
    ],
    ids=str,
)
def test_plain_values_are_those_of_graphql_core(more: dict[str, object]):
    values = plain_values(SIGNATURES, GIVEN | more)
    assert values is not None
    expected = reference(GIVEN | more)
    assert repr(values.coerced) == repr(expected.coerced)  # in the same order
    given = [{name: source.value for name, source in one.sources.items()} for one in (values, expected)]
    assert given[0] == given[1]


@pytest.mark.parametrize(
    "more",
    [
        {"id": None},
        {"by": None},
        {"by": "STATUS"},
        {"by": ["STATUS", None]},
        {"by": ["NONSENSE"]},
        {"first": "3"},
        {"first": 1 << 40},
        {"filter": []},
        {"filter": {"shoeSize": {"eq": 1}}},
        {"filter": {"score": {"gte": "x"}}},
        {"filter": {"createdAt": {"gte": "yesterday"}}},
        {"filter": {"createdAt": {"within": {"last": 2}}}},
        {"order": {"field": "SCORE"}},
        {"more": 1},
    ],
    ids=str,
)
def test_what_is_wrong_or_has_a_default_is_left_to_graphql_core(more: dict[str, object]):
    assert plain_values(SIGNATURES, GIVEN | more) is None


@pytest.mark.parametrize("missing", ["id", "by", "first"])
def test_a_variable_that_is_required_or_has_a_default_is_left_to_graphql_core_where_it_lacks(missing: str):
    assert plain_values(SIGNATURES, {name: value for name, value in GIVEN.items() if name != missing}) is None


def test_a_value_nested_without_end_is_left_to_graphql_core():
    document: dict[str, object] = {"search": "x"}
    for _ in range(5_000):
        document = {"not": document}
    assert plain_values(SIGNATURES, GIVEN | {"filter": document}) is None


NAMES = ["score", "name", "createdAt", "search", "and", "not", "tags", "gte", "eq", "in", "hasAny", "nonsense"]
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["WEB", "2024-06-01T00:00:00Z", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(tree=TREES)
def test_whatever_is_given_is_coerced_as_graphql_core_does_or_left_to_it(tree: object):
    values = plain_values(SIGNATURES, GIVEN | {"filter": tree})
    if values is not None:
        expected = reference(GIVEN | {"filter": tree})
        assert isinstance(expected, VariableValues)
        assert repr(values.coerced) == repr(expected.coerced)
