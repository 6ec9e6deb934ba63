"""What is measured on: objects of the SDK, which are encoded, and requests, which are read and compressed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import otlp_fast
from otlp_fast._core import split_request
from otlp_fast.bench.batch import ITEM, Batch, Signal


@dataclass(frozen=True)
class Encodable:
    """Telemetry as an exporter is given it."""

    name: str
    signal: Signal
    build: Callable[[], list[Batch]]
    """Makes the objects anew. They are let go of when they are measured, for the sake of the collector's next runs."""


@dataclass(frozen=True)
class Stream:
    """Requests of one signal, in the order in which a sender sends them."""

    name: str
    signal: Signal
    requests: list[bytes]

    @property
    def items(self) -> int:
        """How many spans, log records or data points they have together."""
        return sum(otlp_fast.count(request, self.signal) for request in self.requests)

    @property
    def item(self) -> str:
        """What one of them is called."""
        return ITEM[self.signal]

    def some(self, items: int) -> Stream:
        """Give about so many items: requests that lie evenly over all, or a part of one."""
        requests = self.requests[:: max(1, round(self.items / items))]
        if len(requests) == 1:
            requests = [split_request(requests[0], self.signal, max_items=items)[0][0]]
        return Stream(self.name, self.signal, requests)

    def batches(self) -> list[Batch]:
        """Give each request by itself."""
        return [Batch(request, otlp_fast.count(request, self.signal)) for request in self.requests]

    def whole(self) -> list[Batch]:
        """Give all requests as one batch."""
        return [Batch(self.requests, self.items)]


@dataclass(frozen=True)
class Telemetry:
    """Everything that is measured on, and what is to be said of it."""

    source: dict[str, Any]
    """Where it is from, for the record."""
    encodable: list[Encodable]
    streams: list[Stream]
    processed: Callable[[], list[Batch]] | None
    """Makes batches of spans that end in a processor; None where there are no spans."""
    notes: list[str] = field(default_factory=list)
    """What differs from what was asked for, one line each."""
