"""How tests hold a processor in a state and look at it."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from otlp_fast.processor import BatchSpanProcessor
from tests.unit.processor.memory_exporter import PATIENCE, MemorySpanExporter

LOGGER = "otlp_fast.processor"


def assert_nothing_is_missing(processor: BatchSpanProcessor, given: int) -> None:
    """Check the equations that `stats()` promises."""
    stats = processor.stats()
    assert given == sum(
        stats[name] for name in ("accepted", "dropped_queue_full", "refused_by_encoder", "after_shutdown")
    )
    assert stats["accepted"] == sum(
        stats[name] for name in ("handed_to_exporter", "queued_items", "dropped_at_shutdown")
    )


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Give the log lines of processors."""
    return [record.getMessage() for record in caplog.records if record.name == LOGGER]


def hold_worker(processor: BatchSpanProcessor, exporter: MemorySpanExporter, batch: list[ReadableSpan]) -> None:
    """Have the worker wait in the exporter, as it does when the receiver hangs, with `batch` in its hands."""
    exporter.open.clear()
    while exporter.arrived.acquire(blocking=False):
        pass  # requests of before
    for span in batch:
        processor.on_end(span)
    assert exporter.arrived.acquire(timeout=PATIENCE)
