"""What a Collector refuses, and that our side says exactly what it answered, in the log and in the counts."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import urllib3

from tests import captured
from tests.interop.comparison import assert_the_same
from tests.interop.conftest import MakeGateway, Written
from tests.interop.differences import as_the_collector_writes
from tests.interop.peer import SIGNALS, Collector
from tests.interop.sending import exporter_to
from tests.request_items import MESSAGES
from tests.unit.gateway.gateway_process import WAIT_SECONDS, GatewayProcess

COUNT = 3


REQUESTS = {"traces": captured.traces(COUNT), "logs": captured.logs(COUNT), "metrics": captured.metrics(COUNT)}
ITEMS = {"traces": "spans", "logs": "log records", "metrics": "metric data points"}


def malformed(signal: str) -> bytes:
    """A request that is cut off."""
    return REQUESTS[signal][:-1]


def with_a_short_id(signal: str) -> bytes:
    """A request that is good protobuf, and no good OTLP."""

    def shorten(item: Any) -> None:
        (item.exemplars.add() if signal == "metrics" else item).trace_id = b"short"

    return changed(signal, REQUESTS[signal], shorten)


def with_texts(signal: str, count: int, size: int) -> bytes:
    """A request of `count` items, each with a text of `size` bytes."""

    def lengthen(item: Any) -> None:
        item.attributes.add(key="text").value.string_value = "x" * size

    return changed(signal, getattr(captured, signal)(count), lengthen)


def changed(signal: str, request: bytes, change: Callable[[Any], None]) -> bytes:
    """A request whose spans, log records or data points are changed."""
    message, resource_field, scope_field, item_field = MESSAGES[signal]
    whole = message.FromString(request)
    items = getattr(getattr(getattr(whole, resource_field)[0], scope_field)[0], item_field)
    for item in items[0].gauge.data_points if signal == "metrics" else items:
        change(item)
    return bytes(whole.SerializeToString())


PROTOBUF = {"Content-Type": "application/x-protobuf"}

MAX_HTTP = 10_000
MAX_GRPC = 1 << 20


@pytest.fixture(scope="module")
def strict_collector(collector_is_built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A Collector that takes gzip only, 10,000 bytes over HTTP, and 1 MiB over gRPC."""
    receiver = {
        "http": {"max_request_body_size": MAX_HTTP, "compression_algorithms": ["", "gzip"]},
        "grpc": {"max_recv_msg_size_mib": 1},
    }
    folder = tmp_path_factory.mktemp("strict-collector")
    with Collector(folder, receiver=receiver, writes_at_once=True) as running:
        yield running


