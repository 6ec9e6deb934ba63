"""Whole processes: the receiver finds what is wrong with a span, and what a configuration costs and loses is seen."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from werkzeug.test import Client

from benchmarks import on_end, whole_process
from benchmarks.processors import CONFIGURATIONS, NONE, OFFICIAL, OTLP_FAST, Configuration
from benchmarks.receiver import Receiver
from benchmarks.web_service import SECONDS_PER_TICK, WebService
from otlp_fast.bench.measure import WrongAnswerError
from otlp_fast.demo.child import Child
from otlp_fast.demo.errors import DemoError

SENDERS = [CONFIGURATIONS[name] for name in (OFFICIAL, OTLP_FAST)]


def request_of(count: int, first_number: int = 0) -> Any:
    """The spans of so many requests to a service, as a message of the official classes."""
    exporter = InMemorySpanExporter()
    WebService(SimpleSpanProcessor(exporter), first_number).handle(count)
    return encode_spans(exporter.get_finished_spans())


def taken(*messages: Any) -> dict[str, int]:
    """What a receiver says of requests that were sent to it over HTTP."""
    receiver = Receiver()
    for message in messages:
        body = gzip.compress(message.SerializeToString())
        assert Client(receiver).post("/v1/traces", data=body).status_code == 200
    counts = receiver.take()
    assert receiver.take() == {"requests": 0, "bytes": 0, "spans": 0, "right": 0}
    return counts


def test_receiver_counts_requests_and_spans_and_finds_them_right() -> None:
    counts = taken(request_of(20), request_of(600, first_number=20))
    assert {**counts, "bytes": 0} == {"requests": 2, "bytes": 0, "spans": 620, "right": 620}
    assert counts["bytes"] > 1_000


def change_status(span: Any) -> None:
    [status] = [pair for pair in span.attributes if pair.key == "http.response.status_code"]
    status.value.int_value += 1


SPOILED: dict[str, Callable[[Any], None]] = {
    "name": lambda span: setattr(span, "name", "GET /"),
    "an attribute less": lambda span: span.attributes.pop(),
    "an attribute's value": change_status,
    "parent": lambda span: setattr(span, "parent_span_id", b"12345678"),
    "kind": lambda span: setattr(span, "kind", 1),
    "no trace id": lambda span: setattr(span, "trace_id", b""),
    "no span id": lambda span: setattr(span, "span_id", b""),
    "times": lambda span: setattr(span, "end_time_unix_nano", 0),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_receiver_finds_a_span_that_is_not_what_was_made(spoil: Callable[[Any], None]) -> None:
    message = request_of(10)
    spoil(message.resource_spans[0].scope_spans[0].spans[3])
    counts = taken(message)
    assert (counts["spans"], counts["right"]) == (10, 9)


def test_receiver_finds_a_span_that_came_twice() -> None:
    counts = taken(request_of(10), request_of(10))
    assert (counts["spans"], counts["right"]) == (20, 10)


def test_receiver_does_not_count_what_is_no_request() -> None:
    receiver = Receiver()
    with pytest.raises(gzip.BadGzipFile):
        Client(receiver).post("/v1/traces", data=ExportTraceServiceRequest().SerializeToString() or b"plain")
    assert receiver.take()["requests"] == 0


def test_wrong_span_ends_the_run() -> None:
    class Liar(Child):
        def __init__(self) -> None:
            pass

        def ask(self, command: str) -> dict[str, int]:
            return {"spans": 10, "right": 9}

    with pytest.raises(WrongAnswerError, match="official: 9 of 10 spans are right"):
        whole_process.delivered_spans(Liar(), CONFIGURATIONS[OFFICIAL])


def test_service_keeps_its_pace_and_catches_up() -> None:
    begin = time.monotonic()
    service = WebService(None)
    assert service.handle_steadily(per_second=2_000, seconds=0.2) == 400
    assert time.monotonic() - begin >= 0.2 - SECONDS_PER_TICK


def test_steady_run_costs_more_with_an_exporter_than_without() -> None:
    configurations = [CONFIGURATIONS[NONE], *SENDERS]
    done: list[None] = []
    runs = whole_process.measure_steady(configurations, rounds=1, seconds=0.2, on_run=lambda: done.append(None))
    assert len(done) == len(configurations)
    for configuration in SENDERS:
        [run] = runs[configuration.name]
        assert run.made == run.delivered == 1_000
        assert run.request_bytes > 10_000
    assert runs[NONE][0].delivered == 0
    [net] = whole_process.net_cpu(runs, OFFICIAL)
    assert net > 0


def test_burst_above_the_queue_is_lost_by_the_official_processor_and_not_by_ours() -> None:
    runs = whole_process.measure_burst([CONFIGURATIONS[NONE], *SENDERS], rounds=1, spans=12_000)
    assert set(runs) == {OFFICIAL, OTLP_FAST}
    assert runs[OFFICIAL][0].delivered < runs[OFFICIAL][0].made == 12_000
    assert runs[OTLP_FAST][0].delivered == 12_000


def test_on_end_is_measured_in_as_many_rounds_as_asked_and_all_spans_are_checked() -> None:
    configurations = [CONFIGURATIONS[NONE], *SENDERS]
    measured = on_end.measure_on_end(configurations, rounds=2, spans=40)
    assert {name: len(values) for name, values in measured.items()} == {NONE: 2, OFFICIAL: 2, OTLP_FAST: 2}
    assert all(0 < value < 10_000 for values in measured.values() for value in values)
    assert on_end.added(measured, NONE) == [0.0, 0.0]


def test_configuration_that_cannot_run_is_an_error_that_names_it() -> None:
    broken = Configuration("no such", "", "", "", lambda endpoint: None)
    with pytest.raises(DemoError, match=r"the no such process ended unexpectedly .*KeyError: 'no such'"):
        whole_process.measure_steady([broken], rounds=1)
