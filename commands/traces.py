"""Traces, where they are asked for: the packages that send them are an extra, and missed in one line."""

from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module

from commands.organizations import CommandError
from domain.observing import Observe

__all__ = ["traces"]


@contextmanager
def traces(endpoint: str | None) -> Generator[Observe | None]:
    """Who observes the server within the block, None without an endpoint. Raises CommandError."""
    if endpoint is None:
        yield None
        return
    try:
        otel = import_module("commands.otel")  # by name, so that the server starts where the extra is not installed
    except ImportError as error:
        message = f"LEADPORT_OTEL_ENDPOINT: {error.name} is missing; install requirements-otel.txt"
        raise CommandError(message) from error
    with otel.spans(endpoint) as observe:
        yield observe
