import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLNamedType,
    GraphQLSchema,
    build_schema,
    print_ast,
)
from graphql.utilities import find_breaking_changes, find_dangerous_changes

ROOT = Path(__file__).parents[2]
CONTRACT = Path(os.environ.get("LEADPORT_CONTRACT", ROOT.parent / "shared" / "schema.graphql"))
PRINTED = ROOT / "schema.graphql"
SPECIFIED = ("__", "Boolean", "Float", "ID", "Int", "String")


@pytest.fixture(scope="module")
def contract() -> GraphQLSchema:
    if not CONTRACT.exists():
        pytest.skip(f"The contract is not at {CONTRACT}; LEADPORT_CONTRACT names another place.")
    return build_schema(CONTRACT.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def printed() -> GraphQLSchema:
    return build_schema(PRINTED.read_text(encoding="utf-8"))


def places(type_: GraphQLNamedType) -> Iterator[tuple[str, str]]:
    """Every field and argument of a type with its type and default, as the schema language writes them."""
    for name, field in getattr(type_, "fields", {}).items():
        yield f"{type_.name}.{name}", signature(field)
        for argument, declared in getattr(field, "args", {}).items():
            yield f"{type_.name}.{name}({argument})", signature(declared)


def signature(declared: GraphQLArgument | GraphQLField | GraphQLInputField) -> str:
    default = getattr(declared, "default", None)
    if default is None:
        return str(declared.type)
    return f"{declared.type} = {print_ast(default.literal) if default.literal else default.value}"


def test_nothing_of_the_contract_is_broken(contract: GraphQLSchema, printed: GraphQLSchema):
    assert [change.description for change in find_breaking_changes(contract, printed)] == []


def test_nothing_of_the_contract_changes_its_meaning(contract: GraphQLSchema, printed: GraphQLSchema):
    assert [change.description for change in find_dangerous_changes(contract, printed)] == []


def test_names_nullability_arguments_and_defaults_are_the_contracts(contract: GraphQLSchema, printed: GraphQLSchema):
    wanted = {place for type_ in contract.type_map.values() for place in places(type_)}
    there = {place for type_ in printed.type_map.values() for place in places(type_)}
    assert sorted(wanted - there) == []


def test_one_of_inputs_are_the_contracts(contract: GraphQLSchema, printed: GraphQLSchema):
    one_of = {name for name, type_ in contract.type_map.items() if getattr(type_, "is_one_of", False)}
    assert one_of == {name for name, type_ in printed.type_map.items() if getattr(type_, "is_one_of", False)}


def test_every_type_field_and_argument_says_what_it_is(printed: GraphQLSchema):
    silent = []
    for name, type_ in printed.type_map.items():
        if name.startswith(SPECIFIED):
            continue
        silent += [] if type_.description or name in {"Query", "Mutation"} else [name]
        for field, declared in getattr(type_, "fields", {}).items():
            silent += [] if declared.description else [f"{name}.{field}"]
    assert silent == []
