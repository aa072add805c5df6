"""Traces: which one a request belongs to, for its log lines and for the events that it causes.

FastAPI makes the spans itself once OpenTelemetry is set up. Without that a request still belongs to its caller's trace.
"""

import logging
from collections.abc import Mapping
from typing import Any

from opentelemetry import context, propagate, trace

from app import logging as lines
from app.settings import Settings


def follow(headers: Mapping[str, str]) -> None:
    """Continue the caller's trace when no span of ours does."""
    if "traceparent" in headers and not trace.get_current_span().get_span_context().is_valid:
        context.attach(propagate.extract(headers))  # of this request alone: each is served in a context of its own


def traceparent() -> str | None:
    """The trace and the span that are under way, as W3C Trace Context writes them."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent")


class AddTraceId(logging.Filter):
    """Puts the trace of the request that is being answered on the record."""

    def filter(self, record: logging.LogRecord) -> bool:
        span = trace.get_current_span().get_span_context()
        record.trace_id = trace.format_trace_id(span.trace_id) if span.is_valid else None
        return True


def configuration(settings: Settings) -> dict[str, Any]:
    """That of `app.logging`, with a trace id on every line."""
    config = lines.configuration(settings)
    config["filters"]["trace_id"] = {"()": AddTraceId}
    config["handlers"]["stderr"]["filters"].append("trace_id")
    config["formatters"]["json"]["fmt"] += " %(trace_id)s"
    return config


def unprobed(scope: Mapping[str, Any]) -> bool:
    """Whether there is to be no span: a probe every second would be most of all traces."""
    return scope.get("path") in ("/livez", "/readyz")
