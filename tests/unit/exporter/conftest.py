"""Fixtures for the exporter's tests: a clean environment, a receiver, exporters that talk to it, and spans."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from otlp_fast.exporter import grpc as grpc_exporter
from otlp_fast.exporter import log_lines, retry
from otlp_fast.exporter.http import OTLPSpanExporter
from scripted_grpc_receiver import GRPCReceiver
from scripted_receiver import Receiver
from telemetry import make_spans
from tracezip_receiver import TracezipReceiver


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what the surroundings may have set, and make waits short."""
    for name in list(os.environ):
        if name.startswith("OTEL_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 0.01)


@pytest.fixture(autouse=True)
def every_lost_batch_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests look at log lines, so none is held back."""
    monkeypatch.setattr(log_lines, "LOSS_LINE_SECONDS", 0.0)


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
def full_backlog() -> Iterator[int]:
    """A port whose queue of connections is full, so that connecting hangs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex(listener.getsockname())
            waiting.append(connection)
        time.sleep(0.05)
        yield listener.getsockname()[1]
        for connection in waiting:
            connection.close()


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
        exporter._client.close()


@pytest.fixture
def exporter(make_exporter: Callable[..., OTLPSpanExporter]) -> OTLPSpanExporter:
    return make_exporter()


@pytest.fixture
def grpc_receiver() -> Iterator[GRPCReceiver]:
    running = GRPCReceiver()
    yield running
    running.close()


@pytest.fixture
def make_grpc_exporter(grpc_receiver: GRPCReceiver) -> Iterator[Callable[..., grpc_exporter.OTLPSpanExporter]]:
    """Make exporters to `grpc_receiver`, shut down at the end of the test."""
    made: list[grpc_exporter.OTLPSpanExporter] = []

    def make(**arguments: Any) -> grpc_exporter.OTLPSpanExporter:
        exporter = grpc_exporter.OTLPSpanExporter(**{"endpoint": grpc_receiver.url, "timeout": 10, **arguments})
        made.append(exporter)
        return exporter

    yield make
    for exporter in made:
        exporter._client.close()


@pytest.fixture(name="make_spans", scope="session")
def give_make_spans() -> Callable[..., list[ReadableSpan]]:
    return make_spans


@pytest.fixture
def spans() -> list[ReadableSpan]:
    return make_spans(3)


@pytest.fixture
def peer(receiver: Receiver) -> TracezipReceiver:
    """What `receiver` answers behind its script."""
    peer = TracezipReceiver()
    receiver.always(peer)
    return peer
