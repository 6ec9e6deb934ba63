"""`OTEL_TRACES_EXPORTER=otlp_fast_http opentelemetry-instrument python app.py`: a user's first line, as it stands."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

APP = """
from opentelemetry import trace

with trace.get_tracer("app").start_as_current_span("outer"):
    with trace.get_tracer("app").start_as_current_span("inner"):
        pass
"""


def test_environment_variable_switches_the_exporter_on(tmp_path: Path) -> None:
    received: list[tuple[str, str, bytes]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, self.headers["User-Agent"], body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        app = tmp_path / "app.py"
        app.write_text(APP)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        environment |= {
            "OTEL_TRACES_EXPORTER": "otlp_fast_http",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        }
        command = [str(Path(sys.executable).parent / "opentelemetry-instrument"), sys.executable, str(app)]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, result.stderr
    finally:
        server.shutdown()
        server.server_close()

    ((path, user_agent, body),) = received
    assert path == "/v1/traces"
    assert "otlp-fast" in user_agent
    (group,) = ExportTraceServiceRequest.FromString(body).resource_spans
    assert [span.name for span in group.scope_spans[0].spans] == ["inner", "outer"]
    assert {item.key: item.value.string_value for item in group.resource.attributes}["service.name"] == "shop"
