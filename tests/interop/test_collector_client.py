"""The Collector's own otlphttp exporter as a client of our gateway: what it sends arrives, and it reads our answers.

The exporter has no queue here, so a Collector answers its own client when the gateway has answered it: success means
that the request is where it should be, and a refusal comes all the way back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from otlp_fast.compression import decompress
from tests import captured
from tests.faults.http_receiver import Exchange, HTTPReceiver, accept_in_part, answering
from tests.interop.comparison import assert_the_same
from tests.interop.conftest import MakeCollector, MakeGateway, Written
from tests.interop.differences import as_the_collector_writes
from tests.interop.peer import SIGNALS, Collector, free_ports
from tests.interop.sending import exporter_to, send_everything
from tests.unit.gateway.gateway_process import GatewayProcess, gateway_process

COUNT = 3
REQUEST = captured.traces(COUNT)
STATUS = {"Content-Type": "application/x-protobuf"}

Send = Callable[..., tuple[dict[str, int], str]]


def exporter_of_a_collector(gateway: GatewayProcess, **settings: str) -> dict[str, Any]:
    """Configure a Collector to send all that it gets to a gateway."""
    return {
        "otlp_http": {
            "endpoint": gateway.url,
            "sending_queue": {"enabled": False},
            "retry_on_failure": {"initial_interval": "10ms", "max_interval": "10ms", "randomization_factor": 0},
            **settings,
        }
    }


@pytest.mark.parametrize("form", ["proto", "json"])
@pytest.mark.parametrize("encoding", ["none", "gzip", "zstd", "lz4"])
def test_what_a_collector_sends_to_the_gateway_is_what_the_next_one_writes(
    gateway: GatewayProcess, make_collector: MakeCollector, written: Written, encoding: str, form: str
) -> None:
    client = make_collector(exporters=exporter_of_a_collector(gateway, compression=encoding, encoding=form))
    for signal in SIGNALS:
        sent = send_everything(signal, exporter_to(client, "grpc", signal))
        assert_the_same(signal, sent, written(signal))


@pytest.mark.parametrize("encoding", ["snappy", "deflate"])
def test_an_encoding_that_the_gateway_does_not_know_is_refused_for_good(
    gateway: GatewayProcess,
    make_collector: MakeCollector,
    written: Written,
    caplog: pytest.LogCaptureFixture,
    encoding: str,
) -> None:
    client = make_collector(exporters=exporter_of_a_collector(gateway, compression=encoding))
    exporter = exporter_to(client, "http", "traces")
    assert not exporter.export_request(REQUEST, COUNT)
    exporter.shutdown()
    assert exporter.stats()["failed"] == COUNT
    assert "400 Bad Request: not retryable error: Permanent error: " in caplog.text
    said = client.log.read_text()
    assert "Message=Content-Encoding must be one of identity, gzip, x-gzip, zstd, lz4, tracezip" in said
    assert "Will retry" not in said
    assert not written("traces")


@pytest.fixture(scope="module")
def chain(
    collector_is_built: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[HTTPReceiver, dict[str, Collector]]]:
    """A next hop that misbehaves as it is told, and Collectors that send to it through a gateway, by what they send."""
    receiver = HTTPReceiver()
    with ExitStack() as running:
        running.callback(receiver.stop)
        url = receiver.endpoint("traces").removesuffix("/v1/traces")
        gateway = running.enter_context(gateway_process("--forward", url))
        clients = {}
        for form in ("proto", "json"):
            exporters = exporter_of_a_collector(gateway, encoding=form)
            client = Collector(tmp_path_factory.mktemp(form), exporters=exporters, writes_at_once=True)
            clients[form] = running.enter_context(client)
        yield receiver, clients


@pytest.fixture
def next_hop(chain: tuple[HTTPReceiver, dict[str, Collector]]) -> HTTPReceiver:
    """The next hop behind the gateway, which has nothing yet."""
    chain[0].ledger.receipts.clear()
    return chain[0]


@pytest.fixture
def send(chain: tuple[HTTPReceiver, dict[str, Collector]], next_hop: HTTPReceiver) -> Send:
    """Send three spans through a Collector and a gateway to a next hop that does something else first.

    Gives what our exporter counted, and what the Collector between said.
    """

    def send_it(behaviour: Callable[[Exchange], None], form: str = "proto") -> tuple[dict[str, int], str]:
        client = chain[1][form]
        said_before = len(client.log.read_text())
        next_hop.script(behaviour)
        exporter = exporter_to(client, "http", "traces", timeout=60)
        exporter.export_request(REQUEST, COUNT)
        exporter.shutdown()
        counted = {name: count for name, count in exporter.stats().items() if count}
        return counted, client.log.read_text()[said_before:]

    return send_it


def assert_taken_once(next_hop: HTTPReceiver) -> None:
    """The next hop has the request, and has it once."""
    requests = [decompress(receipt.body, receipt.encoding) for receipt in next_hop.ledger.receipts]
    assert_the_same("traces", as_the_collector_writes("traces", REQUEST), requests)


@pytest.mark.parametrize(
    ("status", "code", "form"),
    [
        ("429 Too Many Requests", "ResourceExhausted", "proto"),
        ("429 Too Many Requests", "ResourceExhausted", "json"),
        ("503 Service Unavailable", "Unavailable", "proto"),
    ],
)
def test_retry_after_of_the_next_hop_is_what_the_collector_waits(
    next_hop: HTTPReceiver, send: Send, status: str, code: str, form: str
) -> None:
    counted, said = send(answering(status, headers={"Retry-After": "1"}), form)
    assert counted == {"exported": COUNT}
    assert f"Throttle (1s), error: rpc error: code = {code} " in said
    assert said.count("Will retry the request after interval.") == 1
    assert_taken_once(next_hop)


def test_credentials_of_the_gateway_that_are_refused_are_no_fault_of_the_collector(
    next_hop: HTTPReceiver, send: Send
) -> None:
    counted, said = send(answering("401 Unauthorized"))
    assert counted == {"exported": COUNT}
    assert "HTTP Status Code 502, Message=the next hop refuses the gateway's credentials: 401" in said
    assert_taken_once(next_hop)


def test_what_the_next_hop_refuses_is_dropped_with_its_words(
    next_hop: HTTPReceiver, send: Send, caplog: pytest.LogCaptureFixture
) -> None:
    counted, said = send(answering("400 Bad Request", b"\x08\x03\x12\x06broken", STATUS))
    assert counted == {"failed": COUNT}
    assert "responded with HTTP Status Code 400, Message=broken, Details=[]" in said
    assert "Will retry" not in said
    assert "400 Bad Request: not retryable error: Permanent error: rpc error: code = InvalidArgument" in caplog.text
    assert not next_hop.ledger.receipts


@pytest.mark.parametrize("form", ["proto", "json"])
def test_what_the_next_hop_rejects_in_part_is_what_the_collector_reads(
    next_hop: HTTPReceiver, send: Send, form: str
) -> None:
    counted, said = send(accept_in_part, form)
    # A Collector says nothing of it to its own client.
    assert counted == {"exported": COUNT}
    assert '"message": "too old", "dropped_spans": 1}' in said
    assert len(next_hop.ledger.receipts) == 1


def test_a_gateway_without_next_hop_is_tried_again(make_gateway: MakeGateway, make_collector: MakeCollector) -> None:
    nobody = make_gateway(f"http://127.0.0.1:{free_ports(1)[0]}")
    client = make_collector(exporters=exporter_of_a_collector(nobody))
    exporter = exporter_to(client, "http", "traces", timeout=1)
    assert not exporter.export_request(REQUEST, COUNT)
    exporter.shutdown()
    said = client.log.read_text()
    assert "HTTP Status Code 503, Message=the next hop cannot be reached" in said
    assert "Throttle (5s)" in said
