"""Runs the demo: starts the receiver, runs the parts, puts the result together.

Everything that could make two runs differ is the same for all or is taken away: each has a fresh process, a fresh
database with the same content, the same requests, and the same environment.
"""

from __future__ import annotations

import platform
import time
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import otlp_fast
from otlp_fast.demo.child import Child
from otlp_fast.demo.exporter_part import ExporterPart
from otlp_fast.demo.progress import Progress
from otlp_fast.demo.result import DemoResult
from otlp_fast.demo.server import LOOPBACK
from otlp_fast.demo.surroundings import Surroundings, child_environment
from otlp_fast.demo.tracezip_part import TracezipPart
from otlp_fast.demo.traffic import plan_requests
from otlp_fast.demo.whole_part import WholePart


def run_demo(
    requests: int, burst_spans: int, endpoint: str | None, compression: str, tracezip_left_out: str | None
) -> DemoResult:
    """Run the demo.

    Args:
        requests: HTTP requests that each service answers.
        burst_spans: Spans that are made at once at the end.
        endpoint: What `checked_endpoint` gave, or None for a receiver of the demo's own.
        compression: `none` or `gzip`.
        tracezip_left_out: Why the third part cannot be run, if so.

    Raises:
        DemoError: It could not be done.
    """
    begin = time.monotonic()
    environment = child_environment(own_receiver=endpoint is None)
    progress = Progress()
    with ExitStack() as stack:
        receiver = None
        if endpoint is None:
            receiver = stack.enter_context(Child("receiver", "otlp_fast.demo.receiver", {}, environment))
            endpoint = f"http://{LOOPBACK}:{receiver.greeting['port']}"
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="otlp-fast-demo-")))
        surroundings = Surroundings(endpoint, compression, environment, receiver, folder)
        exporter_part = ExporterPart(surroundings, progress)
        planned = plan_requests(requests)
        exporter_part.run(planned)
        whole_part = WholePart(surroundings, progress, requests, burst_spans)
        whole_part.run()
        tracezip_part = TracezipPart(folder, progress)
        if tracezip_left_out is None:
            tracezip_part.run(planned)
    return DemoResult(
        http_requests=requests,
        burst_spans=burst_spans,
        endpoint=endpoint,
        compression=compression,
        exporters=exporter_part.runs,
        encoding=exporter_part.encoding,
        whole=whole_part.runs,
        bare_differences=whole_part.bare_differences,
        tracezip=tracezip_part.result,
        tracezip_left_out=tracezip_left_out,
        failures=[*exporter_part.failures, *whole_part.failures, *tracezip_part.failures],
        versions=_versions(),
        seconds=time.monotonic() - begin,
    )


def _versions() -> dict[str, str]:
    distributions = ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http", "protobuf", "flask")
    return {
        "otlp-fast": otlp_fast.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in distributions},
    }
