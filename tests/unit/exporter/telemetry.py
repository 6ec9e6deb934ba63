"""Spans, log records and metrics made by the SDK, `count` items each."""

from __future__ import annotations

import warnings
from typing import Any

try:
    from opentelemetry.sdk._logs import LogRecord
except ImportError:
    from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs import export as log_export
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

RESOURCE = Resource({"service.name": "exporter-tests"})


def make_spans(count: int, size: int = 10) -> list[ReadableSpan]:
    """Make finished spans with an attribute of `size` characters each."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("tests")
    for number in range(count):
        with tracer.start_as_current_span(f"span {number}") as span:
            span.set_attribute("padding", "x" * size)
    return list(memory.get_finished_spans())


def make_log_records(count: int, size: int = 10) -> list[Any]:
    """Make log records with a body of `size` characters each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        memory = getattr(log_export, "InMemoryLogRecordExporter", None) or log_export.InMemoryLogExporter
        exporter = memory()
    provider = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_log_record_processor(log_export.SimpleLogRecordProcessor(exporter))
    logger = provider.get_logger("tests")
    for number in range(count):
        record = LogRecord(severity_text="INFO", body="x" * size, attributes={"number": number})
        record.resource = RESOURCE  # where older releases of the SDK look for it
        logger.emit(record)
    return list(exporter.get_finished_logs())


def make_metrics(count: int, size: int = 10) -> MetricsData:
    """Make a counter with `count` data points, with an attribute of `size` characters each."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], resource=RESOURCE, shutdown_on_exit=False)
    counter = provider.get_meter("tests").create_counter("requests")
    for number in range(count):
        counter.add(1, {"number": number, "padding": "x" * size})
    data = reader.get_metrics_data()
    provider.shutdown()
    assert data is not None
    return data