@pytest.fixture(scope="module")
def full_collector(collector_is_built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A Collector whose memory limiter refuses everything, as it has more than the limit when it has just started."""
    limiter = {"memory_limiter": {"check_interval": "10ms", "limit_mib": 2, "spike_limit_mib": 1}}
    with Collector(tmp_path_factory.mktemp("full-collector"), processors=limiter, writes_at_once=True) as running:
        end = time.monotonic() + WAIT_SECONDS
        while urllib3.request("POST", f"{running.http}/v1/logs", body=captured.logs(), headers=PROTOBUF).status != 503:
            assert time.monotonic() < end, "the memory limiter has nothing against anything"
        yield running


def export(exporter: Any, request: bytes, count: int = COUNT) -> tuple[bool, dict[str, int]]:
    """Export a request of so many items, and give whether that went well and what was counted."""
    delivered = exporter.export_request(request, count)
    exporter.shutdown()
    return delivered, {name: count for name, count in exporter.stats().items() if count}


def losses(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What our log says of losses."""
    return [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize(
    ("way", "make", "words"),
    [
        ("http", malformed, "400 Bad Request: unexpected EOF"),
        ("grpc", malformed, "INTERNAL: grpc: error unmarshalling request: unexpected EOF"),
        ("http", with_a_short_id, "400 Bad Request: unmarshal: invalid TraceID length"),
        ("grpc", with_a_short_id, "INTERNAL: grpc: error unmarshalling request: unmarshal: invalid TraceID length"),
        # The gateway reads requests down to the items, and can say an offset; what is in them is for the Collector.
        (
            "gateway",
            malformed,
            "400 Bad Request: the request cannot be read: a length reaches past the end of its message at offset 1",
        ),
        ("gateway", with_a_short_id, "400 Bad Request: unmarshal: invalid TraceID length"),
    ],
)
def test_what_cannot_be_read_is_lost_once_and_with_the_words_of_the_collector(
    collector: Collector,
    gateway: GatewayProcess,
    written: Written,
    caplog: pytest.LogCaptureFixture,
    way: str,
    make: Callable[[str], bytes],
    words: str,
    signal: str,
) -> None:
    if way == "gateway":
        exporter = exporter_to(gateway, "http", signal, compression="none")
    else:
        exporter = exporter_to(collector, way, signal, compression="none")
    assert export(exporter, make(signal)) == (False, {"failed": COUNT})
    (line,) = losses(caplog)
    assert f"Failed to export {COUNT} of {COUNT} {ITEMS[signal]} to " in line
    assert f"{COUNT} not delivered: {words}" in line
    assert "(1 attempt, " in line
    assert not written(signal)


@pytest.mark.parametrize("signal", SIGNALS)
def test_tracezip_meets_a_collector_without_a_gateway(
    collector: Collector, written: Written, caplog: pytest.LogCaptureFixture, signal: str
) -> None:
    request = REQUESTS[signal]
    delivered, stats = export(exporter_to(collector, "http", signal, compression="tracezip"), request)
    assert delivered
    assert (stats["exported"], stats["tracezip_frames"], stats["tracezip_fallbacks"]) == (COUNT, 1, 1)
    refusal = "400 Bad Request: unsupported Content-Encoding: tracezip"
    assert f"does not take tracezip for {signal}: {refusal}" in caplog.text
    assert "sending zstd" in caplog.text
    assert_the_same(signal, as_the_collector_writes(signal, request), written(signal))


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("encoding", ["zstd", "lz4"])
def test_an_encoding_that_it_does_not_know_is_named(
    strict_collector: Collector, caplog: pytest.LogCaptureFixture, encoding: str, signal: str
) -> None:
    exporter = exporter_to(strict_collector, "http", signal, compression=encoding)
    assert export(exporter, REQUESTS[signal]) == (False, {"failed": COUNT})
    (line,) = losses(caplog)
    assert f"{COUNT} not delivered: 400 Bad Request: unsupported Content-Encoding: {encoding} (1 attempt" in line


@pytest.mark.parametrize("signal", SIGNALS)
def test_tracezip_falls_back_to_gzip_where_zstd_is_unknown_too(
    strict_collector: Collector, caplog: pytest.LogCaptureFixture, signal: str
) -> None:
    began, request = strict_collector.position(signal), REQUESTS[signal]
    delivered, stats = export(exporter_to(strict_collector, "http", signal, compression="tracezip"), request)
    assert (delivered, stats["exported"], stats["tracezip_fallbacks"]) == (True, COUNT, 1)
    assert "unsupported Content-Encoding: tracezip" in caplog.text
    assert "sending gzip" in caplog.text
    assert_the_same(signal, as_the_collector_writes(signal, request), strict_collector.written(signal, began))


def test_an_encoding_of_the_gateway_that_it_does_not_know_is_not_the_clients_fault(
    strict_collector: Collector, make_gateway: MakeGateway
) -> None:
    running = make_gateway(strict_collector.http, "--forward-encoding", "zstd")
    answer = urllib3.request(
        "POST", f"{running.url}/v1/traces", body=REQUESTS["traces"], headers=PROTOBUF, retries=False
    )
    assert (answer.status, answer.headers["Retry-After"]) == (502, "5")
    assert b"--forward-encoding zstd" in answer.data


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize(("transport", "limit"), [("http", MAX_HTTP), ("grpc", MAX_GRPC)])
def test_a_request_that_is_too_large_is_halved_until_it_is_taken(
    strict_collector: Collector, transport: str, limit: int, compression: str, signal: str
) -> None:
    began, count = strict_collector.position(signal), 40
    request = with_texts(signal, count, limit // 10)
    exporter = exporter_to(strict_collector, transport, signal, compression=compression)
    assert export(exporter, request, count) == (True, {"exported": count})
    parts = list(strict_collector.written(signal, began))
    assert len(parts) == 8
    assert_the_same(signal, as_the_collector_writes(signal, request), parts)


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("compression", ["gzip", "tracezip"])
def test_a_request_is_halved_behind_the_gateway_too(
    strict_collector: Collector, make_gateway: MakeGateway, compression: str, signal: str
) -> None:
    began, count = strict_collector.position(signal), 15
    exporter = exporter_to(make_gateway(strict_collector.http), "http", signal, compression=compression)
    request = with_texts(signal, count, MAX_HTTP // 10)
    delivered, stats = export(exporter, request, count)
    assert (delivered, stats["exported"], stats.get("tracezip_fallbacks", 0)) == (True, count, 0)
    parts = list(strict_collector.written(signal, began))
    assert len(parts) > 1
    assert_the_same(signal, as_the_collector_writes(signal, request), parts)


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize(
    ("transport", "size", "words"),
    [
        ("http", 2 * MAX_HTTP, "1 too large: 400 Bad Request: http: request body too large (1 attempt"),
        (
            "grpc",
            2 * MAX_GRPC,
            "1 too large: RESOURCE_EXHAUSTED: grpc: received message larger than max ({} vs. 1048576) (1 attempt",
        ),
    ],
)
def test_a_single_item_that_is_too_large_is_lost_with_the_words_of_the_collector(
    strict_collector: Collector, caplog: pytest.LogCaptureFixture, transport: str, size: int, words: str, signal: str
) -> None:
    request = with_texts(signal, 1, size)
    exporter = exporter_to(strict_collector, transport, signal, compression="none")
    assert export(exporter, request, 1) == (False, {"too_large": 1})
    (line,) = losses(caplog)
    assert words.format(len(request)) in line


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("http", "503 Service Unavailable: data refused due to high memory usage"),
        ("grpc", "UNAVAILABLE: data refused due to high memory usage"),
        ("gateway", "503 Service Unavailable: data refused due to high memory usage"),
    ],
)
def test_what_the_memory_limiter_refuses_is_sent_again_and_then_counted(
    full_collector: Collector,
    make_gateway: MakeGateway,
    caplog: pytest.LogCaptureFixture,
    way: str,
    words: str,
    signal: str,
) -> None:
    began = full_collector.position(signal)
    if way == "gateway":
        exporter = exporter_to(make_gateway(full_collector.http), "http", signal)
    else:
        exporter = exporter_to(full_collector, way, signal)
    assert export(exporter, REQUESTS[signal]) == (False, {"failed": COUNT})
    (line,) = losses(caplog)
    assert f"{COUNT} not delivered: {words} (6 attempts, " in line
    receiver = re.search(rf"{ITEMS[signal]} to (\S+):", line)[1]  # type: ignore[index]
    assert f"Transient error while exporting {signal} to {receiver}: {words}; retrying in " in caplog.text
    assert list(full_collector.written(signal, began)) == []


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_wrong_path_is_reported_as_it_was_answered(
    collector: Collector, make_gateway: MakeGateway, caplog: pytest.LogCaptureFixture, signal: str
) -> None:
    misled = make_gateway(f"{collector.http}/elsewhere")
    assert export(exporter_to(misled, "http", signal), REQUESTS[signal]) == (False, {"failed": COUNT})
    (line,) = losses(caplog)
    assert f"{COUNT} not delivered: 404 Not Found: 404 page not found (1 attempt" in line
    metrics = urllib3.request("GET", f"{misled.url}/metrics").data.decode()
    labels = f'encoding="none",outcome="next_hop_refused",signal="{signal}"'
    assert f"otlp_fast_gateway_requests_total{{{labels}}} 1.0" in metrics


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_content_type_that_no_collector_takes_cannot_be_asked_for(
    collector: Collector, written: Written, caplog: pytest.LogCaptureFixture, signal: str
) -> None:
    wrong, request = {"Content-Type": "text/plain"}, REQUESTS[signal]
    assert urllib3.request("POST", f"{collector.http}/v1/{signal}", body=request, headers=wrong).status == 415
    exporter = exporter_to(collector, "http", signal, headers=wrong)
    assert "header content-type is ignored, it is set by the exporter" in caplog.text
    assert export(exporter, request) == (True, {"exported": COUNT})
    assert_the_same(signal, as_the_collector_writes(signal, request), written(signal))
