"""Telemetry of the SDK with everything that it can say, and the same as the official encoder writes it.

Made by tracers, loggers and instruments as an application does it, into the pipeline that is under test. What was
sent is what the official encoder makes of the same objects: an encoder that this project has no part in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

RESOURCE = Resource(
    {"service.name": "shop", "host.cpus": 8, "tags": ["a", "b"]}, "https://opentelemetry.io/schemas/1.27.0"
)

ATTRIBUTES: dict[str, Any] = {
    "string": "größe 東京 😀",
    "empty": "",
    "true": True,
    "false": False,
    "zero": 0,
    "least": -(2**63),
    "most": 2**63 - 1,
    "double": 0.1,
    "infinite": float("-inf"),
    "not a number": float("nan"),
    "strings": ["a", "", "b"],
    "integers": [1, -1],
    "doubles": [0.5, 1e300],
    "booleans": [True, False],
    "nothing in it": [],
    "bytes": b"\x00\xff",
}
REMOTE = SpanContext(
    0x4BF92F3577B34DA6A3CE929D0E0E4736, 0xF067AA0BA902B7, True, TraceFlags(1), TraceState([("vendor", "value")])
)
NANOSECONDS = 1_700_000_000_000_000_000
BODY = {"nested": [{"deep": [1, 2.5, None, b"\x01"]}, "text"], "none": None, "empty": {}}


def emit_spans(processor: Any = None) -> list[bytes]:
    """End spans of each kind, with events, links and states, through a processor if any; give them as requests."""
    memory = InMemorySpanExporter()
    # Limits that drop something, so that the counts of what was dropped are there.
    limits = SpanLimits(max_events=3, max_links=2, max_span_attributes=20)
    provider = TracerProvider(resource=RESOURCE, span_limits=limits, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    if processor is not None:
        provider.add_span_processor(processor)
    for name, version in (("shop.orders", "1.2"), ("shop.books", "")):
        tracer = provider.get_tracer(name, version, "https://opentelemetry.io/schemas/1.26.0", {"scope": "attribute"})
        parent = Context()
        for number, kind in enumerate(SpanKind):
            links = [Link(REMOTE, {"link": number}) for _ in range(number)]
            span = tracer.start_span(f"span {number}", parent, kind, ATTRIBUTES, links, NANOSECONDS + number)
            for event in range(number):
                span.add_event(f"event {event}", ATTRIBUTES, NANOSECONDS + event)
            span.set_attributes({f"more {more}": more for more in range(2 * number)})
            span.set_status(
                Status(*((StatusCode.ERROR, "it broke") if number == 2 else (list(StatusCode)[number % 2],)))
            )
            span.end(NANOSECONDS + 1_000_000 * number)
            parent = set_span_in_context(span)
    return [encode_spans(memory.get_finished_spans()).SerializeToString()]


def emit_log_records(processor: Any = None) -> list[bytes]:
    """Emit log records of all severities and kinds of bodies through a processor if any; give them as requests."""
    memory = InMemoryLogRecordExporter()
    provider = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(memory))
    if processor is not None:
        provider.add_log_record_processor(processor)
    bodies = ["a line", "", 7, 2.5, True, b"\x00\xff", None, ["list", 1], BODY]
    for name in ("shop.orders", "shop.books"):
        logger = provider.get_logger(name, "1.2", "https://opentelemetry.io/schemas/1.26.0", {"scope": "attribute"})
        for severity in SeverityNumber:
            record = LogRecord(
                timestamp=NANOSECONDS + severity.value,
                observed_timestamp=NANOSECONDS + 1,
                context=set_span_in_context(NonRecordingSpan(REMOTE)) if severity.value % 2 else Context(),
                severity_text=severity.name,
                severity_number=severity,
                body=bodies[severity.value % len(bodies)],
                attributes={**ATTRIBUTES, "structured": BODY},
                event_name="shop.event" if severity.value % 3 == 0 else None,
            )
            logger.emit(record)
    return [encode_logs(memory.get_finished_logs()).SerializeToString()]


class RememberingExporter(MetricExporter):
    """Keeps metrics, and hands them on to an exporter if there is one."""

    def __init__(self, exporter: Any) -> None:
        preferences = (getattr(exporter, f"_preferred_{kind}", None) for kind in ("temporality", "aggregation"))
        super().__init__(*preferences)
        self._exporter = exporter
        self.exported: list[MetricsData] = []

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **keywords: Any) -> Any:
        self.exported.append(metrics_data)
        if self._exporter is None:
            return MetricExportResult.SUCCESS
        return self._exporter.export(metrics_data, timeout_millis=timeout_millis, **keywords)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return self._exporter is None or bool(self._exporter.force_flush(timeout_millis))

    def shutdown(self, timeout_millis: float = 30_000, **keywords: Any) -> None:
        if self._exporter is not None:
            self._exporter.shutdown(timeout_millis=timeout_millis, **keywords)


def record_metrics(exporter: Any = None) -> list[bytes]:
    """Record all instruments, with exemplars, have the SDK's reader export them if anywhere; give them as requests."""
    remembering = RememberingExporter(exporter)
    reader = PeriodicExportingMetricReader(remembering, export_interval_millis=3_600_000)
    view = View(
        Histogram, instrument_name="exponential", aggregation=ExponentialBucketHistogramAggregation(max_scale=3)
    )
    provider = MeterProvider([reader], RESOURCE, AlwaysOnExemplarFilter(), shutdown_on_exit=False, views=[view])
    meter = provider.get_meter("shop.orders", "1.2", "https://opentelemetry.io/schemas/1.26.0", {"scope": "attribute"})
    meter.create_observable_gauge("observed.gauge", [_observe], "Cel", "how hot")
    meter.create_observable_counter("observed.counter", [_observe], "1")
    meter.create_observable_up_down_counter("observed.level", [_observe])
    counter, level = meter.create_counter("counter", "1", "größe"), meter.create_up_down_counter("level")
    gauge, histogram = meter.create_gauge("gauge"), meter.create_histogram("histogram", "s")
    exponential = meter.create_histogram("exponential", "s", "of sizes")
    context = set_span_in_context(NonRecordingSpan(REMOTE))
    for number in (0, 1, 2.5, 1e9):
        for attributes in ({}, {"route": "/orders", "code": 200}):
            counter.add(number, attributes, context)
            level.add(-number, attributes)
            gauge.set(number, attributes, context)
            histogram.record(number, attributes, context)
            exponential.record(number, attributes, context)
    provider.force_flush()
    reader.shutdown()
    return [encode_metrics(exported).SerializeToString() for exported in remembering.exported]


def _observe(options: CallbackOptions) -> Iterator[Observation]:
    yield Observation(3, {"kind": "integer"})
    yield Observation(-2.5, {"kind": "double"})
