"""Batch processors that encode a span when it ends and a log record when it is emitted.

The SDK's own batch processors keep objects and encode them later, in a thread that competes with the service for the
GIL; where that falls behind, they drop. These keep bytes: encoding takes about a microsecond at once, memory is what
the bytes need, and the worker thread only compresses and sends, both without the GIL.

    from otlp_fast.exporter.http import OTLPSpanExporter
    from otlp_fast.processor import BatchSpanProcessor

    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))

They work with the exporters of `otlp_fast.exporter`, which take encoded requests.

**Fork.** A forked child begins with an empty queue, a worker of its own and counts of zero; what was queued before, the
parent sends. Children of `multiprocessing` end without `atexit`, so nothing flushes there by itself: call
`force_flush()` of the provider at the end of the child's work. Servers that fork without Python's knowledge have to be
told to call its hooks: for uWSGI that is `py-call-osafterfork = true`.

Specification: https://opentelemetry.io/docs/specs/otel/trace/sdk/#batching-processor
"""

from __future__ import annotations

from typing import Any

from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk._logs import LogRecordProcessor
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter

from otlp_fast._sdk import LogQueue, SpanQueue
from otlp_fast.exporter.sdk_logs import LogRecordExporter
from otlp_fast.exporter.signals import LOGS, TRACES
from otlp_fast.processor.batching import BatchProcessor, checked_exporter
from otlp_fast.processor.configuration import resolve_settings

__all__ = ["BatchLogRecordProcessor", "BatchSpanProcessor"]


class BatchSpanProcessor(BatchProcessor, SpanProcessor):
    """Encodes sampled spans when they end and sends them in batches.

    Args:
        span_exporter: A span exporter of `otlp_fast.exporter`, whose `export_request` is called, not `export`.
        max_queue_size: Spans in the queue at most; further ones are dropped and counted. 131072 by default, where the
            SDK's processor has 2048: what is kept here are bytes, and `max_queue_bytes` bounds them.
        schedule_delay_millis: A span waits this long at most before it is sent, if the receiver keeps up; 5000 by
            default.
        max_export_batch_size: Spans in a request at most; 512 by default.
        export_timeout_millis: Time for one request; 30000 by default, 0 is no limit. The exporter's own timeout, which
            is 10 seconds by default, holds as well: the shorter one ends the request.
        meter_provider: For the processor's own metrics, which OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED=true turns on;
            the global one by default.
        max_queue_bytes: Bytes in the queue at most; 64 MiB by default. The request that is being sent is not in it.

    Raises:
        ValueError: A setting cannot be right: the message names the argument or the environment variable.
        TypeError: The exporter is none that takes encoded requests of spans.

    The arguments up to `export_timeout_millis` also have the variables OTEL_BSP_MAX_QUEUE_SIZE,
    OTEL_BSP_SCHEDULE_DELAY, OTEL_BSP_MAX_EXPORT_BATCH_SIZE and OTEL_BSP_EXPORT_TIMEOUT.

    `stats()` says what became of the spans; what had to be dropped is in the log, too, at most once a minute.
    """

    def __init__(
        self,
        span_exporter: SpanExporter,
        max_queue_size: int | None = None,
        schedule_delay_millis: float | None = None,
        max_export_batch_size: int | None = None,
        export_timeout_millis: float | None = None,
        *,
        meter_provider: MeterProvider | None = None,
        max_queue_bytes: int | None = None,
    ) -> None:
        super().__init__(
            TRACES,
            SpanQueue,
            checked_exporter("span_exporter", span_exporter, SpanExporter),
            resolve_settings(
                "OTEL_BSP",
                max_queue_size=max_queue_size,
                schedule_delay_millis=schedule_delay_millis,
                max_export_batch_size=max_export_batch_size,
                export_timeout_millis=export_timeout_millis,
                max_queue_bytes=max_queue_bytes,
                default_schedule_delay_millis=5000,
            ),
            meter_provider,
        )
        self.span_exporter = span_exporter
        if type(self).on_end is BatchSpanProcessor.on_end:
            # The method of the queue itself: a Python frame around it would be a good part of what it takes.
            self.on_end = self._worker.queue.add  # type: ignore[method-assign, assignment]

    def on_end(self, span: ReadableSpan) -> None:
        """Encode a sampled span into the queue, or count it as dropped. Never blocks, never raises."""
        self._worker.queue.add(span)


class BatchLogRecordProcessor(BatchProcessor, LogRecordProcessor):
    """Encodes log records when they are emitted and sends them in batches.

    Arguments and errors are those of `BatchSpanProcessor`, in the order that the SDK's processor has. The variables
    begin with OTEL_BLRP, and `schedule_delay_millis` is 1000 by default.
    """

    def __init__(
        self,
        exporter: LogRecordExporter,
        schedule_delay_millis: float | None = None,
        max_export_batch_size: int | None = None,
        export_timeout_millis: float | None = None,
        max_queue_size: int | None = None,
        *,
        meter_provider: MeterProvider | None = None,
        max_queue_bytes: int | None = None,
    ) -> None:
        super().__init__(
            LOGS,
            LogQueue,
            checked_exporter("exporter", exporter, LogRecordExporter),
            resolve_settings(
                "OTEL_BLRP",
                max_queue_size=max_queue_size,
                schedule_delay_millis=schedule_delay_millis,
                max_export_batch_size=max_export_batch_size,
                export_timeout_millis=export_timeout_millis,
                max_queue_bytes=max_queue_bytes,
                default_schedule_delay_millis=1000,
            ),
            meter_provider,
        )
        if type(self).on_emit is BatchLogRecordProcessor.on_emit:
            self.on_emit = self._worker.queue.add  # type: ignore[method-assign, assignment]
        if type(self).emit is BatchLogRecordProcessor.emit:
            self.emit = self.on_emit  # type: ignore[method-assign, assignment]

    def on_emit(self, log_record: Any) -> None:
        """Encode a log record into the queue, or count it as dropped. Never blocks, never raises."""
        self._worker.queue.add(log_record)

    def emit(self, log_data: Any) -> None:
        """Do as `on_emit`, under the name that SDK releases before 1.35 call."""
        self.on_emit(log_data)
