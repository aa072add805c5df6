"""A trace goes from the caller's request to our log lines and to the events that the request causes."""

import json
import logging
from typing import Any

import httpx2
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import select

from app import main
from app.database import Database
from app.outbox.models import Event
from app.outbox.relay import cloud_event
from app.security import Application
from app.settings import Settings
from app.telemetry import AddTraceId, configuration
from tests.conftest import Connect, serving

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0cb902b7"
CALLERS = {"traceparent": f"00-{TRACE}-{SPAN}-01"}


def trace_ids(caplog: pytest.LogCaptureFixture) -> list[str | None]:
    return [getattr(record, "trace_id", None) for record in caplog.records if record.name == "app.access"]


async def last_event(database: Database) -> dict[str, str]:
    async with database.read() as connection:
        return dict(cloud_event((await connection.execute(select(Event).order_by(Event.id.desc()).limit(1))).one()))


async def test_a_trace_goes_on_from_request_to_log_line_and_event(
    settings: Settings,
    program: Connect,
    database: Database,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.INFO, "app.access")
    caplog.handler.addFilter(identify := AddTraceId())
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    def traced(**options: Any) -> Application:
        return Application(**options | {"telemetry": options["telemetry"] | {"tracer_provider": provider}})

    monkeypatch.setattr(main, "Application", traced)
    async with serving(settings) as address:
        client = await program(at=address)
        await client.get("/readyz", headers=CALLERS)
        new = {"sku": "TRACED", "name": "Tea"}
        assert (await client.post("/api/v1/products", json=new, headers=CALLERS)).status_code == 201
    caplog.handler.removeFilter(identify)
    of_requests = [span for span in exporter.get_finished_spans() if span.kind is trace.SpanKind.SERVER]
    assert [span.name for span in of_requests] == ["POST /api/v1/products"], "and none of the probe"
    (span,) = of_requests
    assert span.context
    assert (trace.format_trace_id(span.context.trace_id), span.parent and span.parent.span_id) == (TRACE, int(SPAN, 16))
    assert trace_ids(caplog)[-1] == TRACE
    _, trace_id, parent, _ = (await last_event(database))["traceparent"].split("-")
    spans = {trace.format_span_id(each.context.span_id) for each in exporter.get_finished_spans() if each.context}
    assert (trace_id, parent in spans) == (TRACE, True)


async def test_without_a_tracer_the_callers_trace_is_carried_on(
    writer: httpx2.AsyncClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "app.access")
    caplog.handler.addFilter(identify := AddTraceId())
    new = {"sku": "TRACED", "name": "Tea"}
    assert (await writer.post("/api/v1/products", json=new, headers=CALLERS)).status_code == 201
    assert (await last_event(database))["traceparent"] == CALLERS["traceparent"]
    assert (await writer.post("/api/v1/products", json=new | {"sku": "ALONE"})).status_code == 201
    assert "traceparent" not in await last_event(database), "one request's trace is not the next one's"
    await writer.get("/api/v1/products", headers={"traceparent": "nonsense"})
    caplog.handler.removeFilter(identify)
    assert trace_ids(caplog) == [TRACE, None, None]


def test_the_trace_stands_on_every_line(settings: Settings) -> None:
    config = configuration(settings)
    assert config["handlers"]["stderr"]["filters"][-1] == "trace_id"
    assert "%(trace_id)s" in json.dumps(config["formatters"]["json"])
