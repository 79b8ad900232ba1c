"""What the HTTP edge is told by the server."""

from collections.abc import Callable
from dataclasses import dataclass, field

from jobs.runtime import Runtime
from web.cost import CostLimits
from web.documents import DocumentLimits
from web.graphql_request import RequestLimits
from web.pages import PageConfig
from web.rates import RateLimits
from web.tokens import TokenSettings

__all__ = ["SocketLimits", "WebConfig"]


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """Of one WebSocket: seconds until connection_init and between checks of the credential, subscriptions at once."""

    init_seconds: float = 10.0
    check_seconds: float = 20.0
    operations: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class WebConfig:
    """Plain values and the runtime.

    `introspection`: whether callers without a credential may read the schema. `allowed_origins` may use the API from
    a browser besides our own pages. `worker_healthy` is asked where this process runs a worker. `operation_seconds`
    bounds each query and mutation, the longest `waitSeconds` on top. `upload_seconds` bounds the pause between two
    pieces of an upload.
    """

    runtime: Runtime
    tokens: TokenSettings
    pages: PageConfig
    introspection: bool = False
    allowed_origins: tuple[str, ...] = ()
    worker_healthy: Callable[[], bool] | None = None
    operation_seconds: float = 30.0
    upload_seconds: float = 30.0
    request: RequestLimits = field(default_factory=RequestLimits)
    documents: DocumentLimits = field(default_factory=DocumentLimits)
    cost: CostLimits = field(default_factory=CostLimits)
    rates: RateLimits = field(default_factory=RateLimits)
    sockets: SocketLimits = field(default_factory=SocketLimits)
