"""The root fields of exports, as graphql-core calls them: see resolvers/direct.py."""

from typing import Final, TypeAlias

from graphql import GraphQLResolveInfo

from domain.exports import ExportSpec
from domain.vocabulary import Permission
from resolvers.access import authorize
from resolvers.context import RequestContext
from resolvers.direct import Given, Roots
from resolvers.exports import preview
from schema.arguments import given, read_coerced
from schema.exports import ExportPreview

__all__ = ["EXPORT_ROOTS"]

Info: TypeAlias = "GraphQLResolveInfo[RequestContext]"


async def _export_preview(_source: object, info: Info, spec: Given, first: int | None) -> ExportPreview:
    actor = authorize(info.context, Permission.LEADS_EXPORT)
    return await preview(info.context, actor, read_coerced(ExportSpec, spec, ("spec",)), given(first, "first"))


EXPORT_ROOTS: Final[Roots] = {"exportPreview": _export_preview}
