"""Run by test_sdk_versions.py under another opentelemetry-sdk: what that SDK makes, native code reads as the reference.

Prints as JSON the version, what was encoded of each signal, and how often each path was taken; any difference is an
assertion.
"""

from __future__ import annotations

import inspect
import json
import logging
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any

from opentelemetry import _logs as api_logs
from opentelemetry.metrics import Observation
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk import _logs as sdk_logs
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import Counter as SdkCounter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

import otlp_fast
from otlp_fast import reference

RESOURCE = Resource({"service.name": "shop", "größe": 3}, "https://example.com/schema")
SCOPE_SCHEMA = "https://example.com/scope"


class SpanRecorder(SpanProcessor):
    """Keeps what ends."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


class LogRecorder:
    """A log exporter in all but name: the class that it would derive from was renamed in SDK 1.39."""

    def __init__(self) -> None:
        self.records: list[Any] = []

    def export(self, batch: Sequence[Any]) -> None:
        self.records.extend(batch)

    def shutdown(self) -> None:
        """Nothing to do."""


def record_spans() -> list[ReadableSpan]:
    """Spans of all sorts, made by the SDK itself."""
    recorder = SpanRecorder()
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(recorder)
    remote = SpanContext(1 << 100, 1 << 50, True, TraceFlags(1), TraceState([("vendor", "value"), ("b", "c")]))
    for name in ("flask", "sqlite3"):
        tracer = provider.get_tracer(name, "1.0", SCOPE_SCHEMA)
        for number in range(5):
            with tracer.start_as_current_span(
                f"{name} {number}",
                kind=list(SpanKind)[number],
                attributes={
                    "text": "東京 " * number,
                    "number": 10**number,
                    "flags": [True, False],
                    "ratio": number / 3,
                },
                links=[Link(remote, {"k": number})],
            ) as span:
                span.add_event("event", {"detail": "x" * number})
                if number == 2:
                    span.record_exception(ValueError("broken"))
                    span.set_status(Status(StatusCode.ERROR, "broken"))
                if number == 3:
                    for extra in range(200):  # above the limit: some are dropped
                        span.set_attribute(f"extra.{extra}", extra)
                        span.add_event("many")
    return recorder.spans


def record_logs() -> list[Any]:
    """Log records in and out of a span, by way of `logging` and of the API, some with attributes above the limit."""
    recorder = LogRecorder()
    provider = sdk_logs.LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(SimpleLogRecordProcessor(recorder))  # type: ignore[arg-type]
    application = logging.getLogger("shop.checkout")
    application.propagate = False
    application.addHandler(sdk_logs.LoggingHandler(logger_provider=provider))
    tracer = TracerProvider(resource=RESOURCE).get_tracer("flask")

    def log() -> None:
        application.warning("paid %d 円", 5, extra={"amount": 5, "items": ("a", "b"), "ratio": 0.5})
        application.error("many", extra={f"extra.{number}": number for number in range(200)})

    log()
    with tracer.start_as_current_span("checkout"):
        log()
        logger = provider.get_logger("events", "1.0", SCOPE_SCHEMA)
        for body in (None, "text", b"\xff", 2**40, 0.5, True, ["a", 1, None], {"nested": {"list": [1.5, "b"]}}):
            logger.emit(log_record(body, {"k": 1}))
    return recorder.records


def log_record(body: Any, attributes: dict[str, Any]) -> Any:
    """A LogRecord as the logger of this SDK takes it: until 1.38 the SDK's own, with the resource, then the API's."""
    kind = getattr(sdk_logs, "LogRecord", api_logs.LogRecord)
    fields = {"timestamp": 5, "body": body, "attributes": attributes}
    if kind is not api_logs.LogRecord:
        fields |= {"trace_id": 1 << 100, "span_id": 1 << 50, "trace_flags": TraceFlags(1), "resource": RESOURCE}
    if "event_name" in inspect.signature(kind).parameters:
        fields["event_name"] = "shop.event"
    return kind(**fields)


def record_metrics() -> Any:
    """Metrics of every instrument and both kinds of histogram; where the SDK has exemplars, with exemplars."""
    reader = InMemoryMetricReader(preferred_temporality={SdkCounter: AggregationTemporality.DELTA})
    exponential = View(instrument_name="exponential", aggregation=ExponentialBucketHistogramAggregation())
    provider = MeterProvider([reader], RESOURCE, views=[exponential])
    tracer = TracerProvider(resource=RESOURCE).get_tracer("flask")
    for name in ("flask", "sqlite3"):
        meter = provider.get_meter(name, "1.0", SCOPE_SCHEMA)
        counter = meter.create_counter("requests", "1", "how many")
        up_down = meter.create_up_down_counter("open")
        gauge = meter.create_gauge("temperature", "Cel")
        histogram = meter.create_histogram("duration", "ms")
        exponential_histogram = meter.create_histogram("exponential", "ms")
        meter.create_observable_gauge("load", [observe])
        with tracer.start_as_current_span("request"):
            for number in range(20):
                attributes = {"route": f"/{number % 3}", "größe": number % 2, "flag": True}
                counter.add(number, attributes)
                up_down.add(-0.5 * number, attributes)
                gauge.set(number, attributes)
                histogram.record(1.5**number, attributes)
                exponential_histogram.record(1.5 ** (number - 10), attributes)
    return reader.get_metrics_data()


def observe(options: Any) -> Iterable[Any]:
    """What the observable gauge sees."""
    return [Observation(0.25, {"cpu": 0}), Observation(3, {"cpu": 1})]


class UnknownSpan(ReadableSpan):
    """A class that the walker does not know: the safe path."""


def in_class(kind: type, item: Any) -> Any:
    """The same object in another class."""
    copy = kind.__new__(kind)
    copy.__dict__.update(item.__dict__)
    return copy


def readers_called(encode: Any, items: Any) -> tuple[bytes, Counter[str]]:
    """What encoding gives, and how often each reader of _sdk_fields.py was called for it."""
    readers: Counter[str] = Counter()

    def count(frame: Any, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.endswith("_sdk_fields.py"):
            readers[frame.f_code.co_name] += 1

    sys.setprofile(count)
    try:
        return encode(items), readers
    finally:
        sys.setprofile(None)


def check_spans() -> dict[str, int]:
    spans = record_spans()
    spans.append(
        ReadableSpan("by hand", SpanContext(1, 2, False), attributes={"k": (1, 2)}, events=[Event("e", {"k": 1}, 5)])
    )
    expected = reference.encode_spans(spans)
    assert otlp_fast.encode_spans(spans) == expected
    again, readers = readers_called(otlp_fast.encode_spans, spans)
    assert again == expected
    assert otlp_fast.encode_spans([in_class(UnknownSpan, span) for span in spans]) == expected
    return {"items": len(spans), "fast": readers["read_span"], "safe": readers["read_public_span"]}


def check_logs() -> dict[str, int]:
    records = record_logs()
    # What a processor of the user may do: a dict where the SDK has its own container.
    records[0].log_record.attributes = {"k": (1, 2)}
    expected = reference.encode_logs(records)
    assert otlp_fast.encode_logs(records) == expected
    again, readers = readers_called(otlp_fast.encode_logs, records)
    assert again == expected
    unknown = type("UnknownRecord", (type(records[0]),), {})
    assert otlp_fast.encode_logs([in_class(unknown, record) for record in records]) == expected

    (group,) = ExportLogsServiceRequest.FromString(expected).resource_logs
    read = [record for scope in group.scope_logs for record in scope.log_records]
    return {
        "items": len(read),
        "fast": readers["read_log_record"] + readers["read_log_data"],
        "safe": readers["read_public_log_record"],
        "with_ids": sum(len(record.trace_id) == 16 and len(record.span_id) == 8 for record in read),
        "with_drops": sum(record.dropped_attributes_count > 0 for record in read),
        "with_severity": sum(record.severity_number > 0 for record in read),
        "with_event_name": sum(getattr(record, "event_name", "") == "shop.event" for record in read),
    }


def check_metrics() -> dict[str, int]:
    data = record_metrics()
    expected = reference.encode_metrics(data)
    assert otlp_fast.encode_metrics(data) == expected

    read: Counter[str] = Counter()
    (group,) = ExportMetricsServiceRequest.FromString(expected).resource_metrics
    for metric in (metric for scope in group.scope_metrics for metric in scope.metrics):
        kind = metric.WhichOneof("data")
        assert kind is not None
        points = getattr(metric, kind).data_points
        read[kind] += len(points)
        read["exemplars"] += sum(len(point.exemplars) for point in points)
    return dict(read)


def main() -> None:
    report = {
        "version": version("opentelemetry-sdk"),
        "spans": check_spans(),
        "logs": check_logs(),
        "metrics": check_metrics(),
        "losses": {name: number for name, number in otlp_fast.encode_stats().items() if not name.endswith("_encoded")},
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
