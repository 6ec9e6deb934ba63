"""The items of a request with all that is around them, as protobuf's own parser sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

MESSAGES = {
    "traces": (ExportTraceServiceRequest, "resource_spans", "scope_spans", "spans"),
    "logs": (ExportLogsServiceRequest, "resource_logs", "scope_logs", "log_records"),
    "metrics": (ExportMetricsServiceRequest, "resource_metrics", "scope_metrics", "metrics"),
}


def without(message: Any, field: str) -> bytes:
    """A message as bytes, but for one field."""
    rest = type(message)()
    rest.CopyFrom(message)
    rest.ClearField(field)
    return bytes(rest.SerializeToString(deterministic=True))


def messages_of(data: bytes, signal: str) -> Iterator[Any]:
    """Each span, log record or metric of a request, with nothing around it."""
    message, resource_field, scope_field, item_field = MESSAGES[signal]
    for resource in getattr(message.FromString(data), resource_field):
        for scope in getattr(resource, scope_field):
            yield from getattr(scope, item_field)


def items_of(data: bytes, signal: str) -> Iterator[tuple[bytes, ...]]:
    """Each item with everything around it, from the outside in."""
    message, resource_field, scope_field, item_field = MESSAGES[signal]
    for resource in getattr(message.FromString(data), resource_field):
        for scope in getattr(resource, scope_field):
            around = (without(resource, scope_field), without(scope, item_field))
            for item in getattr(scope, item_field):
                if signal != "metrics":
                    yield (*around, item.SerializeToString(deterministic=True))
                elif kind := item.WhichOneof("data"):
                    metric_data = getattr(item, kind)
                    whole = (*around, without(item, kind), kind.encode(), without(metric_data, "data_points"))
                    for point in metric_data.data_points:
                        yield (*whole, point.SerializeToString(deterministic=True))
