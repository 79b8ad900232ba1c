"""Who is to be told of a file: whether they can be."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from db.connections import Connection
from db.deliveries import missing_endpoints
from domain.emails import is_email
from domain.errors import InputProblem, NotFoundProblem, Path, Problem, Rejected
from domain.exports import Delivery
from domain.ids import IdKind, parse_id
from domain.vocabulary import UserErrorCode


async def check_recipients(
    connection: Connection, deliver: Sequence[Delivery], path: Path = ("input", "deliver")
) -> None:
    """Raises Rejected for an address that is none and an endpoint that is not there."""
    problems = list(_address_problems(deliver, path))
    given = {place: delivery.webhook_endpoint_id for place, delivery in enumerate(deliver)}
    endpoints = {place: parse_id(IdKind.WEBHOOK, text) for place, text in given.items() if text}
    missing = set(await missing_endpoints(connection, [found for found in endpoints.values() if found]))
    for place, endpoint in endpoints.items():
        if endpoint is None or endpoint in missing:
            where = (*path, str(place), "webhookEndpointId")
            message = "There is no webhook endpoint with this id."
            problems.append(NotFoundProblem(UserErrorCode.NOT_FOUND, message, where, (str(given[place]),)))
    if problems:
        raise Rejected(*problems)


async def without_missing_endpoints(connection: Connection, deliver: Sequence[Delivery]) -> tuple[Delivery, ...]:
    """The deliveries without the endpoints that are not there any more."""
    named = {delivery: parse_id(IdKind.WEBHOOK, delivery.webhook_endpoint_id or "") for delivery in deliver}
    missing = set(await missing_endpoints(connection, [endpoint for endpoint in named.values() if endpoint]))
    return tuple(
        replace(delivery, webhook_endpoint_id=None) if endpoint in missing else delivery
        for delivery, endpoint in named.items()
    )


def _address_problems(deliver: Sequence[Delivery], path: Path) -> Iterator[Problem]:
    for place, delivery in enumerate(deliver):
        for index, address in enumerate(delivery.email):
            if not is_email(address):
                where = (*path, str(place), "email", str(index))
                yield InputProblem(UserErrorCode.INVALID, "This is no e-mail address.", where)
