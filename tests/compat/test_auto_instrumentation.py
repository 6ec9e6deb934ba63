"""`OTEL_TRACES_EXPORTER=otlp_fast_http opentelemetry-instrument python app.py`: a user's first line, as it stands.

For all three signals and both transports: what the app makes arrives in one request per signal, and nothing else does,
such as spans of the exporters' own requests, although the instrumentations of urllib3 and gRPC are at work.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import files
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

APP = """
import logging

from opentelemetry import metrics, trace

with trace.get_tracer("app").start_as_current_span("outer"):
    with trace.get_tracer("app").start_as_current_span("inner"):
        logging.getLogger("app").warning("stock is %s", "low", extra={"books": 2})
metrics.get_meter("app").create_counter("orders").add(3, {"genre": "novel"})
"""

Arrive = Callable[[str, str, bytes], None]
"""Takes path or method, user agent and body of a request."""


@contextmanager
def http_receiver(arrive: Arrive) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            arrive(self.path, self.headers["User-Agent"], self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def grpc_receiver(arrive: Arrive) -> Iterator[int]:
    class Handler(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
            metadata = dict(details.invocation_metadata)

            def answer(body: bytes, context: grpc.ServicerContext) -> bytes:
                arrive(details.method, metadata["user-agent"], body)
                return b""

            return grpc.unary_unary_rpc_method_handler(answer)

    with futures.ThreadPoolExecutor(2) as threads:
        server = grpc.server(threads, handlers=[Handler()])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield port
        finally:
            server.stop(None).wait()


SERVICE = "/opentelemetry.proto.collector."
TRANSPORTS = {
    "http": (http_receiver, {"traces": "/v1/traces", "logs": "/v1/logs", "metrics": "/v1/metrics"}),
    "grpc": (
        grpc_receiver,
        {
            "traces": f"{SERVICE}trace.v1.TraceService/Export",
            "logs": f"{SERVICE}logs.v1.LogsService/Export",
            "metrics": f"{SERVICE}metrics.v1.MetricsService/Export",
        },
    ),
}


def run_app(folder: Path, transport: str, port: int) -> None:
    app = folder / "app.py"
    app.write_text(APP)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    environment |= {
        **{f"OTEL_{signal}_EXPORTER": f"otlp_fast_{transport}" for signal in ("TRACES", "LOGS", "METRICS")},
        "OTEL_SERVICE_NAME": "shop",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
    }
    if not any(file.name == "handler.py" for file in files("opentelemetry-instrumentation-logging") or ()):
        # Older instrumentation has no handler for the standard library's logging, but the SDK of its time has.
        environment["OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED"] = "true"
    command = [str(Path(sys.executable).parent / "opentelemetry-instrument"), sys.executable, str(app)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    # Not that there is no traceback: as the process ends, the logging handler of some releases starts a thread, which
    # CPython 3.12 refuses.
    assert "otlp_fast" not in result.stderr


def attributes_of(pairs: list[KeyValue]) -> dict[str, object]:
    return {pair.key: getattr(pair.value, str(pair.value.WhichOneof("value"))) for pair in pairs}


@pytest.mark.parametrize("transport", sorted(TRANSPORTS))
def test_environment_variables_switch_all_exporters_on(tmp_path: Path, transport: str) -> None:
    received: list[tuple[str, str, bytes]] = []
    receiver, addresses = TRANSPORTS[transport]
    with receiver(lambda *request: received.append(request)) as port:
        run_app(tmp_path, transport, port)

    assert sorted(address for address, _, _ in received) == sorted(addresses.values())
    assert all("otlp-fast" in user_agent for _, user_agent, _ in received)
    bodies = {address: body for address, _, body in received}

    (traces,) = ExportTraceServiceRequest.FromString(bodies[addresses["traces"]]).resource_spans
    (spans,) = traces.scope_spans
    assert [span.name for span in spans.spans] == ["inner", "outer"]

    (logs,) = ExportLogsServiceRequest.FromString(bodies[addresses["logs"]]).resource_logs
    (records,) = logs.scope_logs
    (record,) = records.log_records
    assert record.body.string_value == "stock is low"
    assert attributes_of(record.attributes)["books"] == 2
    assert record.span_id == spans.spans[0].span_id

    (meters,) = ExportMetricsServiceRequest.FromString(bodies[addresses["metrics"]]).resource_metrics
    (counter,) = (metric for scope in meters.scope_metrics if scope.scope.name == "app" for metric in scope.metrics)
    (point,) = counter.sum.data_points
    assert (counter.name, point.as_int, attributes_of(point.attributes)) == ("orders", 3, {"genre": "novel"})

    for group in (traces, logs, meters):
        assert attributes_of(group.resource.attributes)["service.name"] == "shop"
