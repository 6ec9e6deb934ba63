"""How much is measured: what is found within a time that one likes to wait."""

from __future__ import annotations

from dataclasses import dataclass

from otlp_fast.bench.batch import ITEMS
from otlp_fast.bench.measure import ROUNDS, SAMPLE_SECONDS


@dataclass(frozen=True)
class Effort:
    """The limits of a run. Each figure ends with its last round or with its time, whichever comes first."""

    rounds: int
    seconds: float
    """Wall time for the rounds of one figure."""
    workloads: tuple[str, ...]
    """Names of made-up workloads that are encoded."""
    requests: int
    """Made-up requests of a stream that is read and compressed."""
    file_items: int
    """Items of a file that are taken, of each signal."""
    items: int = ITEMS
    """Made-up items of a batch."""
    file_bytes: int = 64 * 1024 * 1024
    """Bytes of a file's requests that are taken, of each signal."""
    sample_seconds: float = SAMPLE_SECONDS
    json_items: int = 512
    """Items that are turned into JSON and back: the rival takes most of a millisecond for two."""


FULL = Effort(
    rounds=ROUNDS,
    seconds=5.0,
    workloads=("web", "cold", "wide", "error", "requests", "structured", "histograms", "counters"),
    requests=24,
    file_items=6_144,
)
"""Two to three minutes on a machine of today."""

QUICK = Effort(
    rounds=5,
    seconds=0.5,
    workloads=("web", "requests", "histograms"),
    requests=4,
    file_items=1_024,
    sample_seconds=0.004,
    json_items=128,
)
"""About twenty seconds: the same figures, less sure."""
