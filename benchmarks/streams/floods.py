"""Floods: telemetry in which something never comes twice, so that a table that knows no bound would grow for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otlp_fast.bench.batch import Signal
from otlp_fast.bench.workloads.workload import FIRST_TIME_NS

ITEMS = 200_000
ITEMS_PER_REQUEST = 500

Fill = Callable[[Random, int], Message]
"""Makes a request of so many items."""


def spans(random: Random, count: int, *, names: bool = False, keys: bool = False, values: bool = False) -> Message:
    """Make spans with an attribute, of which the name, the key or the value is new in each."""
    message = ExportTraceServiceRequest()
    scope = message.resource_spans.add().scope_spans.add()
    for _ in range(count):
        start = FIRST_TIME_NS + random.getrandbits(40)
        span = scope.spans.add(
            trace_id=random.randbytes(16),
            span_id=random.randbytes(8),
            name=unique(random) if names else "GET /books",
            start_time_unix_nano=start,
            end_time_unix_nano=start + random.getrandbits(24),
        )
        attribute = span.attributes.add(key=unique(random) if keys else "book")
        attribute.value.string_value = unique(random) if values else "novel"
    return message


def points(random: Random, count: int) -> Message:
    """Make a gauge of which every point is of a series of its own."""
    message = ExportMetricsServiceRequest()
    metric = message.resource_metrics.add().scope_metrics.add().metrics.add(name="queue.length", unit="{request}")
    for _ in range(count):
        point = metric.gauge.data_points.add(time_unix_nano=FIRST_TIME_NS, as_double=random.random())
        point.attributes.add(key="queue").value.string_value = unique(random)
    return message


def records(random: Random, count: int) -> Message:
    """Make log records of which no two bodies have the same words."""
    message = ExportLogsServiceRequest()
    scope = message.resource_logs.add().scope_logs.add()
    for _ in range(count):
        record = scope.log_records.add(time_unix_nano=FIRST_TIME_NS + random.getrandbits(40), severity_number=9)
        record.body.string_value = f"order {unique(random)} of {unique(random)} was placed"
    return message


def unique(random: Random) -> str:
    """Give a word that is most unlikely to come again: 20 letters without digits, which log templates cut at."""
    return "".join(random.choices("abcdefghijklmnop", k=20))


FLOODS: dict[str, tuple[Signal, Fill]] = {
    "span names": ("traces", lambda random, count: spans(random, count, names=True)),
    "attribute keys": ("traces", lambda random, count: spans(random, count, keys=True)),
    "attribute values": ("traces", lambda random, count: spans(random, count, values=True)),
    "all of these": ("traces", lambda random, count: spans(random, count, names=True, keys=True, values=True)),
    "metric series": ("metrics", points),
    "log bodies": ("logs", records),
}


def flood(name: str, items: int = ITEMS) -> Iterator[bytes]:
    """Make the requests of a flood, the same in every run."""
    _, fill = FLOODS[name]
    random = Random(name)
    for _ in range(items // ITEMS_PER_REQUEST):
        yield fill(random, ITEMS_PER_REQUEST).SerializeToString()
