"""What every resolver gets with its request: the schema's context, the server's resources, and the caller's address."""

from dataclasses import dataclass

import strawberry

from db.organizations import Organizations
from jobs.runtime import Runtime
from schema.context import Context

__all__ = ["Info", "RequestContext"]


@dataclass(frozen=True, kw_only=True)
class RequestContext(Context):
    """One request.

    `directory` remembers organizations for a moment: whoever changes one makes it forget. `address` is the caller's
    network address.
    """

    runtime: Runtime
    directory: Organizations
    address: str | None


Info = strawberry.Info[RequestContext, None]
