"""The bookshop, instrumented, with whatever takes its telemetry: what both of the demo's services are made of."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

from otlp_fast.demo.application import NAME, create_application
from otlp_fast.demo.child import Conversation
from otlp_fast.demo.service_settings import ServiceSettings

try:
    from opentelemetry.instrumentation.logging.handler import LoggingHandler
except ImportError:
    # Where the instrumentation has none yet, the SDK has one.
    from opentelemetry.sdk._logs import LoggingHandler  # type: ignore[assignment]


class SpanCounter(SpanProcessor):
    """Counts the spans that end: what the service made, whatever becomes of it on the way out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.count = 0

    def on_end(self, span: ReadableSpan) -> None:
        """Count `span`."""
        with self._lock:
            self.count += 1


class LogCounter(logging.Handler):
    """Counts the records that are logged, likewise."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count `record`; the caller holds the handler's lock."""
        self.count += 1


class FirstMessage(logging.Handler):
    """Keeps the first warning or error that is logged by anything but the bookshop, to explain a loss with."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message of `record` if it is the first."""
        if self.text is None:
            self.text = record.getMessage()


class InstrumentedBookshop:
    """The `application`, of which the telemetry goes to the given parts of the SDK."""

    def __init__(
        self,
        database: str,
        span_processor: SpanProcessor | None = None,
        log_processor: Any = None,
        metric_readers: Sequence[MetricReader] = (),
    ) -> None:
        self._first_message = FirstMessage()
        logging.getLogger().addHandler(self._first_message)
        resource = Resource.create({"service.name": NAME})
        # Without its parent's word nothing is exported on exit: the demo was stopped, the receiver may be gone.
        self.tracer_provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self.logger_provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
        self._span_counter, self._log_counter = SpanCounter(), LogCounter()
        self.tracer_provider.add_span_processor(self._span_counter)
        if span_processor is not None:
            self.tracer_provider.add_span_processor(span_processor)
        if log_processor is not None:
            self.logger_provider.add_log_record_processor(log_processor)
        trace.set_tracer_provider(self.tracer_provider)
        self._meter_provider = None
        if metric_readers:
            self._meter_provider = MeterProvider(
                metric_readers=metric_readers, resource=resource, shutdown_on_exit=False
            )
            metrics.set_meter_provider(self._meter_provider)
        FlaskInstrumentor().instrument()
        SQLite3Instrumentor().instrument()
        self.application = create_application(Path(database))
        log = self.application.logger
        log.setLevel(logging.INFO)
        log.propagate = False
        log.addHandler(self._log_counter)
        log.addHandler(LoggingHandler(logger_provider=self.logger_provider))

    @property
    def made(self) -> dict[str, int]:
        """The spans and log records that were made."""
        return {"traces": self._span_counter.count, "logs": self._log_counter.count}

    @property
    def first_message(self) -> str | None:
        """The first warning or error that was logged, but for those of the bookshop."""
        return self._first_message.text

    def collect(self) -> None:
        """Have the metrics collected and exported, where they are."""
        if self._meter_provider is not None:
            self._meter_provider.force_flush()

    def shut_down(self) -> None:
        """Export what is left."""
        self.tracer_provider.shutdown()
        self.logger_provider.shutdown()
        if self._meter_provider is not None:
            self._meter_provider.shutdown()


def run_service(create: Callable[[ServiceSettings], Any], commands: Sequence[str]) -> None:
    """Run as a child process: make the service of the settings on the command line, whose methods are the commands.

    What it has as `greeting` is sent to the parent first.
    """
    conversation = Conversation()
    try:
        service = create(ServiceSettings(**json.loads(sys.argv[1])))
    except (OSError, ValueError) as error:
        conversation.send({"error": str(error)})
        return
    conversation.send(service.greeting)
    conversation.serve({name: getattr(service, name) for name in commands})
