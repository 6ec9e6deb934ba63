"""Fixtures for the processors' tests: a clean environment, processors that end with the test, and spans."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from otlp_fast.exporter import log_lines
from otlp_fast.processor import BatchLogRecordProcessor, BatchSpanProcessor
from tests.unit.exporter.scripted_receiver import Receiver
from tests.unit.processor.memory_exporter import MemoryLogExporter, MemorySpanExporter


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what the surroundings may have set."""
    for name in list(os.environ):
        if name.startswith("OTEL_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def every_loss_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold no log line back."""
    monkeypatch.setattr(log_lines, "LOSS_LINE_SECONDS", 0.0)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()


@pytest.fixture
def exporter() -> MemorySpanExporter:
    return MemorySpanExporter()


@pytest.fixture
def log_exporter() -> MemoryLogExporter:
    return MemoryLogExporter()


@pytest.fixture
def make_processor(exporter: MemorySpanExporter) -> Iterator[Callable[..., BatchSpanProcessor]]:
    """Make processors that send to `exporter` unless told otherwise, and whose worker ends with the test."""
    made: list[BatchSpanProcessor] = []

    def make(span_exporter: Any = exporter, **arguments: Any) -> BatchSpanProcessor:
        processor = BatchSpanProcessor(span_exporter, **arguments)
        made.append(processor)
        return processor

    yield make
    exporter.open.set()
    for processor in made:
        processor.shutdown()


@pytest.fixture
def make_log_processor(log_exporter: MemoryLogExporter) -> Iterator[Callable[..., BatchLogRecordProcessor]]:
    made: list[BatchLogRecordProcessor] = []

    def make(exporter: Any = log_exporter, **arguments: Any) -> BatchLogRecordProcessor:
        processor = BatchLogRecordProcessor(exporter, **arguments)
        made.append(processor)
        return processor

    yield make
    log_exporter.open.set()
    for processor in made:
        processor.shutdown()


@pytest.fixture(scope="session")
def make_spans() -> Callable[..., list[ReadableSpan]]:
    """Make finished spans, `0`, `1` and so on."""

    def make(count: int, size: int = 10, first: int = 0) -> list[ReadableSpan]:
        tracer = TracerProvider().get_tracer("tests")
        spans = []
        for number in range(first, first + count):
            span = tracer.start_span(str(number), attributes={"padding": "x" * size})
            span.end()
            spans.append(span)
        return spans  # type: ignore[return-value]

    return make
