"""The process that is measured: a `WebService` with one of the processors, and nothing else.

Run as `python -m benchmarks.service_process {"configuration": ..., "endpoint": ...}` and spoken to as
`otlp_fast.demo.child` describes. Everything is imported and has been used once when it says that it is ready.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from benchmarks.processors import CONFIGURATIONS
from benchmarks.web_service import WebService
from otlp_fast.demo.child import Conversation

WARM_UP_SPANS = 1_000


def steady(service: WebService, per_second: int, seconds: float) -> dict[str, Any]:
    """Handle requests at a steady rate and have all spans delivered; CPU time is that of all threads."""
    wall, cpu = time.perf_counter(), time.process_time()
    made = service.handle_steadily(per_second, seconds)
    wall = time.perf_counter() - wall
    service.provider.force_flush()
    cpu = time.process_time() - cpu
    return {"made": made, "cpu_us": cpu * 1e6 / made, "per_second": made / wall}


def burst(service: WebService, spans: int) -> dict[str, Any]:
    """Handle requests as fast as the loop runs, then shut down."""
    wall = time.perf_counter()
    service.handle(spans)
    wall = time.perf_counter() - wall
    service.provider.shutdown()
    return {"made": spans, "per_second": spans / wall}


def main() -> None:
    """Run as a child process."""
    settings = json.loads(sys.argv[1])
    conversation = Conversation()
    service = WebService(CONFIGURATIONS[settings["configuration"]].make(settings["endpoint"]))
    service.handle(WARM_UP_SPANS)
    service.provider.force_flush()
    conversation.send({"ready": True})
    conversation.serve(
        {
            "steady": lambda: steady(service, settings["per_second"], settings["seconds"]),
            "burst": lambda: burst(service, settings["spans"]),
        }
    )


if __name__ == "__main__":
    main()
