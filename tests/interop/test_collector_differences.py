"""Whatever OTLP can say, the Collector writes as our exporters send it, but for what `differences` lists."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otlp_fast._core import count_items
from tests import messages
from tests.corpora import CORPORA, read_requests
from tests.interop.comparison import assert_the_same, leaves_of
from tests.interop.conftest import Written
from tests.interop.differences import as_read_from_json, as_the_collector_writes
from tests.interop.peer import SIGNALS, Collector
from tests.interop.sending import exporter_to, post_json
from tests.property.strategies import requests
from tests.request_items import MESSAGES
from tests.unit.gateway.gateway_process import GatewayProcess

MAX_REQUESTS = 2
"""Of a corpus, of up to some thousand items each."""

Send = Callable[[str, bytes], None]


@pytest.fixture
def send(collector: Collector) -> Any:
    """Send a request of a signal as it is."""

    def send_it(signal: str, request: bytes) -> None:
        exporter = exporter_to(collector, "http", signal, compression="none")
        assert exporter.export_request(request, 1)
        exporter.shutdown()

    return send_it


@pytest.mark.parametrize("transport", ["http", "grpc"])
@pytest.mark.parametrize("signal", SIGNALS)
def test_any_request_is_written_as_it_was_sent_but_for_the_differences(
    collector: Collector, transport: str, signal: str
) -> None:
    exporter = exporter_to(collector, transport, signal, compression="none")
    whole = requests.messages(MESSAGES[signal][0].DESCRIPTOR).map(lambda message: message.SerializeToString())
    compared = 0

    @settings(max_examples=40)
    @given(st.one_of(whole, messages.requests(signal)))
    def check(request: bytes) -> None:
        nonlocal compared
        began = collector.position(signal)
        assert exporter.export_request(request, count_items(request, signal) or 1)
        expected = leaves_of(signal, as_the_collector_writes(signal, request))
        assert leaves_of(signal, collector.written(signal, began)) == expected
        compared += expected.total()

    check()
    exporter.shutdown()
    assert compared


@pytest.mark.parametrize("corpus", CORPORA)
@pytest.mark.parametrize("way", ["http", "grpc", "gateway"])
def test_captured_requests_are_written_as_they_were_sent(
    collector: Collector, gateway: GatewayProcess, written: Written, way: str, corpus: str
) -> None:
    signal = CORPORA[corpus]
    if way == "gateway":
        exporter = exporter_to(gateway, "http", signal, compression="tracezip")
    else:
        exporter = exporter_to(collector, way, signal, compression="gzip")
    captured = list(islice(read_requests(corpus), MAX_REQUESTS))
    for request in captured:
        assert exporter.export_request(request, count_items(request, signal))
    exporter.shutdown()
    assert_the_same(signal, captured, written(signal))
    assert exporter.stats()["exported"] == sum(count_items(request, signal) for request in captured)


def test_an_absent_message_is_written_as_an_empty_one(send: Send, written: Written) -> None:
    request = MESSAGES["traces"][0]()
    request.resource_spans.add().scope_spans.add().spans.add(name="alone").attributes.add(key="nothing")
    send("traces", request.SerializeToString())
    (found,) = (MESSAGES["traces"][0].FromString(data) for data in written("traces"))
    span = found.resource_spans[0].scope_spans[0].spans[0]
    assert found.resource_spans[0].HasField("resource")
    assert found.resource_spans[0].scope_spans[0].HasField("scope")
    assert span.HasField("status")
    assert span.attributes[0].HasField("value")
    assert span.attributes[0].value.WhichOneof("value") is None


def test_an_id_of_zeros_is_written_as_none(send: Send, written: Written) -> None:
    request = MESSAGES["traces"][0]()
    request.resource_spans.add().scope_spans.add().spans.add(trace_id=bytes(16), span_id=bytes(8), name="zeros")
    send("traces", request.SerializeToString())
    (found,) = (MESSAGES["traces"][0].FromString(data) for data in written("traces"))
    span = found.resource_spans[0].scope_spans[0].spans[0]
    assert (span.trace_id, span.span_id, span.name) == (b"", b"", "zeros")


def test_fields_that_it_does_not_know_are_left_out(send: Send, written: Written) -> None:
    request = MESSAGES["traces"][0]()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="kept")
    # A field of number 500 that holds 1.
    group.resource.MergeFromString(b"\xa0\x1f\x01")
    group.scope_spans.add().spans.add(name="kept").MergeFromString(b"\xa0\x1f\x01")
    data = request.SerializeToString()
    assert data.count(b"\xa0\x1f\x01") == 2
    send("traces", data)
    (found,) = written("traces")
    assert found.count(b"kept") == 2
    assert b"\xa0\x1f\x01" not in found
    assert_the_same("traces", as_the_collector_writes("traces", data), [found])


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_request_without_items_goes_no_further(send: Send, written: Written, signal: str) -> None:
    request = messages.REQUESTS[signal]()
    getattr(request, MESSAGES[signal][1]).add().resource.attributes.add(key="alone")
    send(signal, request.SerializeToString())
    assert written(signal) == []


def test_json_has_one_nan_and_it_is_that_of_go(collector: Collector, written: Written) -> None:
    request = MESSAGES["metrics"][0]()
    group = request.resource_metrics.add()
    group.resource.SetInParent()
    scope = group.scope_metrics.add()
    scope.scope.SetInParent()
    scope.metrics.add(name="undefined").gauge.data_points.add(as_double=math.nan)
    data = request.SerializeToString()
    assert post_json(collector.http, "metrics", data).status == 200
    assert leaves_of("metrics", written("metrics")) != leaves_of("metrics", [data])
    assert_the_same("metrics", [as_read_from_json(data)], written("metrics"))
