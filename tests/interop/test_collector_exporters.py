"""Every exporter and every encoding, straight to a Collector: it writes what was sent, item by item."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import pytest

from otlp_fast import compat
from otlp_fast._core import count_items
from tests.faults.conftest import EXPORTERS
from tests.interop.comparison import assert_the_same
from tests.interop.conftest import MakeCollector, Written
from tests.interop.peer import SIGNALS, Collector
from tests.interop.sending import PROCESSORS, exporter_to, send_everything

ROUTES = [
    *(("http", encoding) for encoding in ("none", "gzip", "zstd", "lz4")),
    *(("grpc", encoding) for encoding in ("none", "gzip")),
]
"""What the Collector takes, of what our exporters offer."""

OFFICIAL_MODULES = {"traces": "trace_exporter", "logs": "_log_exporter", "metrics": "metric_exporter"}


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
    collector = make_collector(writes_at_once=False)
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
