"""The demo's third part: the exporters of otlp-fast send tracezip to a gateway, and that plain OTLP to a receiver.

It is the service of the first part, with the same requests. What arrives behind the gateway has to be what the
exporters encoded, byte for byte; how many bytes came to the gateway it says itself, at /metrics. Beside that stand the
very same requests in other encodings (`encodings`).

The receiver is the demo's own also where another endpoint was asked for, as only that can say what it got.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from otlp_fast.demo.child import Child
from otlp_fast.demo.errors import DemoError
from otlp_fast.demo.exporter_part import answer_requests
from otlp_fast.demo.progress import Progress
from otlp_fast.demo.result import TRACEZIP, FramedSignal, Received, TracezipRun
from otlp_fast.demo.server import LOOPBACK
from otlp_fast.demo.surroundings import Surroundings, child_environment
from otlp_fast.demo.telemetry import ITEMS
from otlp_fast.demo.traffic import HttpRequest

_WIRE_BYTES = "otlp_fast_gateway_wire_bytes_total"


class TracezipPart:
    """Its result; None where it failed or was not run, and its error is among the failures."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        self.result: TracezipRun | None = None
        self.failures: list[str] = []
        self._folder = folder
        self._progress = progress

    def run(self, planned: Sequence[HttpRequest]) -> None:
        """Run the service, with a gateway and a receiver of its own."""
        try:
            with ExitStack() as children:
                self.result = self._run(planned, children)
        except DemoError as error:
            self.failures.append(f"{TRACEZIP}: {error}")

    def _run(self, planned: Sequence[HttpRequest], children: ExitStack) -> TracezipRun:
        environment = child_environment(own_receiver=True)

        def start(name: str, module: str, argument: Mapping[str, Any]) -> Child:
            return children.enter_context(Child(name, f"otlp_fast.demo.{module}", argument, environment))

        receiver = start("receiver", "receiver", {})
        gateway = start("gateway", "gateway", {"forward": f"http://{LOOPBACK}:{receiver.greeting['port']}"})
        url = gateway.greeting["url"]
        surroundings = Surroundings(url, "tracezip", environment, receiver, self._folder)
        service = start("service", "service", asdict(surroundings.settings("otlp_fast", "tracezip exporters")))
        with self._progress.step(f"{TRACEZIP}, requests", len(planned)) as report:
            finished = answer_requests(service, planned, report)
        received, wire_bytes, encodings = receiver.ask("take"), _wire_bytes(url), service.ask("encodings")
        return TracezipRun(
            signals={
                signal: FramedSignal(
                    made=finished["signals"][signal]["made"],
                    received=Received(**received[signal]),
                    requests=encodings[signal]["requests"],
                    digest=encodings[signal]["digest"],
                    bytes={**encodings[signal]["bytes"], "tracezip": wire_bytes[signal]},
                    resets=encodings[signal]["stats"]["tracezip_resets"],
                    fallbacks=encodings[signal]["stats"]["tracezip_fallbacks"],
                )
                for signal in ITEMS
            },
            first_message=finished["first_message"],
        )


def _wire_bytes(url: str) -> Counter[str]:
    """Ask a gateway how many bytes of bodies came to it, by signal."""
    import urllib3
    from prometheus_client.parser import text_string_to_metric_families

    try:
        with urllib3.PoolManager() as connections:
            answer = connections.request("GET", f"{url}/metrics")
    except urllib3.exceptions.HTTPError as error:
        raise DemoError(f"the gateway does not say what it counted: {error}") from None
    arrived: Counter[str] = Counter()
    for family in text_string_to_metric_families(answer.data.decode()):
        for sample in family.samples:
            if sample.name == _WIRE_BYTES:
                arrived[sample.labels["signal"]] += int(sample.value)
    return arrived
