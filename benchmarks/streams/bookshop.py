"""Telemetry that nobody tuned for: the demo's bookshop, a real Flask application under the real instrumentation.

Its spans, log records and metrics are made anew for each measurement, with real clocks and random ids: 512 items in a
request, as the SDK's batch processors send them, and metrics after each 50 answers. Other names, another SDK, another
clock than in the corpora: if an encoding were good at those only, it would be seen here. The application runs in a
process of its own (`python benchmarks/streams/bookshop.py ANSWERS FOLDER`), since instrumentation stays in place.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

# Run as a script, Python puts benchmarks/streams on the path, not the folder that holds benchmarks.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import SpanProcessor

import otlp_fast
from benchmarks.streams.record_file import read_records, write_records
from otlp_fast.bench.batch import ITEMS, Signal
from otlp_fast.bench.measure import require
from otlp_fast.bench.telemetry import Stream
from otlp_fast.demo.database import create_database
from otlp_fast.demo.instrumented import InstrumentedBookshop
from otlp_fast.demo.surroundings import child_environment
from otlp_fast.demo.traffic import plan_requests

ANSWERS = 4_000
ANSWERS_PER_COLLECTION = 50
NAME = "bookshop"
SIGNALS: tuple[Signal, ...] = ("traces", "logs", "metrics")


def bookshop_streams(answers: int = ANSWERS) -> list[Stream]:
    """Have the bookshop answer so many requests, and give what it said of it."""
    with TemporaryDirectory() as folder:
        command = [sys.executable, __file__, str(answers), folder]
        subprocess.run(command, check=True, env=child_environment(own_receiver=True))
        streams = [Stream(f"{NAME} {signal}", signal, records_of(Path(folder, signal))) for signal in SIGNALS]
    [metrics] = [stream for stream in streams if stream.signal == "metrics"]
    bare = [without_exemplars(request) for request in metrics.requests]
    return [*streams, Stream(f"{metrics.name} without exemplars", "metrics", bare)]


def records_of(path: Path) -> list[bytes]:
    """Read all requests of a file."""
    with path.open("rb") as file:
        return list(read_records(file))


def without_exemplars(request: bytes) -> bytes:
    """Take the exemplars out of a request: half of its points have one, with ids that are random and always new."""
    message = ExportMetricsServiceRequest.FromString(request)
    for resource in message.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in getattr(metric, metric.WhichOneof("data")).data_points:
                    point.ClearField("exemplars")
    return bytes(message.SerializeToString())


class Requests(SpanProcessor):
    """Encodes what ends or is emitted into requests of 512 items. The SDK takes it for spans and for log records."""

    def __init__(self, encode: Callable[[list[Any]], bytes]) -> None:
        self._encode = encode
        self._items: list[Any] = []
        self.done: list[bytes] = []

    def on_end(self, span: Any) -> None:
        """Take a span."""
        self._items.append(span)
        if len(self._items) == ITEMS:
            self.flush()

    on_emit = on_end

    def flush(self) -> None:
        """Make a request of what there is."""
        if self._items:
            self.done.append(self._encode(self._items))
            self._items = []


def main() -> None:
    """Run as a child process: write the requests of each signal to a file of its name."""
    answers, folder = int(sys.argv[1]), Path(sys.argv[2])
    database = folder / "database"
    create_database(database)
    requests = {"traces": Requests(otlp_fast.encode_spans), "logs": Requests(otlp_fast.encode_logs)}
    reader = InMemoryMetricReader()
    bookshop = InstrumentedBookshop(str(database), requests["traces"], requests["logs"], [reader])
    client = bookshop.application.test_client(use_cookies=False)
    collected = []
    for number, planned in enumerate(plan_requests(answers), start=1):
        answer = client.open(planned.path, method=planned.method, data=planned.body, headers=planned.headers)
        require(answer.status_code == planned.status, f"{planned.method} {planned.path}: {answer.status_code}")
        if number % ANSWERS_PER_COLLECTION == 0:
            collected.append(otlp_fast.encode_metrics(reader.get_metrics_data()))
    for signal, made in requests.items():
        made.flush()
        items = sum(otlp_fast.count(request, signal) for request in made.done)
        require(items == bookshop.made[signal], f"{signal}: {items} encoded, {bookshop.made[signal]} made")
        write_records(folder / signal, made.done)
    write_records(folder / "metrics", collected)


if __name__ == "__main__":
    main()
