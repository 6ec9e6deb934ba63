"""Every exporter and every encoding, to a Collector: it writes what was sent, item by item."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module

import pytest

from otlp_fast import compat
from otlp_fast._core import count_items
from tests.faults.conftest import EXPORTERS
from tests.interop.comparison import assert_the_same
from tests.interop.conftest import MakeCollector, Written
from tests.interop.differences import as_read_from_json
from tests.interop.peer import SIGNALS, Collector
from tests.interop.sending import PROCESSORS, everything, exporter_to, post_json, send_everything
from tests.request_items import messages_of
from tests.unit.gateway.gateway_process import GatewayProcess

ROUTES = [
    *(("http", encoding) for encoding in ("none", "gzip", "zstd", "lz4")),
    *(("grpc", encoding) for encoding in ("none", "gzip")),
]
"""What the Collector takes, of what our exporters offer."""

SHOWN = {
    "traces": ("spans", "name", " {4}Name {11}: "),
    "logs": ("log records", "severity_text", "SeverityText: "),
    "metrics": ("data points", "name", " {5}-> Name: "),
}
"""What the debug exporter says of each signal: what it counts, and a field of each item with what stands before it."""

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
@pytest.mark.parametrize("to", ["http", "grpc", "gateway"])
def test_in_the_processors_of_the_sdk_too(
    collector: Collector, gateway: GatewayProcess, written: Written, to: str, signal: str, way: str
) -> None:
    if to == "gateway":
        exporter = exporter_to(gateway, "http", signal, compression="tracezip")
    else:
        exporter = exporter_to(collector, to, signal)
    sent = send_everything(signal, exporter, way)
    assert_the_same(signal, sent, written(signal))


@pytest.fixture
def encoded_by_us() -> Iterator[None]:
    """The official exporters have our encoder."""
    swapped = compat.use_in_official_exporters()
    yield
    swapped.undo()


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize(
    ("receiver", "encoding"),
    [
        *(("collector", encoding) for encoding in ("none", "gzip", "deflate")),
        *(("gateway", encoding) for encoding in ("none", "gzip")),
    ],
)
def test_official_exporters_with_our_encoder(
    collector: Collector,
    gateway: GatewayProcess,
    written: Written,
    encoded_by_us: None,
    receiver: str,
    encoding: str,
    signal: str,
) -> None:
    url = {"collector": collector.http, "gateway": gateway.url}[receiver]
    official = import_module(f"opentelemetry.exporter.otlp.proto.http.{OFFICIAL_MODULES[signal]}")
    algorithm = import_module("opentelemetry.exporter.otlp.proto.http").Compression(encoding)
    exporter = getattr(official, EXPORTERS[signal])(f"{url}/v1/{signal}", compression=algorithm)
    sent = send_everything(signal, exporter, "SDK's batch")
    assert_the_same(signal, sent, written(signal))


@pytest.mark.parametrize(
    ("transport", "encoding"), [("http", "none"), ("http", "gzip"), ("grpc", "none"), ("grpc", "gzip")]
)
def test_a_collector_that_batches_joins_requests_and_changes_nothing(
    make_collector: MakeCollector, transport: str, encoding: str
) -> None:
    collector = make_collector(writes_at_once=False)
    sent = {
        signal: [
            request
            for _ in range(3)
            for request in send_everything(signal, exporter_to(collector, transport, signal, compression=encoding))
        ]
        for signal in SIGNALS
    }
    collector.stop()
    for signal, requests in sent.items():
        assert_the_same(signal, requests, collector.written(signal))


def test_a_collector_that_batches_does_the_same_with_json(make_collector: MakeCollector) -> None:
    collector = make_collector(writes_at_once=False)
    sent = {signal: 3 * everything(signal) for signal in SIGNALS}
    for signal, requests in sent.items():
        for request in requests:
            assert post_json(collector.http, signal, request).status == 200
    collector.stop()
    for signal, requests in sent.items():
        assert_the_same(signal, map(as_read_from_json, requests), collector.written(signal))


@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_the_debug_exporter_shows_what_was_sent(make_collector: MakeCollector, transport: str) -> None:
    collector = make_collector(verbosity="detailed")
    for signal, (items, field, line) in SHOWN.items():
        before = len(collector.debug.read_text())
        sent = send_everything(signal, exporter_to(collector, transport, signal))
        shown = collector.debug.read_text()[before:]
        counts = map(int, re.findall(rf'"{items}": (\d+)', shown))
        assert sum(counts) == sum(count_items(request, signal) for request in sent)
        values = [getattr(item, field) for request in sent for item in messages_of(request, signal)]
        assert sorted(re.findall(rf"\n{line}(.*)", shown)) == sorted(values)


@pytest.mark.parametrize("encoding", ["zstd", "lz4", "tracezip"])
def test_grpc_offers_nothing_that_collectors_do_not_know(collector: Collector, encoding: str) -> None:
    with pytest.raises(ValueError, match=f"compression.*{encoding}"):
        exporter_to(collector, "grpc", "traces", compression=encoding)
