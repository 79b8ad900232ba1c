"""A field of a lead needs an entry in the registry, an expression, a place in the row types and a Strawberry field."""

import pytest
from graphql import GraphQLObjectType, get_named_type

from db.columns import EXPRESSIONS
from db.lead_fields import TYPES
from db.tables import leads
from domain.fields import FIELDS
from domain.vocabulary import LeadFieldKey
from tests.resolvers.lead_schema import SCHEMA

SHOWN = SCHEMA._schema.type_map
ELSEWHERE = {("Lead", "notes")}
"""Objects that a registry path ends at."""


@pytest.mark.parametrize("name", TYPES)
def test_a_type_s_rows_serve_exactly_the_fields_of_its_graphql_type(name: str):
    assert set(TYPES[name].fields) == set(SHOWN[name].fields)


@pytest.mark.parametrize("key", [key for key in LeadFieldKey if FIELDS[key].path], ids=lambda key: key.value)
def test_a_registry_path_leads_to_a_leaf_of_the_graphql_lead(key: LeadFieldKey):
    found: object = SHOWN["Lead"]
    for step in FIELDS[key].path:
        assert isinstance(found, GraphQLObjectType), f"{key}: nothing below {found}"
        assert step in found.fields, f"{key}: {found.name} has no field {step}"
        place, found = (found.name, step), get_named_type(found.fields[step].type)
    assert not isinstance(found, GraphQLObjectType) or place in ELSEWHERE


@pytest.mark.parametrize("key", LeadFieldKey, ids=lambda key: key.value)
def test_a_key_has_its_registry_entry_and_its_expression(key: LeadFieldKey):
    assert key in FIELDS
    assert key in EXPRESSIONS


@pytest.mark.parametrize("key", [key for key in FIELDS if FIELDS[key].column], ids=lambda key: key.value)
def test_a_column_that_imports_write_is_in_the_table(key: LeadFieldKey):
    column = FIELDS[key].column
    assert column in leads.c or f"{column}_cipher" in leads.c
