"""Exporters that take encoded requests and keep them, and can be told to hang or to fail."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otlp_fast.exporter.sdk_logs import LogRecordExporter, LogRecordExportResult

# Longer than any of this takes on a busy machine: who waits so long waits for something that does not come.
PATIENCE = 30.0


class MemoryExporter:
    """Keeps what it is given, with the thread and the timeout of each call."""

    has_spool = False

    def __init__(self) -> None:
        self.requests: list[tuple[bytes, int]] = []
        self.timeouts: list[float | None] = []
        self.threads: set[threading.Thread] = set()
        self.calls: list[str] = []
        self.shutdown_timeouts: list[float] = []
        self.errors: list[BaseException] = []
        """Raised by the next calls of `export_request`, which keep nothing then."""
        self.arrived = threading.Semaphore(0)
        """Released with each request that arrives, also where it is held."""
        self.open = threading.Event()
        """While it is not set, `export_request` holds its caller."""
        self.open.set()
        self.drained = threading.Semaphore(0)
        self.spool_is_empty = True

    def export_request(self, request: Any, item_count: int, *, timeout: float | None = None) -> bool:
        self.threads.add(threading.current_thread())
        self.timeouts.append(timeout)
        if self.errors:
            raise self.errors.pop(0)
        self.arrived.release()
        assert self.open.wait(PATIENCE)
        self.requests.append((bytes(request), item_count))
        return True

    def drain_spool(self, timeout: float | None = None) -> bool:
        self.calls.append("drain_spool")
        self.drained.release()
        return self.spool_is_empty

    def force_flush(self, timeout_millis: float = 30_000) -> bool:
        self.calls.append("force_flush")
        return self.spool_is_empty

    def shutdown(self, timeout_millis: float = 30_000) -> None:
        self.calls.append("shutdown")
        self.shutdown_timeouts.append(timeout_millis)

    @property
    def item_counts(self) -> list[int]:
        return [count for _, count in self.requests]


class MemorySpanExporter(MemoryExporter, SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        raise AssertionError("a processor exports requests")

    @property
    def names(self) -> list[str]:
        """Names of the spans that arrived, in order."""
        return [
            span.name
            for request, _ in self.requests
            for resource in ExportTraceServiceRequest.FromString(request).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class MemoryLogExporter(MemoryExporter, LogRecordExporter):
    def export(self, batch: Sequence[Any]) -> LogRecordExportResult:
        raise AssertionError("a processor exports requests")

    @property
    def bodies(self) -> list[str]:
        """Bodies of the log records that arrived, in order."""
        return [
            record.body.string_value
            for request, _ in self.requests
            for resource in ExportLogsServiceRequest.FromString(request).resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]
