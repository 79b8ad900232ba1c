from datetime import UTC, datetime
from decimal import Decimal

import pytest
from strawberry.types.base import get_object_definition

from domain.errors import BadInput
from domain.filter_input import read_filter
from domain.filters import EVERYTHING, FILTER_FIELDS, AllOf, AnyOf, Condition, CustomCondition, Not, Operator, Search
from domain.vocabulary import LeadSource, LeadStage
from schema.config import CachedNames
from schema.filters import LeadFilter
from tests.schema.reading import Given


def condition(name: str, operator: Operator, value: object) -> Condition:
    return Condition(FILTER_FIELDS[name], operator, value)


def test_a_filter_is_read_as_a_tree(given: Given):
    tree = given(
        LeadFilter,
        """{
            or: [{stage: {eq: QUALIFIED}}, {not: {source: {in: [WEB, API]}}}], search: "demo",
            conversionValue: {gt: "10.5"}, createdAt: {gte: "2024-01-01T00:00:00Z"}, custom: [{key: "budget", eq: "1"}]
        }""",
    ).to_domain()
    assert tree == AllOf(
        (
            AnyOf(
                (
                    condition("stage", Operator.EQ, LeadStage.QUALIFIED),
                    Not(condition("source", Operator.IN, (LeadSource.WEB, LeadSource.API))),
                )
            ),
            Search("demo"),
            condition("createdAt", Operator.GTE, datetime(2024, 1, 1, tzinfo=UTC)),
            condition("conversionValue", Operator.GT, Decimal("10.5")),
            CustomCondition("budget", Operator.EQ, "1"),
        )
    )


def test_a_stored_filter_reads_back_the_same(given: Given):
    stored = given(
        LeadFilter,
        '{not: {conversionValue: {gt: "10.50"}}, lastCallAt: {lt: "2024-01-01T00:00:00"}, tags: {hasAny: ["a"]}}',
    )
    assert read_filter(stored.to_json(("filter",))) == stored.to_domain()


def test_an_empty_filter_is_every_lead(given: Given):
    assert given(LeadFilter, "{}").to_domain() == EVERYTHING


@pytest.mark.parametrize(
    ("literal", "place"),
    [
        ("{score: {eq: null}}", ("score", "eq")),
        ("{score: null}", ("score",)),
        ("{score: {}}", ("score",)),
        ('{and: [{name: {eq: "a"}}, {}]}', ("and", "1")),
        ("{not: {}}", ("not",)),
        ("{status: {in: []}}", ("status", "in")),
        ('{custom: [{key: "a"}]}', ("custom", "0")),
    ],
)
def test_what_says_nothing_is_refused_at_its_place(given: Given, literal: str, place: tuple[str, ...]):
    with pytest.raises(BadInput) as refused:
        given(LeadFilter, literal).to_domain()
    assert refused.value.path == ("filter", *place)


def test_an_omitted_variable_leaves_no_operator_behind_and_is_refused(given: Given):
    read = given(LeadFilter, "{status: {eq: $status}}", status=("String", ...))
    with pytest.raises(BadInput):
        read.to_domain()


def test_the_input_and_the_compilers_registry_name_the_same_fields():
    names = CachedNames()
    declared = {names.get_graphql_name(field) for field in get_object_definition(LeadFilter, strict=True).fields}
    assert declared == set(FILTER_FIELDS) | {"and", "or", "not", "search", "custom"}
