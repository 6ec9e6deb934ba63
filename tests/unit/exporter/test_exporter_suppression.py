"""The exporter's own requests leave no spans."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from opentelemetry import context
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otlp_fast.exporter.http import OTLPSpanExporter
from scripted_receiver import Receiver

KEYS = [
    "suppress_instrumentation",
    context._SUPPRESS_INSTRUMENTATION_KEY,
    context._SUPPRESS_HTTP_INSTRUMENTATION_KEY,
]


def test_suppression_keys_are_set_during_the_request_only(receiver: Receiver, spans: list[ReadableSpan]) -> None:
    seen: list[list[object]] = []

    class Watching(urllib3.PoolManager):
        def urlopen(self, *arguments: Any, **keywords: Any) -> Any:
            seen.append([context.get_value(key) for key in KEYS])
            return super().urlopen(*arguments, **keywords)

    session = Watching()
    exporter = OTLPSpanExporter(receiver.url, session=session)
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert seen == [[True, True, True]]
    assert [context.get_value(key) for key in KEYS] == [None, None, None]
    session.clear()


@pytest.fixture
def traced() -> Iterator[InMemorySpanExporter]:
    """Spans of urllib3 requests while the test runs."""
    instrumentation = pytest.importorskip("opentelemetry.instrumentation.urllib3")
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    instrumentor = instrumentation.URLLib3Instrumentor()
    instrumentor.instrument(tracer_provider=provider)
    yield memory
    instrumentor.uninstrument()


def test_instrumented_urllib3_sees_no_request_of_the_exporter(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: list[ReadableSpan], traced: InMemorySpanExporter
) -> None:
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert traced.get_finished_spans() == ()
    assert "traceparent" not in receiver.requests[0].headers

    # The same request without an exporter around it is traced: the instrumentation is at work.
    with urllib3.PoolManager() as manager:
        manager.request("POST", receiver.url, body=b"")
    assert len(traced.get_finished_spans()) == 1
