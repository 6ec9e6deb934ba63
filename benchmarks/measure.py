"""Side-by-side measurement: rivals take turns on the same items, so that what disturbs one disturbs all.

**The answer first.** Before anything is timed, every engine encodes the workload, twice, and its bytes must be those of
the official encoder; a wrong answer ends the run.

**Rounds.** In each round every engine gives one sample, in an order shuffled anew. A sample repeats the encoding until
it takes about `SAMPLE_SECONDS`, after one batch that is not timed and brings items and code back into the caches, for
every engine alike. A workload of many batches encodes them in turn, and then the items are not in the caches. A ratio
is formed within a round, from samples that lie a fraction of a second apart; what is claimed is the median over the
rounds, and its quartiles say how far to trust it.

**CPU time.** Encoding waits for nothing, so its price is the CPU time of the process, with all its threads, so that
work handed to a thread counts too. On a shared machine that is the steadier figure: time in which another process had
the core does not count. Wall time is kept beside it; on an idle machine the two agree.

**Garbage collection** runs as in a service: enabled, after a full collection, which is not timed. The same rounds with
the collector off are measured too (`gc_enabled=False`), to see how much of a difference it makes.

Why not the least time of many, as timeit advises: on a shared machine the minimum picks for each rival the one moment
when its neighbours slept, and those moments are not the same ones.
"""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from benchmarks.engines import OFFICIAL, Engine
from benchmarks.workloads.workload import Batch

SAMPLE_SECONDS = 0.012
"""CPU time that a sample takes at least, in seconds; one repetition may take longer."""

ROUNDS = 25
"""Rounds for a figure that is published."""


Work = Callable[[], object]
"""What is timed by itself, apart from the engines."""


class WrongAnswerError(AssertionError):
    """An engine gave other bytes than the official encoder: its speed means nothing."""


def require(is_right: bool, what: str) -> None:
    """End the run over a wrong answer."""
    if not is_right:
        raise WrongAnswerError(what)


def cpu_seconds(work: Work) -> float:
    """Time one call."""
    gc.collect()
    start = time.process_time()
    kept = work()
    taken = time.process_time() - start
    del kept  # giving memory back is not part of the work
    return taken


@dataclass(frozen=True)
class Spread:
    """Where the values of a series lie."""

    median: float
    lower_quartile: float
    upper_quartile: float
    least: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Summarise a series."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0], values[0])
        lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, lower, upper, min(values))


@dataclass
class Samples:
    """What one engine took, round by round, in microseconds per item."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Comparison:
    """All samples of one workload: `samples[engine]`, the lists in step, one entry per round.

    `items` and `encoded_bytes` are those of one repetition: all batches together.
    """

    items: int
    encoded_bytes: int
    gc_enabled: bool
    repetitions: dict[str, int]
    samples: dict[str, Samples]

    def ratios(self, engine: str) -> list[float]:
        """How many times less CPU time than the official encoder `engine` took, in each round."""
        pairs = zip(self.samples[OFFICIAL].cpu, self.samples[engine].cpu, strict=True)
        return [official / own for official, own in pairs]


def checked_answer(engines: Iterable[Engine], batch: Batch) -> bytes:
    """Give the request that all engines agree on.

    Raises:
        WrongAnswerError: an engine gave other bytes than the official one.
    """
    listed = list(engines)
    expected = bytes(next(engine for engine in listed if engine.name == OFFICIAL).encode(batch.content))
    for engine in listed:
        # Twice: caches that the first call fills must not change the second answer.
        for attempt in ("first", "second"):
            answer = bytes(engine.encode(batch.content))
            if answer != expected:
                raise WrongAnswerError(f"{engine.name}, {attempt} call: {difference(answer, expected)}")
    return expected


def difference(answer: bytes, expected: bytes) -> str:
    """Say where two answers part."""
    pairs = enumerate(zip(answer, expected, strict=False))
    offset = next((offset for offset, (own, right) in pairs if own != right), min(len(answer), len(expected)))
    return f"{len(answer)} bytes instead of {len(expected)}, different from offset {offset} on"


def compare(
    engines: Sequence[Engine],
    batches: Sequence[Batch],
    *,
    rounds: int = ROUNDS,
    gc_enabled: bool = True,
    sample_seconds: float = SAMPLE_SECONDS,
    seed: int = 0,
    on_round: Callable[[], None] = lambda: None,
) -> Comparison:
    """Check all engines on all batches, then measure them side by side.

    Raises:
        WrongAnswerError: before anything is timed.
    """
    encoded_bytes = sum(len(checked_answer(engines, batch)) for batch in batches)
    repetitions = {engine.name: repetitions_for(engine, batches, sample_seconds) for engine in engines}
    comparison = Comparison(
        items=sum(batch.items for batch in batches),
        encoded_bytes=encoded_bytes,
        gc_enabled=gc_enabled,
        repetitions=repetitions,
        samples={engine.name: Samples() for engine in engines},
    )
    random = Random(seed)
    order = list(engines)
    for _ in range(rounds):
        random.shuffle(order)
        for engine in order:
            cpu, wall = sample(engine, batches, repetitions[engine.name], gc_enabled=gc_enabled)
            comparison.samples[engine.name].cpu.append(cpu)
            comparison.samples[engine.name].wall.append(wall)
        on_round()
    return comparison


def repetitions_for(engine: Engine, batches: Sequence[Batch], seconds: float) -> int:
    """How often `engine` must encode all batches to be busy for so long."""
    repetitions = 1
    while True:
        start = time.process_time()
        encode_repeatedly(engine, batches, repetitions)
        elapsed = time.process_time() - start
        if elapsed >= seconds / 4:
            return max(1, math.ceil(repetitions * seconds / elapsed))
        repetitions *= 4


def sample(engine: Engine, batches: Sequence[Batch], repetitions: int, *, gc_enabled: bool) -> tuple[float, float]:
    """Time one sample: CPU time and wall time, both in microseconds per item."""
    gc.collect()
    with garbage_collection(enabled=gc_enabled):
        engine.encode(batches[0].content)
        wall = time.perf_counter_ns()
        cpu = time.process_time_ns()
        encode_repeatedly(engine, batches, repetitions)
        cpu = time.process_time_ns() - cpu
        wall = time.perf_counter_ns() - wall
    encoded = repetitions * sum(batch.items for batch in batches) * 1_000
    return cpu / encoded, wall / encoded


def encode_repeatedly(engine: Engine, batches: Sequence[Batch], repetitions: int) -> None:
    """Encode all batches so many times: what is timed."""
    encode = engine.encode
    for _ in range(repetitions):
        for batch in batches:
            encode(batch.content)


@contextmanager
def garbage_collection(*, enabled: bool) -> Iterator[None]:
    """Switch the collector on or off, and back afterwards."""
    before = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        yield
    finally:
        (gc.enable if before else gc.disable)()
