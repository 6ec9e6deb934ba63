"""A figure that is to be measured: what it is called while one waits, and how to get it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from otlp_fast.bench.batch import Batch
from otlp_fast.bench.effort import Effort
from otlp_fast.bench.figures import Encodings, Pair
from otlp_fast.bench.measure import BatchWork, take_turns

OURS, THEIRS = "otlp_fast", "rival"

OnRound: TypeAlias = Callable[[], None]
"""Told of each round that is done."""


@dataclass(frozen=True)
class Step:
    """One figure, or more that come of the same rounds."""

    part: str
    title: str
    measure: Callable[[OnRound], list[Pair | Encodings]]
    """Checks the answers, then measures.

    Raises WrongAnswerError where they differ, and RivalError where a rival has none.
    """


def measured_pair(
    works: Mapping[str, BatchWork], batches: Sequence[Batch], effort: Effort, on_round: OnRound, **named: Any
) -> Pair:
    """Measure `OURS` and `THEIRS`, whose answers were checked; `named` as in `Pair.of`."""
    comparison = take_turns(
        works,
        batches,
        rounds=effort.rounds,
        seconds=effort.seconds,
        sample_seconds=effort.sample_seconds,
        on_round=on_round,
    )
    return Pair.of(comparison, OURS, THEIRS, **named)
