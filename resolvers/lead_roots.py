"""The root fields of leads, as graphql-core calls them: see resolvers/direct.py."""

from collections.abc import Mapping
from typing import Final, TypeAlias, cast

from graphql import GraphQLResolveInfo

from domain.exports import LeadOrder
from domain.filter_input import read_filter
from domain.filters import EVERYTHING, Document, LeadFilter
from domain.paging import PageArguments
from domain.vocabulary import LeadGroupBy, LeadSortField, SortDirection
from resolvers.direct import Given, Roots
from resolvers.execution import Query
from resolvers.group_queries import lead_groups
from resolvers.lead_queries import lead_page
from resolvers.leads import lead_node, sight_of
from schema.arguments import given as not_null
from schema.context import Context

__all__ = ["LEAD_ROOTS"]

Info: TypeAlias = "GraphQLResolveInfo[Context]"


def _lead(_source: object, info: Info, id: str) -> object:
    return lead_node(info.context, id)


async def _leads(_source: object, info: Info, **given: object) -> Query:
    sight = sight_of(info.context)
    values = {name: not_null(value, name) for name, value in given.items()}
    order = cast("Mapping[str, object] | None", values.pop("orderBy", None))
    tree = _tree(values.pop("filter", None))
    return await lead_page(sight, tree, _order(order), PageArguments(**cast("Given", values)))


async def _lead_groups(_source: object, info: Info, by: list[LeadGroupBy], **given: object) -> Query:
    values = {name: not_null(value, name) for name, value in given.items()}
    return await lead_groups(sight_of(info.context), _tree(values.get("filter")), by)


def _tree(document: object | None) -> LeadFilter:
    return EVERYTHING if document is None else read_filter(cast("Document", document), ("filter",))


_NEWEST: Final = LeadOrder()


def _order(given: Mapping[str, object] | None) -> LeadOrder:
    if given is None:
        return _NEWEST
    return LeadOrder(cast("LeadSortField", given["field"]), cast("SortDirection", given["direction"]))


LEAD_ROOTS: Final[Roots] = {"lead": _lead, "leads": _leads, "leadGroups": _lead_groups}
