"""What a workload is: a named recipe, carried out by the real SDK, that gives the same bytes in every run.

What would differ between runs comes from a seeded generator (`Seeded`): ids, times, names and values. Attribute keys
are the same few objects in every item, as constants of an instrumentation library are; values are objects of their own
(`fresh`), as those are that arrive with a request. An encoder that kept a cache by the identity of values would gain
nothing here, and should not: it would gain nothing in a service.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from otlp_fast.bench.batch import ITEMS, Batch, Signal

FIRST_TIME_NS = 1_750_000_000_000_000_000


class Recorder(Protocol):
    """Where the telemetry that a recipe makes ends up."""

    def batches(self, number: int) -> list[Batch]:
        """Give what was recorded, in so many batches."""


@dataclass(frozen=True)
class Workload:
    """A named recipe."""

    signal: Signal
    name: str
    description: str
    recorder: Callable[[str], Recorder]
    fill: Callable[[Any, int], None]
    """Makes so many items, given a recorder."""
    batches: int = 1
    """How many different batches are encoded in turn: with many, items have left the processor's caches when their turn
    comes again."""

    def build_batches(self, count: int = ITEMS) -> list[Batch]:
        """Make all batches, of `count` items each: always new objects, always the same content."""
        recorder = self.recorder(self.name)
        self.fill(recorder, count * self.batches)
        return recorder.batches(self.batches)

    def build(self, count: int = ITEMS) -> Batch:
        """Make one batch."""
        recorder = self.recorder(self.name)
        self.fill(recorder, count)
        return recorder.batches(1)[0]


class Seeded:
    """What makes a recorder reproducible: generator, ids, clock."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)
        self._now = FIRST_TIME_NS

    def generate_span_id(self) -> int:
        """Give a span id that is not 0."""
        return self.random.getrandbits(64) or 1

    def generate_trace_id(self) -> int:
        """Give a trace id that is not 0."""
        return self.random.getrandbits(128) or 1

    def tick(self) -> int:
        """Let up to a millisecond pass, and give the time (ns since the epoch)."""
        self._now += self.random.randrange(1_000, 1_000_000)
        return self._now

    def moment(self, least: int = 1_000, most: int = 50_000) -> int:
        """Give a time (ns since the epoch) shortly after the last `tick`."""
        return self._now + self.random.randrange(least, most)

    def elsewhere(self, *, remote: bool, trace_state: TraceState | None = None) -> SpanContext:
        """Give the context of a sampled span that is not among ours: a parent, the target of a link, a request."""
        sampled = TraceFlags(TraceFlags.SAMPLED)
        return SpanContext(self.generate_trace_id(), self.generate_span_id(), remote, sampled, trace_state)

    def hex(self, digits: int) -> str:
        """Give a random id as a service would print it."""
        return f"{self.random.getrandbits(digits * 4):0{digits}x}"

    def prose(self, words: list[str], least_characters: int) -> str:
        """Give a text of random words, at least so many characters long."""
        chosen: list[str] = []
        length = 0
        while length < least_characters:
            chosen.append(self.random.choice(words))
            length += len(chosen[-1]) + 1
        return " ".join(chosen)


class ItemRecorder(Seeded):
    """Collects items one by one."""

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self.items: list[Any] = []

    def batches(self, number: int) -> list[Batch]:
        """Give what was recorded; items that were made one after the other are in different batches."""
        parts = [self.items[first::number] for first in range(number)]
        return [Batch(part, len(part)) for part in parts]


def within(span: SpanContext | None) -> Context:
    """Give the context in which `span` is the current one."""
    return set_span_in_context(NonRecordingSpan(span)) if span else Context()


def fresh(value: str) -> str:
    """Give an equal str that is an object of its own."""
    return value.encode().decode()
