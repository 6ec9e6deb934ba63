"""What a request says, read by the official classes, and what encoding counted."""

from __future__ import annotations

from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

import otlp_fast


def decoded_spans(data: bytes) -> list[Span]:
    request = ExportTraceServiceRequest.FromString(data)
    return [span for group in request.resource_spans for scope in group.scope_spans for span in scope.spans]


def decoded_logs(data: bytes) -> list[LogRecord]:
    request = ExportLogsServiceRequest.FromString(data)
    return [record for group in request.resource_logs for scope in group.scope_logs for record in scope.log_records]


def decoded_metrics(data: bytes) -> list[Metric]:
    request = ExportMetricsServiceRequest.FromString(data)
    return [metric for group in request.resource_metrics for scope in group.scope_metrics for metric in scope.metrics]


def points_of(metric: Metric) -> list[Any]:
    """The data points of a metric, of whatever kind it is; none where it has no data."""
    kind = metric.WhichOneof("data")
    return list(getattr(metric, kind).data_points) if kind else []


def plain(value: AnyValue) -> Any:
    """An AnyValue as plain Python; None where nothing is set."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(element) for element in value.array_value.values]
    if kind == "kvlist_value":
        return {item.key: plain(item.value) for item in value.kvlist_value.values}
    return getattr(value, kind) if kind else None


def attributes_of(item: Any) -> dict[str, Any]:
    """The attributes of a message, those of an exemplar being its filtered ones."""
    pairs = item.filtered_attributes if hasattr(item, "filtered_attributes") else item.attributes
    return {pair.key: plain(pair.value) for pair in pairs}


def with_value(value: Any) -> dict[str, Any]:
    """Attributes of which one has the value, and none but that one may suffer for it."""
    return {"before": 1, "value": value, "after": 2}


def counted(kind: str) -> int:
    """How often this has happened so far."""
    return otlp_fast.encode_stats()[kind]
