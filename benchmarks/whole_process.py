"""What exporting costs a service as a whole, and what it delivers of a burst.

Encoding is a part of it: there is also the queue, the worker that fights for the GIL, compressing and sending. So each
configuration runs in a process of its own that makes web spans at a steady rate and sends them to a real HTTP receiver
in another process, and what counts is the CPU time of the whole process, all threads, per span. A process without a
processor is among them, and what a configuration costs is what it takes above that one, within a round.

**The answer.** The receiver compares each span with what was made (receiver.py). A wrong one, or one that came twice,
ends the run. A configuration may drop spans; that is counted and shown.

**Rounds.** In each round every configuration runs once, in an order shuffled anew. A share, such as ours of the
official one's, is formed within a round; what is claimed is the median over the rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from benchmarks.environment import ROOT
from benchmarks.import_time import interpreter_environment
from benchmarks.processors import NONE, Configuration
from otlp_fast.bench.measure import WrongAnswerError
from otlp_fast.demo.child import Child
from otlp_fast.demo.server import LOOPBACK

ROUNDS = 9
BURST_ROUNDS = 3

SPANS_PER_SECOND = 5_000
SECONDS = 3.0
BURST_SPANS = 30_000


@dataclass(frozen=True)
class Run:
    """What became of one process: spans that it made, spans that arrived, and for a steady run their price."""

    made: int
    delivered: int
    request_bytes: int
    per_second: float
    """Spans made per second of wall time."""
    cpu_us: float = 0.0
    """CPU time of the process per span, in microseconds, with what the span itself costs."""


Runs = dict[str, list[Run]]
"""By name of the configuration, the lists in step, one entry per round."""


def child_environment() -> dict[str, str]:
    """Give the environment of the processes: nothing that makes two of them differ, no proxy, the same hash seed."""
    kept = {name: value for name, value in interpreter_environment().items() if not name.lower().endswith("_proxy")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}


def receiver_process() -> Child:
    """Start a receiver."""
    return Child("receiver", "benchmarks.receiver", {}, child_environment())


def endpoint_of(receiver: Child) -> str:
    """Give the URL at which a receiver takes spans."""
    return f"http://{LOOPBACK}:{receiver.greeting['port']}/v1/traces"


def delivered_spans(receiver: Child, configuration: Configuration) -> Mapping[str, int]:
    """Take what a receiver has counted.

    Raises:
        WrongAnswerError: a span was not what was made, or came twice.
    """
    counts: Mapping[str, int] = receiver.ask("take")
    if counts["right"] != counts["spans"]:
        raise WrongAnswerError(f"{configuration.name}: {counts['right']} of {counts['spans']} spans are right")
    return counts


def run_rounds(
    configurations: Sequence[Configuration],
    command: str,
    settings: Mapping[str, Any],
    rounds: int,
    on_run: Callable[[], None] = lambda: None,
) -> Runs:
    """Run every configuration in a fresh process in each round.

    Raises:
        WrongAnswerError: a span was not what was made, or came twice.
    """
    runs: Runs = {configuration.name: [] for configuration in configurations}
    random = Random(0)
    order = list(configurations)
    with receiver_process() as receiver:
        for _ in range(rounds):
            random.shuffle(order)
            for configuration in order:
                argument = {"configuration": configuration.name, "endpoint": endpoint_of(receiver), **settings}
                with Child(configuration.name, "benchmarks.service_process", argument, child_environment()) as process:
                    # What was made to warm up has arrived, and is no part of the run.
                    delivered_spans(receiver, configuration)
                    measured = process.ask(command)
                counts = delivered_spans(receiver, configuration)
                runs[configuration.name].append(
                    Run(delivered=counts["spans"], request_bytes=counts["bytes"], **measured)
                )
                on_run()
    return runs


def measure_steady(
    configurations: Sequence[Configuration],
    *,
    rounds: int = ROUNDS,
    seconds: float = SECONDS,
    on_run: Callable[[], None] = lambda: None,
) -> Runs:
    """Run all configurations at a steady rate."""
    settings = {"per_second": SPANS_PER_SECOND, "seconds": seconds}
    return run_rounds(configurations, "steady", settings, rounds, on_run)


def measure_burst(
    configurations: Sequence[Configuration],
    *,
    rounds: int = BURST_ROUNDS,
    spans: int = BURST_SPANS,
    on_run: Callable[[], None] = lambda: None,
) -> Runs:
    """Run all configurations that send anything, with a burst and nothing after it."""
    senders = [configuration for configuration in configurations if configuration.name != NONE]
    return run_rounds(senders, "burst", {"spans": spans}, rounds, on_run)


def net_cpu(runs: Runs, name: str) -> list[float]:
    """Give what a configuration takes above the one without a processor, in microseconds per span, round by round."""
    return [own.cpu_us - bare.cpu_us for own, bare in zip(runs[name], runs[NONE], strict=True)]


def shares(own: Sequence[float], rival: Sequence[float]) -> list[float]:
    """Give which part of its rival's price a configuration costs, round by round."""
    return [mine / theirs for mine, theirs in zip(own, rival, strict=True)]
