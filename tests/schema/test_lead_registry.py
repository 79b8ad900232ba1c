import pytest
import strawberry
from graphql import GraphQLList, get_named_type, get_nullable_type

from domain.fields import FIELDS, LeadField
from domain.vocabulary import FieldType
from schema.config import schema_config
from schema.leads import Lead

SCALARS = {
    FieldType.TEXT: "String",
    FieldType.LONG_TEXT: "String",
    FieldType.PHONE: "String",
    FieldType.EMAIL: "String",
    FieldType.INTEGER: "Int",
    FieldType.DECIMAL: "Decimal",
    FieldType.BOOLEAN: "Boolean",
    FieldType.DATETIME: "DateTime",
    FieldType.LIST: "String",
    FieldType.ID: "ID",
}


@strawberry.type
class Query:
    lead: Lead


LEAD = strawberry.Schema(Query, config=schema_config())._schema.get_type("Lead")
SHOWN = [field for field in FIELDS.values() if field.path and field.path != ("notes",)]


def at(path: tuple[str, ...]):
    type_ = LEAD
    for name in path:
        fields = get_named_type(type_).fields
        assert name in fields, f"{'.'.join(path)} is a path of domain/fields, and schema/leads.py has no such field"
        type_ = fields[name].type
    return get_nullable_type(type_)


@pytest.mark.parametrize("field", SHOWN, ids=lambda field: field.key.name)
def test_the_lead_type_has_the_path_of_each_registry_entry(field: LeadField):
    found = at(field.path)
    assert isinstance(found, GraphQLList) == (field.type is FieldType.LIST)
    named = get_named_type(found)
    if field.enum:
        assert set(named.values) == {member.name for member in field.enum}
    elif field.type is not FieldType.ENUM:
        assert named.name in {SCALARS[field.type], "ID"}


def test_notes_are_a_connection():
    assert at(("notes", "nodes", "text")).name == "String"
