"""Batches, sizes and the end of an exporter, as the official suites check them."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import NonRecordingSpan, SpanContext, set_span_in_context

from routes import Route

Make = Callable[..., Any]

traces = pytest.mark.parametrize("route", [("http", "traces"), ("grpc", "traces")], indirect=True, ids="-".join)
logs = pytest.mark.parametrize("route", [("http", "logs"), ("grpc", "logs")], indirect=True, ids="-".join)


@traces
def test_spans_of_two_resources_travel_in_one_request(route: Route, route_receiver: Any, make: Make) -> None:
    batch = []
    for host in ("a", "b"):
        provider = TracerProvider(resource=Resource({"host": host}), shutdown_on_exit=False)
        provider.add_span_processor(_Collector(batch))
        provider.get_tracer("t").start_span(f"from-{host}").end()
    assert make().export(batch).name == "SUCCESS"
    (request,) = route_receiver.requests
    message = ExportTraceServiceRequest.FromString(request.body)
    names = {
        resource.resource.attributes[0].value.string_value: [span.name for span in resource.scope_spans[0].spans]
        for resource in message.resource_spans
    }
    assert names == {"a": ["from-a"], "b": ["from-b"]}


class _Collector(SimpleSpanProcessor):
    """Puts finished spans into a list."""

    def __init__(self, batch: list[Any]) -> None:
        self._batch = batch

    def on_end(self, span: Any) -> None:
        self._batch.append(span)


@logs
@pytest.mark.parametrize(("trace_id", "span_id"), [(0, 7), (7, 0), (0, 0)])
def test_log_record_without_an_identifier_is_sent_without_it(
    route: Route, route_receiver: Any, make: Make, trace_id: int, span_id: int
) -> None:
    memory = InMemoryLogRecordExporter()
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(memory))
    context = set_span_in_context(NonRecordingSpan(SpanContext(trace_id, span_id, is_remote=False)))
    provider.get_logger("t").emit(body="text", context=context)
    assert make().export(memory.get_finished_logs()).name == "SUCCESS"
    message = ExportLogsServiceRequest.FromString(route_receiver.requests[0].body)
    (record,) = message.resource_logs[0].scope_logs[0].log_records
    assert int.from_bytes(record.trace_id, "big") == trace_id
    assert int.from_bytes(record.span_id, "big") == span_id
    assert (len(record.trace_id), len(record.span_id)) == (16 * bool(trace_id), 8 * bool(span_id))


def test_size_limit_holds_before_compression(route: Route, route_receiver: Any, make: Make) -> None:
    data = route.data(100, 500)
    make().export(data)
    uncompressed = route_receiver.requests.pop().body
    limit = (len(uncompressed) + len(gzip.compress(uncompressed))) // 2
    assert make(compression="gzip", max_request_size=limit).export(data).name == "SUCCESS"
    assert len(route_receiver.requests) > 1


@pytest.mark.parametrize("limit", [0, -1])
def test_limit_of_nothing_is_no_limit(route: Route, route_receiver: Any, make: Make, limit: int) -> None:
    assert make(max_request_size=limit).export(route.data(100, 500)).name == "SUCCESS"
    assert len(route_receiver.requests) == 1


def test_shutdown_closes_the_connection(route: Route, route_receiver: Any, make: Make) -> None:
    exporter = make()
    assert exporter.export(route.data()).name == "SUCCESS"
    assert connections_to(route_receiver.port) == 1
    exporter.shutdown()
    deadline = time.monotonic() + 20
    while connections_to(route_receiver.port) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert connections_to(route_receiver.port) == 0


def connections_to(port: int) -> int:
    """Count the connections that this process has open to `port` of this machine."""
    connections = psutil.Process().net_connections("tcp")
    return sum(one.raddr[1:] == (port,) and one.status == psutil.CONN_ESTABLISHED for one in connections)


def test_flush_has_nothing_to_wait_for(route: Route, make: Make) -> None:
    exporter = make()
    assert exporter.force_flush() is True
    assert exporter.export(route.data()).name == "SUCCESS"
    assert exporter.force_flush() is True


def test_error_while_encoding_is_a_failure_that_is_logged_and_counted(
    route: Route, route_receiver: Any, make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(batch: object) -> bytes:
        raise ValueError("boom")

    exporter = make()
    # The signal is frozen: it is the same for all exporters.
    monkeypatch.setitem(exporter._settings.signal.__dict__, "encode", broken)
    assert exporter.export(route.data(3)).name == "FAILURE"
    assert route_receiver.requests == []
    assert "boom" in caplog.text
    # How many data points there were only the encoder knows.
    assert exporter.stats()["failed"] == (0 if route.signal == "metrics" else 3)
