"""Requests as protobuf's objects: what one reads OTLP with in Python today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from otlp_fast.bench.batch import Signal


def message_type(signal: Signal) -> Any:
    """Give the class of a request's message."""
    # Here, since protobuf takes long to import, and is not there for everyone.
    if signal == "traces":
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        return ExportTraceServiceRequest
    if signal == "logs":
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

        return ExportLogsServiceRequest
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    return ExportMetricsServiceRequest


def items_of(message: Any, signal: Signal) -> Iterator[Any]:
    """Give each span, log record or data point of a request, in its order."""
    if signal == "traces":
        for resource_spans in message.resource_spans:
            for scope_spans in resource_spans.scope_spans:
                yield from scope_spans.spans
    elif signal == "logs":
        for resource_logs in message.resource_logs:
            for scope_logs in resource_logs.scope_logs:
                yield from scope_logs.log_records
    else:
        for resource_metrics in message.resource_metrics:
            for scope_metrics in resource_metrics.scope_metrics:
                for metric in scope_metrics.metrics:
                    kind = metric.WhichOneof("data")
                    if kind is not None:
                        yield from getattr(metric, kind).data_points


def commonest_text(message: Any, signal: Signal) -> str | None:
    """Give the key that most items have once, with a string; None where there is no such key."""
    found: Counter[str] = Counter()
    unfit: set[str] = set()
    for item in items_of(message, signal):
        of_item = Counter(pair.key for pair in item.attributes)
        found.update(of_item.keys())
        unfit.update(key for key, times in of_item.items() if times > 1)
        unfit.update(pair.key for pair in item.attributes if pair.value.WhichOneof("value") != "string_value")
    return next((key for key, _ in found.most_common() if key not in unfit), None)


def texts_by_loop(message: Any, signal: Signal, key: str) -> list[str | None]:
    """Give the string of one attribute of every item, None where it has none."""
    texts: list[str | None] = []
    for item in items_of(message, signal):
        text = None
        for pair in item.attributes:
            if pair.key == key:
                text = pair.value.string_value
        texts.append(text)
    return texts
