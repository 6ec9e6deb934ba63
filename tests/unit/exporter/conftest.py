"""Fixtures for the exporter's tests: a clean environment, a receiver, exporters that talk to it, and spans."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otlp_fast.exporter import retry
from otlp_fast.exporter.http import OTLPSpanExporter
from scripted_receiver import Receiver


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what the surroundings may have set, and make waits short."""
    for name in list(os.environ):
        if name.startswith("OTEL_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 0.01)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def make_exporter(receiver: Receiver) -> Iterator[Callable[..., OTLPSpanExporter]]:
    """Make exporters to `receiver`, shut down at the end of the test."""
    made: list[OTLPSpanExporter] = []

    def make(**arguments: Any) -> OTLPSpanExporter:
        exporter = OTLPSpanExporter(**{"endpoint": receiver.url, "timeout": 10, **arguments})
        made.append(exporter)
        return exporter

    yield make
    for exporter in made:
        exporter._client.shutdown()


@pytest.fixture
def exporter(make_exporter: Callable[..., OTLPSpanExporter]) -> OTLPSpanExporter:
    return make_exporter()


@pytest.fixture(scope="session")
def make_spans() -> Callable[[int], list[ReadableSpan]]:
    """Make finished spans with the SDK."""

    def make(count: int, size: int = 10) -> list[ReadableSpan]:
        memory = InMemorySpanExporter()
        provider = TracerProvider(resource=Resource({"service.name": "exporter-tests"}))
        provider.add_span_processor(SimpleSpanProcessor(memory))
        tracer = provider.get_tracer("tests")
        for number in range(count):
            with tracer.start_as_current_span(f"span {number}") as span:
                span.set_attribute("padding", "x" * size)
        return list(memory.get_finished_spans())

    return make


@pytest.fixture
def spans(make_spans: Callable[[int], list[ReadableSpan]]) -> list[ReadableSpan]:
    return make_spans(3)
