"""The web application: every route, and what surrounds them."""

from dataclasses import replace
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Route, Router, WebSocketRoute
from starlette.types import ASGIApp

from db.organizations import Organizations
from domain.national_ids import NationalIds
from resolvers.ports import Services
from resolvers.schema import build_schema
from web.authentication import Authenticator
from web.config import WebConfig
from web.documents import Documents
from web.edge import Edge
from web.engine import Engine, graphql_schema
from web.files import file_routes
from web.graphql import GraphQLRoute
from web.health import health_routes
from web.metrics import metrics_routes
from web.observed import Observed
from web.pages import page_routes
from web.rates import Rates
from web.sockets import SocketRoute
from web.tokens import Tokens

__all__ = ["create_app"]

_DEMO_HOSTS = ("localhost", "127.0.0.1", "[::1]", "::1")


def create_app(config: WebConfig) -> ASGIApp:
    """The application; what it runs on is opened and closed by the server."""
    runtime, schema = config.runtime, build_schema()
    directory = Organizations(runtime.system, runtime.limits)
    services = Services(runtime, directory, NationalIds(runtime.keyring))
    rates = Rates(config.rates)
    authenticator = Authenticator(runtime, directory, Tokens(config.tokens), rates)
    engine = Engine(
        schema,
        Documents(graphql_schema(schema), config.documents, config.cost),
        Documents(graphql_schema(schema), config.documents, config.cost, introspection=config.introspection),
        seconds=config.operation_seconds + runtime.settings.max_wait_seconds,
        observe=runtime.observe,
    )
    inline = runtime.limits.max_inline_upload_bytes + config.request.body_bytes
    request = replace(config.request, multipart_bytes=max(config.request.multipart_bytes, inline))
    route = GraphQLRoute(engine, services, authenticator, rates, request)
    sockets = SocketRoute(engine, services, authenticator, rates, config.sockets, config.allowed_origins)
    application = Router(
        routes=[
            Route("/graphql", route, methods=["GET", "POST"]),
            WebSocketRoute("/graphql", sockets.__call__),
            *health_routes(runtime, config.worker_healthy),
            *metrics_routes(runtime),
            *file_routes(runtime, pause_seconds=config.upload_seconds),
            *page_routes(config.pages),
        ],
        middleware=_middleware(config),
    )
    return Observed(application, runtime.observe) if runtime.observe else application


def _middleware(config: WebConfig) -> list[Middleware]:
    layers = [Middleware(Edge)]
    if config.pages.demo_token is not None:  # the page shows a token: no foreign name may lead here (DNS rebinding)
        ours = urlsplit(config.runtime.settings.public_url).hostname
        hosts = [*_DEMO_HOSTS, *([ours] if ours else [])]
        layers.append(Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False))
    if config.allowed_origins:
        layers.append(
            Middleware(
                CORSMiddleware,
                allow_origins=list(config.allowed_origins),
                allow_methods=["GET", "POST", "PUT"],
                allow_headers=["Authorization", "Content-Type", "X-API-Key", "X-Organization-Id", "GraphQL-Preflight"],
            )
        )
    return layers
