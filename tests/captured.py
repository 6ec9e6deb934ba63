"""A few requests of each signal, made by hand as protobuf has them, and files made of requests."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tests.corpora import CORPORA, read_requests

MESSAGES: dict[str, type[Any]] = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}
NANOSECONDS = 1_700_000_000_000_000_000


def _attribute(key: str, text: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=text))


def traces(count: int = 3, service: str = "shop") -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.append(_attribute("service.name", service))
    scope = group.scope_spans.add()
    for number in range(count):
        span = scope.spans.add(
            trace_id=bytes(range(16)), span_id=(number + 1).to_bytes(8, "big"), name=f"GET /{number % 2}"
        )
        span.start_time_unix_nano = NANOSECONDS + number
        span.end_time_unix_nano = NANOSECONDS + number + 1_000_000
        span.attributes.append(_attribute("http.route", "/"))
        span.status.code = 2 if number == 0 else 0
    return request.SerializeToString()


def logs(count: int = 2, service: str = "shop") -> bytes:
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.append(_attribute("service.name", service))
    scope = group.scope_logs.add()
    for number in range(count):
        record = scope.log_records.add(time_unix_nano=NANOSECONDS + number, severity_number=9 if number % 2 else 17)
        record.body.string_value = f"line {number}"
    return request.SerializeToString()


def metrics(count: int = 4) -> bytes:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="cpu", unit="1")
    for number in range(count):
        metric.gauge.data_points.add(time_unix_nano=NANOSECONDS + number, as_double=number / 2)
    return request.SerializeToString()


BY_HAND = [("traces", traces()), ("logs", logs()), ("metrics", metrics())]


def captured(name: str, count: int = 3) -> list[tuple[str, bytes]]:
    """The first requests of a corpus, each with its signal."""
    return [(CORPORA[name], data) for data in islice(read_requests(name), count)]


def archive_of(requests: Iterable[bytes]) -> bytes:
    return b"".join(len(request).to_bytes(4, "big") + request for request in requests)


def canonical(signal: str, requests: Iterable[bytes]) -> bytes:
    """Requests one behind the other as protobuf writes what it read of them."""
    content: bytes = MESSAGES[signal].FromString(b"".join(requests)).SerializeToString(deterministic=True)
    return content
