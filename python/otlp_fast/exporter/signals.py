"""What differs between traces, logs and metrics; everything else of an exporter is one for all three.

Specification: https://opentelemetry.io/docs/specs/otlp/
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import otlp_fast
from otlp_fast import Buffer


class RequestEncoder(Protocol):
    """A request under construction, such as `otlp_fast.SpanEncoder`."""

    def add(self, item: Any, /) -> None:
        """Add one item, or raise EncodeError and leave the request as it was."""

    def finish(self) -> Buffer:
        """Give the request."""


@dataclass(frozen=True)
class Signal:
    """One of the three kinds of telemetry."""

    name: Literal["traces", "logs", "metrics"]
    items: str
    """What the items are called in log lines, and in the descriptions of the SDK's own metrics."""
    metric_item: str
    """What an item is called in the names of these metrics."""
    metric_unit: str
    component: str
    """What an exporter of this signal is called in these metrics, behind its transport."""
    grpc_method: str
    encode: Callable[[Any], bytes]
    """Objects of the SDK to a request. Raises EncodeError where one of them is no item of this signal."""
    new_encoder: Callable[[], RequestEncoder] | None
    """For the items of a batch one by one. None where `encode` leaves out by itself what is no item."""


TRACES = Signal(
    name="traces",
    items="spans",
    metric_item="span",
    metric_unit="{span}",
    component="span_exporter",
    grpc_method="/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    encode=otlp_fast.encode_spans,
    new_encoder=otlp_fast.SpanEncoder,
)

LOGS = Signal(
    name="logs",
    items="log records",
    metric_item="log",
    metric_unit="{log_record}",
    component="log_exporter",
    grpc_method="/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    encode=otlp_fast.encode_logs,
    new_encoder=otlp_fast.LogEncoder,
)

METRICS = Signal(
    name="metrics",
    items="metric data points",
    metric_item="metric_data_point",
    metric_unit="{data_point}",
    component="metric_exporter",
    grpc_method="/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    encode=otlp_fast.encode_metrics,
    new_encoder=None,
)
