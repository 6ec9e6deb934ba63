"""What a Collector refuses, and that our side says exactly what it answered, in the log and in the counts."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from tests import captured
from tests.interop.comparison import assert_the_same
from tests.interop.conftest import MakeGateway, Written
from tests.interop.differences import as_the_collector_writes
from tests.interop.peer import Collector
from tests.interop.sending import exporter_to
from tests.request_items import MESSAGES
from tests.unit.gateway.gateway_process import WAIT_SECONDS, GatewayProcess

COUNT = 3


def with_a_short_id(request: bytes) -> bytes:
    """A request that is good protobuf, and no good OTLP."""
    message = MESSAGES["traces"][0].FromString(request)
    message.resource_spans[0].scope_spans[0].spans[0].trace_id = b"short"
    return bytes(message.SerializeToString())


REQUEST = captured.traces(COUNT)
MALFORMED = REQUEST[:-1]
SHORT_ID = with_a_short_id(REQUEST)

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


def export(exporter: Any, request: bytes) -> tuple[bool, dict[str, int]]:
    """Export a request of three spans, and give whether that went well and what was counted."""
    delivered = exporter.export_request(request, COUNT)
    exporter.shutdown()
    return delivered, {name: count for name, count in exporter.stats().items() if count}


def losses(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What our log says of losses."""
    return [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize(
    ("way", "request_", "words"),
    [
        ("http", MALFORMED, "400 Bad Request: unexpected EOF"),
        ("grpc", MALFORMED, "INTERNAL: grpc: error unmarshalling request: unexpected EOF"),
        ("http", SHORT_ID, "400 Bad Request: unmarshal: invalid TraceID length"),
        ("grpc", SHORT_ID, "INTERNAL: grpc: error unmarshalling request: unmarshal: invalid TraceID length"),
        # The gateway reads requests down to the items, and can say an offset; what is in them is for the Collector.
        (
            "gateway",
            MALFORMED,
            "400 Bad Request: the request cannot be read: a length reaches past the end of its message at offset 1",
        ),
        ("gateway", SHORT_ID, "400 Bad Request: unmarshal: invalid TraceID length"),
    ],
)
def test_what_cannot_be_read_is_lost_once_and_with_the_words_of_the_collector(
    collector: Collector,
    gateway: GatewayProcess,
    written: Written,
    caplog: pytest.LogCaptureFixture,
    way: str,
    request_: bytes,
    words: str,
) -> None:
    if way == "gateway":
        exporter = exporter_to(gateway, "http", "traces", compression="none")
    else:
        exporter = exporter_to(collector, way, "traces", compression="none")
    assert export(exporter, request_) == (False, {"failed": COUNT})
    (line,) = losses(caplog)
    assert f"Failed to export {COUNT} of {COUNT} spans to " in line
    assert f"{COUNT} not delivered: {words}" in line
    assert "(1 attempt, " in line
    assert not written("traces")


def test_tracezip_meets_a_collector_without_a_gateway(
    collector: Collector, written: Written, caplog: pytest.LogCaptureFixture
) -> None:
    delivered, stats = export(exporter_to(collector, "http", "traces", compression="tracezip"), REQUEST)
    assert delivered
    assert (stats["exported"], stats["tracezip_frames"], stats["tracezip_fallbacks"]) == (COUNT, 1, 1)
    assert "does not take tracezip for traces: 400 Bad Request: unsupported Content-Encoding: tracezip" in caplog.text
    assert "sending zstd" in caplog.text
    assert_the_same("traces", as_the_collector_writes("traces", REQUEST), written("traces"))


@pytest.mark.parametrize("encoding", ["zstd", "lz4"])
def test_an_encoding_that_it_does_not_know_is_named(
    strict_collector: Collector, caplog: pytest.LogCaptureFixture, encoding: str
) -> None:
    exporter = exporter_to(strict_collector, "http", "traces", compression=encoding)
    assert export(exporter, REQUEST) == (False, {"failed": COUNT})
    (line,) = losses(caplog)
    assert f"{COUNT} not delivered: 400 Bad Request: unsupported Content-Encoding: {encoding} (1 attempt" in line


def test_tracezip_falls_back_to_gzip_where_zstd_is_unknown_too(
    strict_collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    began = strict_collector.position("traces")
    delivered, stats = export(exporter_to(strict_collector, "http", "traces", compression="tracezip"), REQUEST)
    assert (delivered, stats["exported"], stats["tracezip_fallbacks"]) == (True, COUNT, 1)
    assert "unsupported Content-Encoding: tracezip" in caplog.text
    assert "sending gzip" in caplog.text
    assert_the_same("traces", as_the_collector_writes("traces", REQUEST), strict_collector.written("traces", began))


def test_an_encoding_of_the_gateway_that_it_does_not_know_is_not_the_clients_fault(
    strict_collector: Collector, make_gateway: MakeGateway
) -> None:
    running = make_gateway(strict_collector.http, "--forward-encoding", "zstd")
    answer = urllib3.request("POST", f"{running.url}/v1/traces", body=REQUEST, headers=PROTOBUF, retries=False)
    assert (answer.status, answer.headers["Retry-After"]) == (502, "5")
    assert b"--forward-encoding zstd" in answer.data


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize(("transport", "limit"), [("http", MAX_HTTP), ("grpc", MAX_GRPC)])
def test_a_request_that_is_too_large_is_halved_until_it_is_taken(
    strict_collector: Collector, transport: str, limit: int, compression: str
) -> None:
    began = strict_collector.position("traces")
    spans = 40
    message = MESSAGES["traces"][0].FromString(captured.traces(spans))
    for span in message.resource_spans[0].scope_spans[0].spans:
        span.name = "x" * (limit // 10)
    request = message.SerializeToString()
    exporter = exporter_to(strict_collector, transport, "traces", compression=compression)
    assert exporter.export_request(request, spans)
    exporter.shutdown()
    parts = list(strict_collector.written("traces", began))
    assert len(parts) == 8
    assert_the_same("traces", as_the_collector_writes("traces", request), parts)
    assert exporter.stats()["exported"] == spans


@pytest.mark.parametrize("compression", ["gzip", "tracezip"])
def test_a_request_is_halved_behind_the_gateway_too(
    strict_collector: Collector, make_gateway: MakeGateway, compression: str
) -> None:
    began = strict_collector.position("traces")
    exporter = exporter_to(make_gateway(strict_collector.http), "http", "traces", compression=compression)
    request = captured.traces(150)
    assert len(request) > MAX_HTTP
    assert exporter.export_request(request, 150)
    exporter.shutdown()
    stats = exporter.stats()
    assert stats["exported"] == 150
    assert not stats.get("tracezip_fallbacks")
    assert_the_same("traces", as_the_collector_writes("traces", request), strict_collector.written("traces", began))


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
def test_a_single_span_that_is_too_large_is_lost_with_the_words_of_the_collector(
    strict_collector: Collector, caplog: pytest.LogCaptureFixture, transport: str, size: int, words: str
) -> None:
    request = captured.traces(1, service="x" * size)
    exporter = exporter_to(strict_collector, transport, "traces", compression="none")
    assert not exporter.export_request(request, 1)
    exporter.shutdown()
    assert {name: count for name, count in exporter.stats().items() if count} == {"too_large": 1}
    (line,) = losses(caplog)
    assert words.format(len(request)) in line


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("http", "503 Service Unavailable: data refused due to high memory usage"),
        ("grpc", "UNAVAILABLE: data refused due to high memory usage"),
        ("gateway", "503 Service Unavailable: data refused due to high memory usage"),
    ],
)
def test_what_the_memory_limiter_refuses_is_sent_again_and_then_counted(
    full_collector: Collector, make_gateway: MakeGateway, caplog: pytest.LogCaptureFixture, way: str, words: str
) -> None:
    if way == "gateway":
        exporter = exporter_to(make_gateway(full_collector.http), "http", "traces")
    else:
        exporter = exporter_to(full_collector, way, "traces")
    assert export(exporter, REQUEST) == (False, {"failed": COUNT})
    (line,) = losses(caplog)
    assert f"{COUNT} not delivered: {words} (6 attempts, " in line
    receiver = re.search(r"spans to (\S+):", line)[1]  # type: ignore[index]
    assert f"Transient error while exporting traces to {receiver}: {words}; retrying in " in caplog.text
    assert list(full_collector.written("traces")) == []


def test_a_wrong_path_is_reported_as_it_was_answered(
    collector: Collector, make_gateway: MakeGateway, caplog: pytest.LogCaptureFixture
) -> None:
    misled = make_gateway(f"{collector.http}/elsewhere")
    assert export(exporter_to(misled, "http", "traces"), REQUEST) == (False, {"failed": COUNT})
    (line,) = losses(caplog)
    assert f"{COUNT} not delivered: 404 Not Found: 404 page not found (1 attempt" in line
    metrics = urllib3.request("GET", f"{misled.url}/metrics").data.decode()
    assert 'otlp_fast_gateway_requests_total{encoding="none",outcome="next_hop_refused",signal="traces"} 1.0' in metrics


def test_a_content_type_that_no_collector_takes_cannot_be_asked_for(
    collector: Collector, written: Written, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = {"Content-Type": "text/plain"}
    assert urllib3.request("POST", f"{collector.http}/v1/traces", body=REQUEST, headers=wrong).status == 415
    exporter = exporter_to(collector, "http", "traces", headers=wrong)
    assert "header content-type is ignored, it is set by the exporter" in caplog.text
    assert export(exporter, REQUEST) == (True, {"exported": COUNT})
    assert_the_same("traces", as_the_collector_writes("traces", REQUEST), written("traces"))
