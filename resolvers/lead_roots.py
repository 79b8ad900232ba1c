"""The root fields with a lead filter, as graphql-core calls them.

Strawberry turns a nested input into instances field by field, and `to_domain` turns these back into the document that
they came from: 0.35 ms for a filter of two conditions, more than the rest of a page. graphql-core has that document
already. tests/resolvers/test_differential.py compares both ways.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias, cast

from graphql import GraphQLResolveInfo
from strawberry import Schema

from domain.errors import BadInput
from domain.exports import LeadOrder
from domain.filter_input import read_filter
from domain.filters import EVERYTHING, Document, LeadFilter
from domain.paging import PageArguments
from domain.vocabulary import LeadGroupBy, LeadSortField, SortDirection
from resolvers.execution import Query
from resolvers.group_queries import lead_groups
from resolvers.lead_queries import lead_page
from resolvers.leads import lead_node, sight_of
from schema.context import Context

__all__ = ["resolve_directly"]

Info: TypeAlias = "GraphQLResolveInfo[Context]"
Given = Mapping[str, Any]


def resolve_directly(schema: Schema) -> None:
    """Have the fields of the schema's leads resolved from graphql-core's own arguments."""
    query = schema._schema.query_type  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - no public name
    if query is None:
        raise TypeError("the schema has no queries")
    query.fields["lead"].resolve = _lead
    query.fields["leads"].resolve = _leads
    query.fields["leadGroups"].resolve = _lead_groups


def _lead(_source: object, info: Info, id: str) -> object:
    return lead_node(info.context, id)


async def _leads(_source: object, info: Info, **given: object) -> Query:
    sight = sight_of(info.context)
    values = {name: _not_null(value, name) for name, value in given.items()}
    order = cast("Mapping[str, object] | None", values.pop("orderBy", None))
    tree = _tree(values.pop("filter", None))
    return await lead_page(sight, tree, _order(order), PageArguments(**cast("Given", values)))


async def _lead_groups(_source: object, info: Info, by: list[LeadGroupBy], **given: object) -> Query:
    values = {name: _not_null(value, name) for name, value in given.items()}
    return await lead_groups(sight_of(info.context), _tree(values.get("filter")), by)


def _tree(document: object | None) -> LeadFilter:
    return EVERYTHING if document is None else read_filter(cast("Document", document), ("filter",))


_NEWEST: Final = LeadOrder()


def _order(given: Mapping[str, object] | None) -> LeadOrder:
    if given is None:
        return _NEWEST
    return LeadOrder(cast("LeadSortField", given["field"]), cast("SortDirection", given["direction"]))


def _not_null(value: object, name: str) -> object:
    if value is None:
        raise BadInput("null is not a value here; leave it out instead.", (name,))
    return value
