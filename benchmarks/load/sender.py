"""A service that sends: spans of a real tracer at a rate, our processor, our exporter.

Run as `python -m benchmarks.load.sender {"endpoint": ..., "compression": ..., "first_number": ..., "spans": ...,
"per_second": ...}` and spoken to as `otlp_fast.demo.child` describes: `begin`, then `figures` now and then until all
spans are made, then `finish`.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from benchmarks.load.latencies import Latencies
from benchmarks.web_service import WebService
from otlp_fast import Buffer
from otlp_fast.demo.child import Conversation
from otlp_fast.exporter.http import OTLPSpanExporter
from otlp_fast.processor import BatchSpanProcessor

SECONDS_PER_TICK = 0.005
"""Spans are made in bunches this far apart: a sleep between any two would cost more than the span."""

MOST_TICKS = 20
"""The spans of so many ticks at most are made before one that is late looks at the clock again."""


class TimedExporter(OTLPSpanExporter):
    """The exporter, with a clock around each request: compressing, the gateway, the Collector's answer, retries."""

    round_trips: Latencies

    def export_request(self, request: bytes | Buffer, item_count: int, *, timeout: float | None = None) -> bool:
        """Deliver a request, and count how long that took."""
        begin = time.perf_counter_ns()
        delivered = super().export_request(request, item_count, timeout=timeout)
        self.round_trips.add_one(time.perf_counter_ns() - begin)
        return delivered


class Sender:
    """Makes numbered spans by the clock, in a thread of its own."""

    def __init__(self, endpoint: str, compression: str, first_number: int, spans: int, per_second: float) -> None:
        """Prepare; nothing is made before `begin`."""
        self._exporter = TimedExporter(endpoint, compression=compression)
        self._exporter.round_trips = Latencies()
        self._processor = BatchSpanProcessor(self._exporter)
        self._service = WebService(self._processor, first_number)
        self._spans, self._per_second = spans, per_second
        self._made, self._begin, self._taken, self._most_behind = 0, 0.0, 0.0, 0.0
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._serve, name="service", daemon=True)

    def begin(self) -> dict[str, Any]:
        """Begin to make spans: the first is due now."""
        self._thread.start()
        return {}

    def _serve(self) -> None:
        try:
            self._make()
        except Exception as error:
            self._error = error

    def _make(self) -> None:
        self._begin = time.monotonic()
        bunch = max(1, int(self._per_second * SECONDS_PER_TICK * MOST_TICKS))
        while self._made < self._spans:
            due = min(self._spans, int((time.monotonic() - self._begin) * self._per_second) + 1) - self._made
            self._most_behind = max(self._most_behind, self._behind())
            self._service.handle(min(due, bunch))
            self._made += min(due, bunch)
            if due <= bunch:
                time.sleep(SECONDS_PER_TICK)
        self._taken = time.monotonic() - self._begin

    def _behind(self) -> float:
        """For how many seconds the next span has been due."""
        return max(0.0, time.monotonic() - self._begin - self._made / self._per_second)

    def figures(self) -> dict[str, Any]:
        """Say how many spans there are, how late the next one is, and how many wait for the worker.

        Raises:
            RuntimeError: no more of them are made; this ends the process.
        """
        if self._error is not None:
            raise RuntimeError(f"no more spans are made: {self._error!r}") from self._error
        behind = 0.0 if self._taken or not self._begin else self._behind()
        return {"made": self._made, "behind_seconds": behind, "queued": self._processor.stats()["queued_items"]}

    def finish(self) -> dict[str, Any]:
        """Shut down as a service does, once all spans are made, and say what became of them."""
        self._thread.join()
        self._service.provider.shutdown()
        return {
            "made": self._made,
            "taken_seconds": round(self._taken, 3),
            "most_behind_seconds": round(self._most_behind, 3),
            "processor": self._processor.stats(),
            "exporter": self._exporter.stats(),
            "round_trips": self._exporter.round_trips.export(),
        }


def main() -> None:
    """Run as a child process."""
    conversation = Conversation()
    sender = Sender(**json.loads(sys.argv[1]))
    conversation.send({"ready": True})
    conversation.serve({"begin": sender.begin, "figures": sender.figures, "finish": sender.finish})


if __name__ == "__main__":
    main()
