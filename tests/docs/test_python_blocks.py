"""Every Python block runs as it stands, in a process of its own, and does what the page says of it."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import otlp_fast
from otlp_fast.tracezip import archive
from tests.compat.spans import make_span
from tests.docs.pages import PROJECT, Block, blocks


class Check(NamedTuple):
    """What has to hold after an example."""

    page: str
    phrase: str
    """Stands in this example, and in no other of its page."""
    after: str
    """Runs after it, in the same process."""
    before: str = ""
    output: str = ""
    """What it prints."""


EMIT = """
with trace.get_tracer("shop").start_as_current_span("order"):
    {}.get_logger("shop").emit(body="a book was ordered")
metrics.get_meter("shop").create_counter("orders").add(1)
"""
ARRIVED = """
bodies = delivered()
assert b"order" in bodies["/v1/traces"]
assert b"a book was ordered" in bodies["/v1/logs"]
assert b"orders" in bodies["/v1/metrics"]
"""
IS_OFFICIAL = """
import opentelemetry.exporter.otlp.proto.http.trace_exporter as exporters
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
assert exporters.encode_spans is {} encode_spans
"""
OVER_GRPC = """
from tests.unit.exporter.scripted_grpc_receiver import GRPCReceiver
grpc_receiver = GRPCReceiver()
os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{grpc_receiver.port}"
"""

CHECKS = [
    Check(
        "README.md",
        "set_tracer_provider",
        """
trace.get_tracer("shop").start_span("order").end()
provider.shutdown()
assert b"order" in delivered()["/v1/traces"]
assert receiver.requests[0].headers["content-encoding"] == "zstd"
""",
    ),
    Check(
        "README.md",
        "otlp_fast.decode_traces",
        """
assert otlp_fast.decode_traces(request).to_bytes() == request and len(books) < len(traces)
assert sum(group.count for group in rates) == len(spans)
""",
    ),
    Check(
        "docs/quickstart.md",
        "auto_instrumentation",
        """
from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger_provider
"""
        + EMIT.format("get_logger_provider()")
        + """
for provider in (trace.get_tracer_provider(), get_logger_provider(), metrics.get_meter_provider()):
    provider.shutdown()
"""
        + ARRIVED,
    ),
    Check(
        "docs/quickstart.md",
        "PeriodicExportingMetricReader",
        EMIT.format("logger_provider")
        + """
for provider in (tracer_provider, logger_provider, meter_provider):
    provider.shutdown()
assert {request.headers.get("content-encoding") for request in receiver.requests} == {"zstd", "gzip", None}
"""
        + ARRIVED,
    ),
    Check(
        "docs/quickstart.md",
        "otlp_fast.exporter.grpc",
        """
tracer_provider.get_tracer("shop").start_span("order").end()
tracer_provider.shutdown()
assert b"order" in grpc_receiver.requests[0].body
grpc_receiver.close()
""",
        before=OVER_GRPC,
    ),
    Check("docs/quickstart.md", "exporter.stats()", "provider.shutdown()", output="1 1"),
    Check(
        "docs/quickstart.md",
        "use_in_official_exporters",
        IS_OFFICIAL.format("not") + "swapped.undo()" + IS_OFFICIAL.format(""),
        output="('traces', 'logs', 'metrics')",
    ),
    Check(
        "docs/quickstart.md",
        "otlp_fast.SpanEncoder",
        """
assert sent == [data] and len(data) > 100
assert [compression.decompress(body, "zstd") for body in bodies] == [data]
""",
    ),
    Check(
        "docs/reading.md",
        "columns.red",
        """
assert len(durations) == len(spans)
assert otlp_fast.decode_traces(request).to_bytes() == request and len(books) < len(traces)
assert sum(group.count for group in rates) == len(spans)
""",
    ),
    Check("docs/reading.md", "span.attributes", "assert span.name == spans[-1].name"),
    Check("docs/reading.md", "pyarrow", "assert table.num_rows == len(spans)"),
    Check("docs/reading.md", "otlp_fast.merge", "assert text.startswith(b'{')", output="2 spans"),
    Check("docs/reading.md", "write_points", "import otlp_fast\nassert otlp_fast.count(bytes(gauge), 'metrics') == 1"),
    Check("docs/reading.md", "files.open_reader", "assert request.data == data"),
    Check(
        "docs/compression.md",
        "tracezip.Encoder",
        """
assert received == data and decoder.state_hash != tracezip.Decoder().state_hash
with tracezip.Decoder() as decoder:
    assert otlp_fast.merge([decoder.decode(frame) for frame in frames], "traces") == data
""",
    ),
    Check("docs/compression.md", "compression.decompress", "assert len(body) < len(data)"),
    Check(
        "docs/gateway.md",
        "application(",
        """
import threading, time, urllib.request, uvicorn
server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
running = threading.Thread(target=server.run)
running.start()
while not server.started:
    time.sleep(0.01)
address, port = server.servers[0].sockets[0].getsockname()
assert urllib.request.urlopen(f"http://{address}:{port}/health").status == 200
server.should_exit = True
running.join()
""",
    ),
    Check(
        "docs/migration.md",
        "ProxyManager",
        "exporter.shutdown()",
    ),
    Check(
        "docs/migration.md",
        "with use_in_official_exporters",
        IS_OFFICIAL.format("") + "swapped = use_in_official_exporters()" + IS_OFFICIAL.format("not"),
    ),
    Check(
        "docs/operations.md",
        "SIGTERM",
        """
import atexit, os
atexit.register(print, "the end")
os.kill(os.getpid(), signal.SIGTERM)
""",
        output="the end",
    ),
    Check("docs/operations.md", "shutdown(timeout_millis", "assert provider.force_flush() is False"),
    Check(
        "docs/operations.md",
        "def handler",
        """
assert handler({}, None) == {"statusCode": 200}
assert b"order" in delivered()["/v1/traces"]
""",
    ),
]


def check_of(block: Block) -> Check:
    """Give the one check that an example has."""
    found = [check for check in CHECKS if check.page == block.page and check.phrase in block.text]
    assert len(found) == 1, f"{block}: give the example a check of its own in {Path(__file__).name}: {found}"
    return found[0]


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_example_runs_and_does_what_is_said(block: Block, tmp_path: Path) -> None:
    check = check_of(block)
    script = f"import os\nfrom tests.docs.given import *\n{check.before}\n{block.text}\n{check.after}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(PROJECT), os.environ.get("PYTHONPATH"))))
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert result.stderr == ""
    assert result.returncode == 0
    if check.output:
        assert result.stdout.strip() == check.output


@pytest.mark.parametrize("block", blocks("pycon"), ids=str)
def test_session_gives_what_is_shown(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    request = otlp_fast.encode_spans([make_span()])
    with archive.Writer("capture.otlp.tz") as writer:
        for _ in range(1_100):
            writer.write(request, "traces")
    session = doctest.DocTestParser().get_doctest(block.text, {"request": request}, str(block), block.page, block.line)
    report: list[str] = []
    assert doctest.DocTestRunner().run(session, out=report.append).failed == 0, "".join(report)


def test_every_check_belongs_to_an_example() -> None:
    assert {check_of(block) for block in blocks("python")} == set(CHECKS)
