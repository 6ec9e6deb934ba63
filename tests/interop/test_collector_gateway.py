"""The gateway before a Collector: every form and every encoding in, all that the Collector takes out."""

from __future__ import annotations

import json

import pytest

from tests.interop.comparison import assert_the_same
from tests.interop.conftest import MakeGateway, Written
from tests.interop.differences import as_read_from_json
from tests.interop.peer import SIGNALS, Collector
from tests.interop.sending import JSON, everything, exporter_to, post_json, send_everything
from tests.unit.gateway.gateway_process import GatewayProcess

ENCODINGS = ("none", "gzip", "zstd", "lz4")


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("encoding", [*ENCODINGS, "tracezip"])
def test_what_is_sent_through_the_gateway_is_what_the_collector_writes(
    gateway: GatewayProcess, written: Written, encoding: str, signal: str
) -> None:
    exporter = exporter_to(gateway, "http", signal, compression=encoding)
    sent = send_everything(signal, exporter)
    assert_the_same(signal, sent, written(signal))
    stats = exporter.stats()
    assert stats["exported"]
    if encoding == "tracezip":
        assert (stats["tracezip_frames"], stats["tracezip_fallbacks"]) == (len(sent), 0)


@pytest.mark.parametrize("encoding", ["none", "zstd", "lz4"])
def test_the_collector_takes_what_else_than_gzip_the_gateway_offers(
    collector: Collector, make_gateway: MakeGateway, written: Written, encoding: str
) -> None:
    running = make_gateway(collector.http, "--forward-encoding", encoding)
    for signal in SIGNALS:
        sent = send_everything(signal, exporter_to(running, "http", signal))
        assert_the_same(signal, sent, written(signal))


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("receiver", ["collector", "gateway"])
def test_json_of_ours_is_what_the_collector_writes(
    collector: Collector, gateway: GatewayProcess, written: Written, receiver: str, encoding: str, signal: str
) -> None:
    url = {"collector": collector.http, "gateway": gateway.url}[receiver]
    sent = everything(signal)
    for request in sent:
        answer = post_json(url, signal, request, encoding)
        assert (answer.status, answer.headers["Content-Type"]) == (200, JSON), answer.data
        assert json.loads(answer.data) in ({}, {"partialSuccess": {}})
    if receiver == "collector":
        sent = [as_read_from_json(request) for request in sent]
    assert_the_same(signal, sent, written(signal))
