"""The demo's service process: the bookshop, instrumented and exporting, for one exporter.

Run as `python -m otlp_fast.demo.service {...}` with the fields of `ServiceSettings`, it speaks with its parent as
`child` describes:

- the greeting names the port on which the bookshop answers;
- `finish` ends the traffic: everything is flushed, and what it cost is told;
- `check` and `measure` are the `Comparison` on the spans that this process recorded.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from otlp_fast.demo.application import create_application
from otlp_fast.demo.child import Conversation
from otlp_fast.demo.comparison import Comparison
from otlp_fast.demo.measured_exporter import MeasuredExporter
from otlp_fast.demo.server import start_server
from otlp_fast.demo.service_settings import ServiceSettings


class SpanRecorder(SpanProcessor):
    """Keeps every span that ends: what the service created, whatever becomes of it on the way out."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keep `span`."""
        self.spans.append(span)


class FirstMessage(logging.Handler):
    """Keeps the first warning or error that is logged, to explain a loss with."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message of `record` if it is the first."""
        if self.text is None:
            self.text = record.getMessage()


class Service:
    """The bookshop with its exporter."""

    def __init__(self, settings: ServiceSettings, first_message: FirstMessage) -> None:
        self._first_message = first_message
        self._exporter = MeasuredExporter(_create_exporter(settings))
        self._recorder = SpanRecorder()
        # Without a `finish` the demo was stopped: then nothing is exported on exit, to a receiver that may be gone.
        self._provider = TracerProvider(resource=Resource.create({"service.name": "bookshop"}), shutdown_on_exit=False)
        self._provider.add_span_processor(self._recorder)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        trace.set_tracer_provider(self._provider)
        FlaskInstrumentor().instrument()
        SQLite3Instrumentor().instrument()
        application = create_application(Path(settings.database))
        # Its failing requests are part of the plan; their tracebacks are in the spans.
        application.logger.disabled = True
        self._server = start_server(application)
        self.port = self._server.server_port
        self._cpu_ns_before = time.process_time_ns()

    def finish(self) -> Mapping[str, Any]:
        """Export what is left, and tell what the run cost."""
        self._provider.force_flush()
        cpu_ns = time.process_time_ns() - self._cpu_ns_before
        self._server.shutdown()
        self._provider.shutdown()
        self._comparison = Comparison(self._recorder.spans)
        return {
            "created": len(self._recorder.spans),
            "delivered": self._exporter.delivered,
            "exported": self._exporter.exported,
            "export_cpu_ns": self._exporter.cpu_ns,
            "service_cpu_ns": cpu_ns,
            "first_message": self._first_message.text,
        }

    def check(self) -> Mapping[str, Any]:
        """Compare the bytes of both encoders."""
        return self._comparison.check()

    def measure(self) -> Mapping[str, Any]:
        """Measure both encoders once."""
        return self._comparison.measure()


def _create_exporter(settings: ServiceSettings) -> SpanExporter:
    """Make the exporter: both with the same arguments, everything else at its default."""
    if settings.exporter == "official":
        from opentelemetry.exporter.otlp.proto.http import Compression
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as OfficialExporter

        return OfficialExporter(endpoint=settings.endpoint, compression=Compression(settings.compression))
    from otlp_fast.exporter.http import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=settings.endpoint, compression=settings.compression)


def main() -> None:
    """Run as a child process."""
    conversation = Conversation()
    first_message = FirstMessage()
    logging.getLogger().addHandler(first_message)
    try:
        service = Service(ServiceSettings(**json.loads(sys.argv[1])), first_message)
    except (OSError, ValueError) as error:
        conversation.send({"error": str(error)})
        return
    conversation.send({"port": service.port})
    conversation.serve({"finish": service.finish, "check": service.check, "measure": service.measure})


if __name__ == "__main__":
    main()
