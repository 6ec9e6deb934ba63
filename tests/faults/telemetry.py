"""Telemetry whose every item can be told from all others, made by the SDK and handed to an exporter or a processor.

A span is known by its span id, a log record and a data point by a number among their attributes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from otlp_fast.processor import BatchLogRecordProcessor, BatchSpanProcessor
from tests.faults.ledger import Balance, Ledger, balance

RESOURCE = Resource({"service.name": "fault-tests"})

_LOST_BY_EXPORTER = (
    "refused_by_encoder",
    "too_large",
    "rejected_by_receiver",
    "failed",
    "spool_full",
    "spool_failed",
    "after_shutdown",
    "lost_from_spool",
)
_LOST_BY_PROCESSOR = ("dropped_queue_full", "refused_by_encoder", "dropped_at_shutdown", "after_shutdown")

_numbers = itertools.count()


@dataclass
class Feed:
    """Items of one signal, made and handed to an exporter, through a processor where there is one."""

    signal: str
    exporter: Any
    processor: Any = None
    made: list[int] = field(default_factory=list)

    def give(self, count: int, *, wait: bool = True) -> None:
        """Make `count` items and hand them over; with `wait`, they have been tried to be sent when this returns."""
        if self.processor is None:
            identities, batch = _BATCHES[self.signal](count)
            self.made += identities
            self.exporter.export(batch)
            return
        self.made += _EMITTERS[self.signal](self.processor, count)
        if wait:
            self.processor.force_flush(60_000)

    def shutdown(self, timeout_millis: float) -> None:
        """Shut down what the items go through."""
        (self.processor or self.exporter).shutdown(timeout_millis=timeout_millis)

    @property
    def lost(self) -> int:
        """Items that were counted as lost, wherever."""
        stats = self.exporter.stats()
        lost = sum(stats[reason] for reason in _LOST_BY_EXPORTER)
        if self.processor is not None:
            stats = self.processor.stats()
            lost += sum(stats[reason] for reason in _LOST_BY_PROCESSOR)
        return lost

    @property
    def exported(self) -> int:
        """Items that were counted as delivered."""
        stats = self.exporter.stats()
        return int(stats["exported"] + stats["sent_from_spool"])

    def balance(self, ledger: Ledger) -> Balance:
        """Lay what was made and counted here beside what was taken there."""
        return balance(ledger, _READERS[self.signal], self.made, self.exported, self.lost)


def processor_for(signal: str, exporter: Any, **arguments: Any) -> Any:
    """Make our processor for a signal that has one."""
    return {"traces": BatchSpanProcessor, "logs": BatchLogRecordProcessor}[signal](exporter, **arguments)


def _emit_spans(processor: Any, count: int) -> list[int]:
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("faults")
    spans = [tracer.start_span("work", attributes={"padding": "x" * 200}) for _ in range(count)]
    for span in spans:
        span.end()
    return [span.get_span_context().span_id for span in spans]


def _emit_log_records(processor: Any, count: int) -> list[int]:
    provider = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_log_record_processor(processor)
    numbers = list(itertools.islice(_numbers, count))
    for number in numbers:
        provider.get_logger("faults").emit(body="x" * 200, attributes={"number": number})
    return numbers


def _batch_of_spans(count: int) -> tuple[list[int], Any]:
    memory = InMemorySpanExporter()
    return _emit_spans(SimpleSpanProcessor(memory), count), memory.get_finished_spans()


def _batch_of_log_records(count: int) -> tuple[list[int], Any]:
    memory = InMemoryLogRecordExporter()
    return _emit_log_records(SimpleLogRecordProcessor(memory), count), memory.get_finished_logs()


def _batch_of_data_points(count: int) -> tuple[list[int], Any]:
    numbers = list(itertools.islice(_numbers, count))
    points = [NumberDataPoint({"number": number, "padding": "x" * 200}, 1, 2, 1) for number in numbers]
    counter = Sum(points, AggregationTemporality.CUMULATIVE, is_monotonic=True)
    metrics = [Metric("requests", "", "1", counter)]
    scope = ScopeMetrics(InstrumentationScope("faults"), metrics, "")
    return numbers, MetricsData([ResourceMetrics(RESOURCE, [scope], "")])


def _spans_in(request: bytes) -> list[int]:
    message = ExportTraceServiceRequest.FromString(request)
    return [
        int.from_bytes(span.span_id, "big")
        for resource in message.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _log_records_in(request: bytes) -> list[int]:
    message = ExportLogsServiceRequest.FromString(request)
    return [
        record.attributes[0].value.int_value
        for resource in message.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


def _data_points_in(request: bytes) -> list[int]:
    message = ExportMetricsServiceRequest.FromString(request)
    return [
        point.attributes[0].value.int_value
        for resource in message.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.sum.data_points
    ]


_EMITTERS: dict[str, Callable[[Any, int], list[int]]] = {"traces": _emit_spans, "logs": _emit_log_records}
_BATCHES: dict[str, Callable[[int], tuple[list[int], Any]]] = {
    "traces": _batch_of_spans,
    "logs": _batch_of_log_records,
    "metrics": _batch_of_data_points,
}
_READERS: dict[str, Callable[[bytes], list[int]]] = {
    "traces": _spans_in,
    "logs": _log_records_in,
    "metrics": _data_points_in,
}
