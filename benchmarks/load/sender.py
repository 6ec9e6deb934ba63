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
from benchmarks.web_service import SECONDS_PER_TICK, WebService
from otlp_fast import Buffer
from otlp_fast.demo.child import Conversation
from otlp_fast.exporter.http import OTLPSpanExporter
from otlp_fast.processor import BatchSpanProcessor

LONGEST_BUNCH_SECONDS = 0.1
"""One that is late makes at most so many at once before it looks at the clock again."""


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
        self._made, self._taken, self._most_behind = 0, 0.0, 0.0
        self._thread = threading.Thread(target=self._make, name="service", daemon=True)

    def begin(self) -> dict[str, Any]:
        """Begin to make spans: the first is due now."""
        self._thread.start()
        return {}

    def _make(self) -> None:
        begin = time.monotonic()
        bunch = max(1, int(self._per_second * LONGEST_BUNCH_SECONDS))
        while self._made < self._spans:
            passed = time.monotonic() - begin
            due = min(self._spans, int(passed * self._per_second) + 1) - self._made
            if due > 0:
                self._most_behind = max(self._most_behind, passed - self._made / self._per_second)
                self._service.handle(min(due, bunch))
                self._made += min(due, bunch)
            if due <= bunch:
                time.sleep(SECONDS_PER_TICK)
        self._taken = time.monotonic() - begin

    def figures(self) -> dict[str, Any]:
        """Say how many spans there are, how late the latest since the last call was, and what waits."""
        behind, self._most_behind = self._most_behind, 0.0
        return {"made": self._made, "behind_seconds": behind, "queued": self._processor.stats()["queued_items"]}

    def finish(self) -> dict[str, Any]:
        """Shut down as a service does, once all spans are made, and say what became of them."""
        self._thread.join()
        self._service.provider.shutdown()
        return {
            "made": self._made,
            "taken_seconds": self._taken,
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
