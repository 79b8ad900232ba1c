"""Who is asking."""

import strawberry

from resolvers.access import caller, home
from resolvers.context import Info
from schema.organizations import Viewer

__all__ = ["ViewerQueries"]


@strawberry.type
class ViewerQueries:
    """The root fields about the caller."""

    @strawberry.field(description="Who is asking, and what they may do.")
    def viewer(self, info: Info) -> Viewer:
        return Viewer.of(caller(info.context), home(info.context))
