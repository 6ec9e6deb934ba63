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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, TypeAlias

from otlp_fast.bench.batch import Batch
from otlp_fast.bench.engines import OFFICIAL, Engine

SAMPLE_SECONDS = 0.012
"""CPU time that a sample takes at least, in seconds; one repetition may take longer."""

ROUNDS = 25
"""Rounds for a figure that is published."""

LEAST_ROUNDS = 3
"""Rounds that are made whatever time they take: fewer have no quartiles."""

BatchWork: TypeAlias = Callable[[Any], object]
"""What is timed: takes the content of a batch."""

Work: TypeAlias = Callable[[], object]
"""What is timed by itself, once."""


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

    `items` and `encoded_bytes` are those of one repetition: all batches together; without encoding, there are no bytes.
    """

    items: int
    encoded_bytes: int
    gc_enabled: bool
    repetitions: dict[str, int]
    samples: dict[str, Samples]

    def ratios(self, engine: str, rival: str = OFFICIAL) -> list[float]:
        """How many times less CPU time than `rival` the engine took, in each round."""
        pairs = zip(self.samples[rival].cpu, self.samples[engine].cpu, strict=True)
        return [others / own for others, own in pairs]


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
    seconds: float = math.inf,
    seed: int = 0,
    on_round: Callable[[], None] = lambda: None,
) -> Comparison:
    """Check all engines on all batches, then measure them side by side; `seconds` as in `take_turns`.

    Raises:
        WrongAnswerError: before anything is timed.
    """
    encoded_bytes = sum(len(checked_answer(engines, batch)) for batch in batches)
    comparison = take_turns(
        {engine.name: engine.encode for engine in engines},
        batches,
        rounds=rounds,
        gc_enabled=gc_enabled,
        sample_seconds=sample_seconds,
        seconds=seconds,
        seed=seed,
        on_round=on_round,
    )
    return replace(comparison, encoded_bytes=encoded_bytes)


def take_turns(
    works: Mapping[str, BatchWork],
    batches: Sequence[Batch],
    *,
    rounds: int = ROUNDS,
    gc_enabled: bool = True,
    sample_seconds: float = SAMPLE_SECONDS,
    seconds: float = math.inf,
    seed: int = 0,
    on_round: Callable[[], None] = lambda: None,
) -> Comparison:
    """Measure works side by side, by their names; what they answer was checked before.

    No round is begun once `seconds` of wall time have passed, but for the first `LEAST_ROUNDS`.
    """
    end = time.monotonic() + seconds
    repetitions = {name: repetitions_for(work, batches, sample_seconds) for name, work in works.items()}
    comparison = Comparison(
        items=sum(batch.items for batch in batches),
        encoded_bytes=0,
        gc_enabled=gc_enabled,
        repetitions=repetitions,
        samples={name: Samples() for name in works},
    )
    random = Random(seed)
    order = list(works)
    for done in range(rounds):
        if done >= LEAST_ROUNDS and time.monotonic() >= end:
            break
        random.shuffle(order)
        for name in order:
            cpu, wall = sample(works[name], batches, repetitions[name], gc_enabled=gc_enabled)
            comparison.samples[name].cpu.append(cpu)
            comparison.samples[name].wall.append(wall)
        on_round()
    return comparison


def repetitions_for(work: BatchWork, batches: Sequence[Batch], seconds: float) -> int:
    """How often `work` must be done on all batches to be busy for so long."""
    repetitions = 1
    while True:
        start = time.process_time()
        work_repeatedly(work, batches, repetitions)
        elapsed = time.process_time() - start
        if elapsed >= seconds / 4:
            return max(1, math.ceil(repetitions * seconds / elapsed))
        repetitions *= 4


def sample(work: BatchWork, batches: Sequence[Batch], repetitions: int, *, gc_enabled: bool) -> tuple[float, float]:
    """Time one sample: CPU time and wall time, both in microseconds per item."""
    gc.collect()
    with garbage_collection(enabled=gc_enabled):
        work(batches[0].content)
        wall = time.perf_counter_ns()
        cpu = time.process_time_ns()
        work_repeatedly(work, batches, repetitions)
        cpu = time.process_time_ns() - cpu
        wall = time.perf_counter_ns() - wall
    done = repetitions * sum(batch.items for batch in batches) * 1_000
    return cpu / done, wall / done


def work_repeatedly(work: BatchWork, batches: Sequence[Batch], repetitions: int) -> None:
    """Do the work on all batches so many times: what is timed."""
    for _ in range(repetitions):
        for batch in batches:
            work(batch.content)


@contextmanager
def garbage_collection(*, enabled: bool) -> Iterator[None]:
    """Switch the collector on or off, and back afterwards."""
    before = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        yield
    finally:
        (gc.enable if before else gc.disable)()
