"""The service process of the demo's second part: the bookshop with one pipeline's processors and exporters, or none.

It keeps and measures nothing but its own CPU time. Run as `python -m otlp_fast.demo.whole_service {...}` with the
fields of `ServiceSettings`, it speaks with its parent as `child` describes:

- `turn` answers the next requests of the plan, exports their telemetry, and tells the CPU time of both;
- `burst` makes spans as fast as a loop runs, and ends the service as a provider does at exit.

The requests are made in the process itself, one after the other, in Flask's test client. Over sockets and in several
threads, what the kernel, the scheduler and the GIL make of a request costs as much as the application, and another
amount every time: that hides what is to be seen.

Metrics are left out: they have no processor, so the second part would show of them what the first one does.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import islice
from typing import Any

from otlp_fast.demo.exporters import create_exporter
from otlp_fast.demo.instrumented import InstrumentedBookshop, run_service
from otlp_fast.demo.service_settings import ServiceSettings
from otlp_fast.demo.traffic import plan_requests


class WholeService:
    """The bookshop, as a user sets it up."""

    greeting: Mapping[str, Any] = {}

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._requests = iter(plan_requests(settings.requests))
        self._bookshop = InstrumentedBookshop(settings.database, *_create_processors(settings))
        self._client = self._bookshop.application.test_client(use_cookies=False)

    def turn(self) -> Mapping[str, Any]:
        """Answer the next requests and export what there is; tell the CPU time of the process, and what it made."""
        requests = list(islice(self._requests, self._settings.requests_per_turn))
        begin = time.process_time_ns()
        for request in requests:
            answer = self._client.open(request.path, method=request.method, data=request.body, headers=request.headers)
            if answer.status_code != request.status:
                return {"error": f"{request.method} {request.path} was answered with {answer.status_code}"}
        self._bookshop.tracer_provider.force_flush()
        self._bookshop.logger_provider.force_flush()
        cpu_ns = time.process_time_ns() - begin
        return {"cpu_ns_per_request": cpu_ns / len(requests), "made": self._bookshop.made}

    def burst(self) -> Mapping[str, Any]:
        """Make spans as fast as possible, then shut down."""
        before = self._bookshop.made["traces"]
        tracer = self._bookshop.tracer_provider.get_tracer("bookshop.stocktaking")
        begin = time.perf_counter()
        for number in range(self._settings.burst_spans):
            with tracer.start_as_current_span("count books", attributes={"shelf": number % 100, "shelf.row": "upper"}):
                pass
        seconds = time.perf_counter() - begin
        self._bookshop.shut_down()
        return {
            "made": self._bookshop.made["traces"] - before,
            "seconds": seconds,
            "first_message": self._bookshop.first_message,
        }


def _create_processors(settings: ServiceSettings) -> tuple[Any, Any]:
    """Make the processors of spans and of log records, everything at its default."""
    if settings.pipeline == "none":
        return None, None
    span_exporter, log_exporter = (
        create_exporter(settings.pipeline, signal, settings.endpoint, settings.compression)
        for signal in ("traces", "logs")
    )
    if settings.pipeline == "official":
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor as OfficialLogRecordProcessor
        from opentelemetry.sdk.trace.export import BatchSpanProcessor as OfficialSpanProcessor

        return OfficialSpanProcessor(span_exporter), OfficialLogRecordProcessor(log_exporter)
    from otlp_fast.processor import BatchLogRecordProcessor, BatchSpanProcessor

    return BatchSpanProcessor(span_exporter), BatchLogRecordProcessor(log_exporter)


if __name__ == "__main__":
    run_service(WholeService, ("turn", "burst"))
