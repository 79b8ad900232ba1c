from datetime import UTC, datetime
from decimal import Decimal

import strawberry

from schema.config import schema_config
from schema.leads import Lead, LeadConnection
from schema.nodes import Node

ROW = {
    "id": "lead_1",
    "name": "Dana Levi",
    "status": {"id": "status_1", "key": "new", "stage": "NEW"},
    "company": {"id": "company_1", "name": "Acme"},
    "assignee": None,
    "tags": ["vip"],
    "conversion": {"value": Decimal("12.50")},
    "notes": {"nodes": [{"id": "note_1", "text": "call back"}]},
    "custom_fields": {"budget": "1"},
    "created_at": datetime(2024, 1, 15, tzinfo=UTC),
    "masked_fields": ["national_id"],
}


@strawberry.type
class Query:
    @strawberry.field
    def leads(self) -> LeadConnection:
        return {"nodes": [ROW], "total_count": {"value": 1, "exact": True}}

    @strawberry.field
    def node(self) -> Node:
        return {"__typename": "Lead", **ROW}


def run(document: str) -> object:
    result = strawberry.Schema(Query, config=schema_config(), types=[Lead]).execute_sync(document)
    assert result.errors is None
    return result.data


def test_a_row_given_as_a_dict_completes_a_lead_with_all_that_is_nested():
    assert run(
        """{ leads {
            totalCount { value exact }
            nodes {
                id name status { id key stage } company { id name } assignee { name } tags customFields createdAt
                conversion { value } notes(first: 5) { nodes { id text } } maskedFields
            }
        } }"""
    ) == {
        "leads": {
            "totalCount": {"value": 1, "exact": True},
            "nodes": [
                {
                    "id": "lead_1",
                    "name": "Dana Levi",
                    "status": {"id": "status_1", "key": "new", "stage": "NEW"},
                    "company": {"id": "company_1", "name": "Acme"},
                    "assignee": None,
                    "tags": ["vip"],
                    "customFields": {"budget": "1"},
                    "createdAt": "2024-01-15T00:00:00Z",
                    "conversion": {"value": "12.50"},
                    "notes": {"nodes": [{"id": "note_1", "text": "call back"}]},
                    "maskedFields": ["NATIONAL_ID"],
                }
            ],
        }
    }


def test_a_row_that_names_its_type_completes_a_node():
    assert run("{ node { __typename id ... on Lead { name } } }") == {
        "node": {"__typename": "Lead", "id": "lead_1", "name": "Dana Levi"}
    }
