"""Failures as the API answers them: a mutation's as data, a query's as coded errors, bugs masked."""

import functools
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, ParamSpec, TypeVar

from graphql import GraphQLError

from domain.errors import BadInput, Forbidden, Rejected, Unauthenticated
from domain.ids import new_id
from schema.errors import user_errors
from schema.payloads import Payload

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer", bound=Payload)

_LOG: Final = logging.getLogger(__name__)
MASKED: Final = "Something went wrong. The correlation id finds it in the server's log."


def answers(
    payload: type[Answer],
) -> Callable[[Callable[Arguments, Awaitable[Answer]]], Callable[Arguments, Awaitable[Answer]]]:
    """Makes a mutation's resolver answer its expected failures as `userErrors` of this payload."""

    def decorate(resolver: Callable[Arguments, Awaitable[Answer]]) -> Callable[Arguments, Awaitable[Answer]]:
        @functools.wraps(resolver)
        async def resolve(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
            try:
                return await resolver(*args, **kwargs)
            except (Rejected, BadInput) as failure:
                return payload(user_errors=user_errors(failure))

        return resolve

    return decorate


def coded(error: GraphQLError) -> GraphQLError:
    """A top-level error with `extensions.code`; what nobody expected is logged and masked with a correlation id."""
    if error.extensions and "code" in error.extensions:
        return error
    match error.original_error:
        case BadInput() as bad:
            details = {"inputPath": list(bad.path), "allowedValues": list(bad.allowed_values or ())}
            return _with_code(error, bad.message, "BAD_USER_INPUT", details)
        case Rejected() as rejected:
            return _with_code(error, str(rejected), "BAD_USER_INPUT")
        case Unauthenticated() as denied:
            return _with_code(error, str(denied), "UNAUTHENTICATED")
        case Forbidden() as denied:
            return _with_code(error, str(denied), "FORBIDDEN")
        case None | GraphQLError():
            return _with_code(error, error.message, "BAD_USER_INPUT")
        case ValueError() if error.path is None:  # a variable, before anything ran
            return _with_code(error, error.message, "BAD_USER_INPUT")
        case unexpected:
            return _masked(error, unexpected)


def _masked(error: GraphQLError, unexpected: Exception) -> GraphQLError:
    correlation_id = str(new_id())
    place = ".".join(str(step) for step in error.path or ())
    _LOG.error("resolver failed", exc_info=unexpected, extra={"correlation_id": correlation_id, "place": place})
    return _with_code(error, MASKED, "INTERNAL", {"correlationId": correlation_id})


def _with_code(
    error: GraphQLError, message: str, code: str, details: Mapping[str, str | list[str]] | None = None
) -> GraphQLError:
    extensions = {"code": code} | {name: value for name, value in (details or {}).items() if value}
    return GraphQLError(message, error.nodes, error.source, error.positions, error.path, None, extensions)
