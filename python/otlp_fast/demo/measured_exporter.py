"""Measures what an exporter costs in the thread that exports.

Both exporters are wrapped in this, and it does the same for both: it reads the CPU clock of the calling thread
(`time.thread_time_ns`) before and after `export`. That is what encoding, compressing and sending cost of a core;
waiting for the receiver or for the GIL is not in it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult


class MeasuredExporter(SpanExporter):
    """Forwards everything to `exporter`, and counts."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._lock = threading.Lock()
        self.exported = 0
        """Spans given to the exporter."""
        self.delivered = 0
        """Spans of batches for which the exporter gave SUCCESS."""
        self.cpu_ns = 0
        """Spent in `export`, by whatever thread called it."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export `spans`, measured."""
        begin = time.thread_time_ns()
        result = self._exporter.export(spans)
        cpu_ns = time.thread_time_ns() - begin
        with self._lock:
            self.cpu_ns += cpu_ns
            self.exported += len(spans)
            if result is SpanExportResult.SUCCESS:
                self.delivered += len(spans)
        return result

    def shutdown(self) -> None:
        """Shut the exporter down."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Flush the exporter."""
        return self._exporter.force_flush(timeout_millis)
