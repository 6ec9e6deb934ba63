"""The processes of the load test, started from the end of the chain to its beginning and ended the other way round."""

from __future__ import annotations

import re
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from benchmarks.load.receiver import NUMBERS_PER_SENDER, WINDOW_SECONDS
from benchmarks.whole_process import child_environment
from otlp_fast.demo.child import Child
from otlp_fast.demo.errors import DemoError
from otlp_fast.demo.server import LOOPBACK
from tests.interop.build import SOURCES
from tests.interop.peer import Collector

RECEIVER, COLLECTOR, GATEWAY = "receiver", "Collector", "gateway"


@dataclass(frozen=True)
class Plan:
    """What is to be sent."""

    seconds: int
    rate: int
    """Spans per second, of all senders together."""
    processes: int
    compression: str

    @property
    def spans_per_sender(self) -> int:
        """How many spans each sender makes."""
        return ceil(self.seconds * self.rate / self.processes)


@dataclass(frozen=True)
class Chain:
    """The running processes."""

    senders: list[Child]
    gateway: Child
    collector: Collector
    receiver: Child

    def pids(self) -> dict[str, int]:
        """Give the process ids by the names of records."""
        senders = {f"sender {place}": sender.pid for place, sender in enumerate(self.senders)}
        return senders | {
            GATEWAY: self.gateway.pid,
            COLLECTOR: self.collector.pid,
            RECEIVER: self.receiver.pid,
        }

    def gateway_figures(self) -> dict[str, Any]:
        """Give what the gateway counted: requests by outcome, bytes as they came and as plain OTLP."""
        with urllib.request.urlopen(f"{self.gateway.greeting['url']}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        outcomes: Counter[str] = Counter()
        sums: Counter[str] = Counter()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                name = sample.name.removeprefix("otlp_fast_gateway_").removesuffix("_total")
                sums[name] += int(sample.value)
                if name == "requests":
                    outcomes[sample.labels["outcome"]] += int(sample.value)
        return {
            "requests": {outcome: count for outcome, count in outcomes.items() if count},
            "wire_bytes": sums["wire_bytes"],
            "otlp_bytes": sums["otlp_bytes"],
            "evictions": sums["evictions"],
        }


@contextmanager
def running(plan: Plan) -> Iterator[Chain]:
    """Start all processes; nothing is sent before the senders are told to begin.

    Raises:
        CollectorBuildError: the Collector is not built, and cannot be.
        DemoError: the Collector or one of our processes did not start.
    """
    environment = child_environment()
    with ExitStack() as processes:
        folder = Path(processes.enter_context(tempfile.TemporaryDirectory(prefix="otlp-fast-load-")))
        room = {
            "senders": plan.processes,
            "spans": plan.spans_per_sender,
            "windows": ceil(plan.seconds / WINDOW_SECONDS),
        }
        receiver = processes.enter_context(Child(RECEIVER, "benchmarks.load.receiver", room, environment))
        # Uncompressed on the last hop, which is only there to count.
        exporter = {"endpoint": f"http://{LOOPBACK}:{receiver.greeting['port']}", "compression": "none"}
        collector = Collector(folder, exporters={"otlphttp": exporter})
        try:
            processes.enter_context(collector)
        except AssertionError as error:
            said, *log = str(error).strip().splitlines()
            raise DemoError(f"{said} {log[-1] if log else 'it wrote nothing'}") from None
        gateway = processes.enter_context(
            Child(GATEWAY, "otlp_fast.demo.gateway", {"forward": collector.http}, environment)
        )
        settings = {
            "endpoint": f"{gateway.greeting['url']}/v1/traces",
            "compression": plan.compression,
            "spans": plan.spans_per_sender,
            "per_second": plan.rate / plan.processes,
        }
        senders = [
            processes.enter_context(
                Child(
                    f"sender {place}",
                    "benchmarks.load.sender",
                    {**settings, "first_number": place * NUMBERS_PER_SENDER},
                    environment,
                )
            )
            for place in range(plan.processes)
        ]
        yield Chain(senders, gateway, collector, receiver)


def collector_version() -> str:
    """Give the version of the Collector's receiver that is built."""
    found = re.search(r"collector/receiver/otlpreceiver v(\S+)", (SOURCES / "go.mod").read_text(encoding="utf-8"))
    assert found is not None
    return found[1]
