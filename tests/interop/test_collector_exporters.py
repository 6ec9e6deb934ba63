"""Every exporter and every encoding, straight to a Collector: it writes what was sent, item by item."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, SimpleLogRecordProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

from otlp_fast import compat, processor
from otlp_fast._core import count_items
from otlp_fast.exporter import grpc, http
from tests.faults.conftest import EXPORTERS
from tests.interop.comparison import assert_the_same
from tests.interop.conftest import MakeCollector, Written
from tests.interop.peer import SIGNALS, Collector
from tests.interop.telemetry import emit_log_records, emit_spans, record_metrics

ROUTES = [
    *(("http", encoding) for encoding in ("none", "gzip", "zstd", "lz4")),
    *(("grpc", encoding) for encoding in ("none", "gzip")),
]
"""What the Collector takes, of what our exporters offer."""

OFFICIAL_MODULES = {"traces": "trace_exporter", "logs": "_log_exporter", "metrics": "metric_exporter"}

PROCESSORS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("traces", "ours"): processor.BatchSpanProcessor,
    ("traces", "SDK's batch"): BatchSpanProcessor,
    ("traces", "SDK's simple"): SimpleSpanProcessor,
    ("logs", "ours"): processor.BatchLogRecordProcessor,
    ("logs", "SDK's batch"): BatchLogRecordProcessor,
    ("logs", "SDK's simple"): SimpleLogRecordProcessor,
}


def exporter_to(collector: Collector, transport: str, signal: str, **arguments: Any) -> Any:
    """One of our exporters, to a Collector."""
    endpoint = f"{collector.http}/v1/{signal}" if transport == "http" else f"http://{collector.grpc}"
    return getattr({"http": http, "grpc": grpc}[transport], EXPORTERS[signal])(endpoint=endpoint, **arguments)


def send_everything(signal: str, exporter: Any, way: str = "ours") -> list[bytes]:
    """Send telemetry with all that the SDK can say, and give it as requests; the exporter is shut down then."""
    if signal == "metrics":
        return record_metrics(exporter)
    through = PROCESSORS[signal, way](exporter)
    emit = emit_spans if signal == "traces" else emit_log_records
    sent = emit(through)
    through.force_flush()
    through.shutdown()
    return sent


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize(("transport", "encoding"), ROUTES)
def test_what_an_exporter_sends_is_what_the_collector_writes(
    collector: Collector, written: Written, transport: str, encoding: str, signal: str
) -> None:
    exporter = exporter_to(collector, transport, signal, compression=encoding)
    sent = send_everything(signal, exporter)
    assert_the_same(signal, sent, written(signal))
    stats = exporter.stats()
    assert stats.pop("exported") == sum(count_items(request, signal) for request in sent)
    assert not any(stats.values())


@pytest.mark.parametrize(("signal", "way"), [key for key in PROCESSORS if key[1] != "ours"])
@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_in_the_processors_of_the_sdk_too(
    collector: Collector, written: Written, transport: str, signal: str, way: str
) -> None:
    sent = send_everything(signal, exporter_to(collector, transport, signal), way)
    assert_the_same(signal, sent, written(signal))


@pytest.fixture
def encoded_by_us() -> Iterator[None]:
    """The official exporters have our encoder."""
    swapped = compat.use_in_official_exporters()
    yield
    swapped.undo()


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("encoding", ["none", "gzip", "deflate"])
def test_official_exporters_with_our_encoder(
    collector: Collector, written: Written, encoded_by_us: None, encoding: str, signal: str
) -> None:
    official = import_module(f"opentelemetry.exporter.otlp.proto.http.{OFFICIAL_MODULES[signal]}")
    algorithm = import_module("opentelemetry.exporter.otlp.proto.http").Compression(encoding)
    exporter = getattr(official, EXPORTERS[signal])(f"{collector.http}/v1/{signal}", compression=algorithm)
    sent = send_everything(signal, exporter, "SDK's batch")
    assert_the_same(signal, sent, written(signal))


@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_a_collector_that_batches_joins_requests_and_changes_nothing(
    make_collector: MakeCollector, transport: str
) -> None:
    collector = make_collector()
    sent = {
        signal: [
            request
            for _ in range(3)
            for request in send_everything(signal, exporter_to(collector, transport, signal, compression="gzip"))
        ]
        for signal in SIGNALS
    }
    collector.stop()
    for signal, requests in sent.items():
        assert_the_same(signal, requests, collector.written(signal))


@pytest.mark.parametrize("encoding", ["zstd", "lz4", "tracezip"])
def test_grpc_offers_nothing_that_collectors_do_not_know(collector: Collector, encoding: str) -> None:
    with pytest.raises(ValueError, match=f"compression.*{encoding}"):
        exporter_to(collector, "grpc", "traces", compression=encoding)
