"""Spans for an OpenTelemetry collector. Imported only where one is configured: its packages are an extra.

What is recorded are the facts that the server tells (`domain.observing`): no variables, no arguments, no SQL, and of an
error its kind and not its message.
"""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, StatusCode, Tracer

from domain.observing import Facts, Observe, Said

__all__ = ["spans"]

_PATH: Final = "/v1/traces"
_PATIENCE_SECONDS: Final = 5.0
"""How long one export may take, the last one at the end included."""


class _TraceId(logging.Filter):
    """Gives each line of the log the trace that it belongs to."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true."""
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            record.trace_id = trace.format_trace_id(context.trace_id)
        return True


@contextmanager
def spans(endpoint: str) -> Generator[Observe]:
    """Send what is observed within the block to a collector (OTLP over HTTP); `endpoint` is without the path.

    The standard variables OTEL_EXPORTER_OTLP_HEADERS, OTEL_RESOURCE_ATTRIBUTES and OTEL_TRACES_SAMPLER are heeded.
    """
    provider = TracerProvider(resource=Resource.create({"service.name": "leadport"}))
    exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + _PATH, timeout=_PATIENCE_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer, lines = provider.get_tracer("leadport"), _TraceId()
    handlers = logging.getLogger().handlers
    for handler in handlers:
        handler.addFilter(lines)
    try:
        yield _observe(tracer)
    finally:
        for handler in handlers:
            handler.removeFilter(lines)
        provider.shutdown()


def _observe(tracer: Tracer) -> Observe:
    @contextmanager
    def observe(name: str, facts: Facts) -> Generator[Said]:
        opened = tracer.start_as_current_span(
            name, attributes=facts, record_exception=False, set_status_on_exception=False
        )
        with opened as span:
            try:
                yield lambda more: _say(span, more)
            except BaseException as error:
                _say(span, {"failed": type(error).__name__})
                raise

    return observe


def _say(span: Span, facts: Facts) -> None:
    for name, value in facts.items():
        if name == "failed":
            span.set_status(StatusCode.ERROR)
            span.set_attribute("error.type", str(value))
        else:
            span.set_attribute(name, value)
