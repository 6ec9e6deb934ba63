"""The process of on_end.py: a `WebService` for each configuration, measured by turns.

Run as `python -m benchmarks.request_thread {...}` and spoken to as `otlp_fast.demo.child` describes.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from random import Random

from benchmarks.processors import CONFIGURATIONS
from benchmarks.web_service import WebService
from otlp_fast.demo.child import Conversation

NUMBERS_PER_SERVICE = 10**9
"""Each service has its own range of numbers, so that the receiver can tell all spans apart."""


def sample(service: WebService, spans: int) -> float:
    """Make so many spans, then have them delivered: CPU time of this thread in microseconds per span."""
    gc.collect()
    begin = time.thread_time_ns()
    service.handle(spans)
    elapsed = time.thread_time_ns() - begin
    service.provider.force_flush()
    return elapsed / 1_000 / spans


def main() -> None:
    """Run as a child process."""
    settings = json.loads(sys.argv[1])
    conversation = Conversation()
    services = [
        (name, WebService(CONFIGURATIONS[name].make(settings["endpoint"]), index * NUMBERS_PER_SERVICE))
        for index, name in enumerate(settings["configurations"])
    ]
    random = Random(0)

    def measure_round() -> dict[str, float]:
        random.shuffle(services)
        return {name: sample(service, settings["spans"]) for name, service in services}

    conversation.send({"ready": True})
    conversation.serve({"round": measure_round})
    for _, service in services:
        service.provider.shutdown()


if __name__ == "__main__":
    main()
