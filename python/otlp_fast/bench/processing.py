"""Part "processor": spans end in our batch processor and in the SDK's, whose exporters only encode and count.

What is taken are the CPU time of the thread that ends the spans, which is that of a request, and the CPU time of the
process until all spans are encoded. The SDK's processor keeps a span and encodes it later, in its own thread; ours
encodes at once. So the second figure has the same work on both sides, and the first what a request pays of it.

Nothing is dropped in a sample, as it is smaller than the SDK's queue, and both flush before the next. The spans ended
before and only end once more here: making them takes the SDK far longer than either processor.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from random import Random
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

import otlp_fast
from otlp_fast import processor
from otlp_fast.bench.batch import ITEMS, Batch
from otlp_fast.bench.effort import Effort
from otlp_fast.bench.engines import official
from otlp_fast.bench.errors import asked_of
from otlp_fast.bench.figures import Encodings, Pair
from otlp_fast.bench.measure import LEAST_ROUNDS, Samples, require
from otlp_fast.bench.steps import OURS, THEIRS, OnRound, Step
from otlp_fast.bench.telemetry import Telemetry

PART = "processor"
RIVAL = "SDK's processor"

_QUEUE, _SCHEDULE_MILLIS = 4 * ITEMS, 5_000


class _OfficialExporter(SpanExporter):
    """Encodes, and keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self._encode = official("traces").encode

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.requests.append(bytes(self._encode(spans)))
        return SpanExportResult.SUCCESS


class _OurExporter(SpanExporter):
    """Takes requests that are encoded, as exporters of otlp-fast do, and keeps them."""

    has_spool = False

    def __init__(self) -> None:
        self.requests: list[bytes] = []

    def export_request(self, request: otlp_fast.Buffer, item_count: int, *, timeout: float | None = None) -> bool:
        self.requests.append(bytes(request))
        return True

    def drain_spool(self, timeout: float | None = None) -> bool:
        return True

    def force_flush(self, timeout_millis: float = 30_000) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 30_000) -> None:
        return None


class _Side:
    """One processor with its exporter."""

    def __init__(self, exporter: Any, make: Callable[..., SpanProcessor]) -> None:
        self._exporter = exporter
        self.processor = make(
            exporter, max_queue_size=_QUEUE, schedule_delay_millis=_SCHEDULE_MILLIS, max_export_batch_size=ITEMS
        )
        self.thread = Samples()
        self.process = Samples()

    def requests(self) -> list[bytes]:
        """Give what was exported since the last call."""
        requests = list(self._exporter.requests)
        self._exporter.requests.clear()
        return requests

    def end_all(self, spans: Sequence[ReadableSpan]) -> None:
        """End the spans, and time it."""
        on_end = self.processor.on_end
        gc.collect()
        wall, cpu, thread = time.perf_counter_ns(), time.process_time_ns(), time.thread_time_ns()
        for span in spans:
            on_end(span)
        thread, ended = time.thread_time_ns() - thread, time.perf_counter_ns() - wall
        require(self.processor.force_flush(), "a processor did not flush in time")
        cpu, wall = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
        unit = 1_000 * len(spans)
        self.thread.cpu.append(thread / unit)
        self.thread.wall.append(ended / unit)
        self.process.cpu.append(cpu / unit)
        self.process.wall.append(wall / unit)


def processing_steps(telemetry: Telemetry, effort: Effort) -> Iterator[Step]:
    """Give the step, where there are spans."""
    if telemetry.processed is not None:
        yield Step(PART, "end spans in a processor", partial(_measure, telemetry.processed, effort))


def _measure(build: Callable[[], list[Batch]], effort: Effort, on_round: OnRound) -> list[Pair | Encodings]:
    spans = [span for batch in build() for span in batch.content]
    with asked_of("the official encoder"):
        right = bytes(official("traces").encode(spans))
    sides = {
        OURS: _Side(_OurExporter(), processor.BatchSpanProcessor),
        THEIRS: _Side(_OfficialExporter(), BatchSpanProcessor),
    }
    try:
        end, order, random = time.monotonic() + effort.seconds, list(sides), Random(0)
        # The first round warms up and is not kept.
        for done in range(effort.rounds + 1):
            if done > LEAST_ROUNDS and time.monotonic() >= end:
                break
            random.shuffle(order)
            for name in order:
                sides[name].end_all(spans)
                exported = otlp_fast.merge(sides[name].requests(), "traces")
                require(exported == otlp_fast.merge([right], "traces"), f"what the processor of {name} exported")
            if done:
                on_round()
    finally:
        for side in sides.values():
            side.processor.shutdown()
    return [
        Pair(PART, name, "span", len(spans), RIVAL, *(_without_first(getattr(sides[side], clock)) for side in sides))
        for name, clock in (("in the thread that ends a span", "thread"), ("in all threads, until encoded", "process"))
    ]


def _without_first(samples: Samples) -> Samples:
    return Samples(samples.cpu[1:], samples.wall[1:])
