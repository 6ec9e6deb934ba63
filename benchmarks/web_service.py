"""A service that makes one web span per request: the shape of the workload `web`, at the pace of the wall clock.

The content of the span of request N follows from N alone (`expected_span`), so a receiver can check each one that it
gets.
"""

from __future__ import annotations

import time
from functools import cache
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanContext, SpanKind

from otlp_fast.bench.workloads.shop import request_attributes, service
from otlp_fast.bench.workloads.workload import Seeded, within

KINDS_OF_REQUESTS = 500

SECONDS_PER_TICK = 0.002
"""Requests come in bunches this far apart: a sleep between any two would cost more than the span."""


@cache
def kinds_of_requests() -> list[tuple[str, dict[str, Any], SpanContext | None]]:
    """Give span name, attributes and remote parent of different requests; two in three have a parent."""
    seeded = Seeded("web service")
    return [
        (*request_attributes(seeded), seeded.elsewhere(remote=True) if seeded.random.randrange(3) else None)
        for _ in range(KINDS_OF_REQUESTS)
    ]


def path_of(number: int) -> str:
    """Give the URL path of a request, by which its span is known again."""
    return f"/requests/{number}"


def expected_span(number: int) -> tuple[str, dict[str, Any], int]:
    """Give name, attributes and the id of the parent (0 for none) that the span of a request has."""
    name, attributes, parent = kinds_of_requests()[number % KINDS_OF_REQUESTS]
    return name, attributes | {"url.path": path_of(number)}, parent.span_id if parent else 0


class WebService:
    """Handles numbered requests, one after the other."""

    def __init__(self, processor: SpanProcessor | None, first_number: int = 0) -> None:
        self.provider = TracerProvider(sampler=ALWAYS_ON, resource=service("storefront"), shutdown_on_exit=False)
        if processor is not None:
            self.provider.add_span_processor(processor)
        self._next = first_number
        self._tracer = self.provider.get_tracer("opentelemetry.instrumentation.flask", "0.66b0")
        self._kinds: list[tuple[str, dict[str, Any], Context]] = [
            (name, attributes, within(parent)) for name, attributes, parent in kinds_of_requests()
        ]

    def handle(self, count: int) -> None:
        """Handle so many requests as fast as possible."""
        start_span, kinds, server = self._tracer.start_span, self._kinds, SpanKind.SERVER
        for number in range(self._next, self._next + count):
            name, attributes, context = kinds[number % KINDS_OF_REQUESTS]
            start_span(name, context, server, attributes | {"url.path": path_of(number)}).end()
        self._next += count

    def handle_steadily(self, per_second: int, seconds: float) -> int:
        """Handle requests at a steady rate, and say how many. Where the machine was late, it catches up."""
        ticks, per_tick = round(seconds / SECONDS_PER_TICK), round(per_second * SECONDS_PER_TICK)
        due = time.monotonic()
        for _ in range(ticks):
            self.handle(per_tick)
            due += SECONDS_PER_TICK
            time.sleep(max(0.0, due - time.monotonic()))
        return ticks * per_tick
