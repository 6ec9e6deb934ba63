"""Fixtures of the fault tests: a clean environment, short waits, and feeds that are shut down in the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otlp_fast.exporter import grpc, http, log_lines, retry
from tests.faults.telemetry import Feed, processor_for

EXPORTERS = {"traces": "OTLPSpanExporter", "logs": "OTLPLogExporter", "metrics": "OTLPMetricExporter"}

ROUTES = [(signal, "exporter") for signal in EXPORTERS] + [("traces", "processor"), ("logs", "processor")]
"""Every signal and every way to the receiver; metrics have no processor."""

MakeFeed = Callable[..., Feed]

_PROCESSOR_ARGUMENTS = ("max_queue_size", "schedule_delay_millis", "max_export_batch_size", "max_queue_bytes")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what the surroundings may have set, make waits short, and hold back no log line."""
    for name in list(os.environ):
        if name.startswith("OTEL_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 0.002)
    monkeypatch.setattr(log_lines, "LOSS_LINE_SECONDS", 0.0)


@pytest.fixture(autouse=True)
def nothing_unexpected(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No fault of a receiver is an exception that nobody thought of: those are logged with their traceback."""
    yield
    own = [record for record in caplog.get_records("call") if record.name.startswith("otlp_fast")]
    assert not [record.getMessage() for record in own if record.exc_info]


@pytest.fixture
def make_feed() -> Iterator[MakeFeed]:
    """Make feeds to receivers: `make_feed(receiver, "traces", "processor", timeout=1)`."""
    feeds: list[Feed] = []

    def make(receiver: Any, signal: str = "traces", way: str = "exporter", **arguments: Any) -> Feed:
        limits = {name: arguments.pop(name) for name in list(arguments) if name in _PROCESSOR_ARGUMENTS}
        transport = {"http": http, "grpc": grpc}[receiver.transport]
        exporter = getattr(transport, EXPORTERS[signal])(**{"endpoint": receiver.endpoint(signal), **arguments})
        # The processor sends when it is told to: what is in which request is for the test to say.
        limits = {"schedule_delay_millis": 60_000, **limits}
        feeds.append(Feed(signal, exporter, processor_for(signal, exporter, **limits) if way == "processor" else None))
        return feeds[-1]

    yield make
    for feed in feeds:
        feed.shutdown(5000)
