"""Run by test_official_exporters.py under another release of the official exporters: what the swap puts on the wire.

Prints a JSON object; any difference is an assertion. What it is made of serves the tests of the installed release too.
"""

from __future__ import annotations

import json
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from typing import Any

from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import InMemoryLogExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import otlp_fast
from otlp_fast.compat import use_in_official_exporters

RESOURCE = Resource({"service.name": "shop"})

EXPORTERS = {"traces": OTLPSpanExporter, "logs": OTLPLogExporter, "metrics": OTLPMetricExporter}
ENCODERS = {"traces": otlp_fast.encode_spans, "logs": otlp_fast.encode_logs, "metrics": otlp_fast.encode_metrics}
COUNTERS = {"traces": "spans_encoded", "logs": "log_records_encoded", "metrics": "data_points_encoded"}

Request = tuple[str, dict[str, str], bytes]
"""Path, headers, body."""


@contextmanager
def receiver() -> Iterator[tuple[str, list[Request]]]:
    """Run an OTLP/HTTP receiver; gives its address, and the list of all that it receives."""
    received: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, dict(self.headers), body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def record_spans() -> Any:
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    for number in range(3):
        with provider.get_tracer("shop", "1.0").start_as_current_span(f"GET /{number}") as span:
            span.set_attribute("größe", number)
            span.add_event("event")
    return memory.get_finished_spans()


def record_logs() -> Any:
    memory = InMemoryLogExporter()
    provider = LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(SimpleLogRecordProcessor(memory))
    logger = logging.Logger("shop")
    logger.addHandler(LoggingHandler(logger_provider=provider))
    logger.warning("%d left", 3)
    logger.error("none left", extra={"größe": 4})
    return memory.get_finished_logs()


def record_metrics() -> Any:
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader], RESOURCE).get_meter("shop")
    requests, durations = meter.create_counter("requests"), meter.create_histogram("durations", "s")
    for number in range(7):
        requests.add(1, {"route": f"/{number}"})
        durations.record(number / 3, {"route": f"/{number % 2}"})
    meter.create_up_down_counter("active").add(-1)
    return reader.get_metrics_data()


RECORD = {"traces": record_spans, "logs": record_logs, "metrics": record_metrics}


def main() -> None:
    warnings.simplefilter("ignore")  # of the old names that this uses, as all releases have them
    items = {signal: record() for signal, record in RECORD.items()}
    same_as_official = {}
    with receiver() as (address, received):
        exporters = {
            signal: exporter(endpoint=f"{address}/v1/{signal}", headers={"x-shop": "1"})
            for signal, exporter in EXPORTERS.items()
        }

        def export_all() -> dict[str, Request]:
            received.clear()
            for signal, exporter in exporters.items():
                assert exporter.export(items[signal]).name == "SUCCESS", signal
            return dict(zip(exporters, received, strict=True))

        official = export_all()
        before = otlp_fast.encode_stats()
        with use_in_official_exporters() as handle:
            fast = export_all()
        after = otlp_fast.encode_stats()
        again = export_all()

    for signal, (path, headers, body) in fast.items():
        official_path, official_headers, official_body = official[signal]
        assert again[signal] == official[signal]
        assert body == ENCODERS[signal](items[signal])
        assert path == official_path == f"/v1/{signal}"
        assert headers == {**official_headers, "Content-Length": str(len(body))}
        assert after[COUNTERS[signal]] > before[COUNTERS[signal]]
        same_as_official[signal] = body == official_body
    release = version("opentelemetry-exporter-otlp-proto-http")
    print(json.dumps({"release": release, "signals": handle.signals, "same_as_official": same_as_official}))


if __name__ == "__main__":
    main()
