"""What a processor costs the thread that ends a span: the one that answers requests.

A process of its own holds a `WebService` for each configuration (request_thread.py). They take turns, in an order
shuffled anew in each round, at making some spans, and what counts is the CPU time of the thread that makes them, so the
workers of the processors do not count, whatever they do meanwhile. What a processor adds is what its service takes
above the one without a processor, within a round. Between samples the processors deliver everything, so none has to
drop, and the receiver checks all spans.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.processors import NONE, Configuration
from benchmarks.whole_process import child_environment, endpoint_of, receiver_process
from otlp_fast.bench.measure import WrongAnswerError
from otlp_fast.demo.child import Child

ROUNDS = 60
SPANS = 1_024
"""Spans per sample: two batches, so that the waking of a worker is part of it."""


def measure_on_end(
    configurations: Sequence[Configuration],
    *,
    rounds: int = ROUNDS,
    spans: int = SPANS,
    on_round: Callable[[], None] = lambda: None,
) -> dict[str, list[float]]:
    """Measure the making of spans with each configuration: CPU time of the thread in microseconds per span, by round.

    Raises:
        WrongAnswerError: not all spans of a round arrived, or not as they were made.
    """
    names = [configuration.name for configuration in configurations]
    expected = spans * sum(name != NONE for name in names)
    result: dict[str, list[float]] = {name: [] for name in names}
    with receiver_process() as receiver:
        argument = {"configurations": names, "spans": spans, "endpoint": endpoint_of(receiver)}
        with Child("request thread", "benchmarks.request_thread", argument, child_environment()) as process:
            for _ in range(rounds + 1):
                took = process.ask("round")
                counts = receiver.ask("take")
                if not expected == counts["spans"] == counts["right"]:
                    raise WrongAnswerError(f"{counts['right']} of {expected} spans arrived as they were made")
                for name, microseconds in took.items():
                    result[name].append(microseconds)
                on_round()
    # The first round warmed up.
    return {name: values[1:] for name, values in result.items()}


def added(result: dict[str, list[float]], name: str) -> list[float]:
    """Give what a processor adds to the making of a span, in microseconds, round by round."""
    return [own - bare for own, bare in zip(result[name], result[NONE], strict=True)]
