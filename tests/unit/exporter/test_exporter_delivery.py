"""Cutting requests that do not want to be cut."""

from __future__ import annotations

import time

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otlp_fast import EncodeError
from otlp_fast._core import split_request
from otlp_fast.exporter.accounting import DeliveryReport
from otlp_fast.exporter.delivery import Delivery, Part
from otlp_fast.exporter.outcome import Outcome

DELIVERED = Outcome(delivered=True)
TOO_LARGE = Outcome(delivered=False, explanation="413", error_type="413", too_large=True)


class Client:
    """Answers by a limit of its own, and keeps what it accepted."""

    def __init__(self, limit: int) -> None:
        self.accepted: list[bytes] = []
        self.refused: list[bytes] = []
        self._limit = limit

    def send(self, request: bytes, deadline: float, max_rounds: int) -> Outcome:
        if len(request) > self._limit:
            self.refused.append(request)
            return TOO_LARGE
        self.accepted.append(request)
        return DELIVERED


def deliver(client: Client, signal: str, request: bytes, item_count: int, max_bytes: int = 0) -> DeliveryReport:
    report = DeliveryReport()
    delivery = Delivery(client, signal, max_bytes, 0)  # type: ignore[arg-type]
    delivery.deliver(Part(request, item_count), time.monotonic() + 30, report)
    return report


def test_large_resource_around_many_items_is_halved_where_it_cannot_be_cut_at_once() -> None:
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.add(key="large").value.string_value = "x" * 100_000
    scope_spans = resource_spans.scope_spans.add()
    for _ in range(4000):
        scope_spans.spans.add(name="s")
    data = request.SerializeToString()
    # One or two spans fit beside the resource, so that the parts together would take hundreds of megabytes.
    limit = len(data) - 4000 * 5 + 12
    with pytest.raises(EncodeError):
        split_request(data, "traces", max_bytes=limit)
    client = Client(limit)
    report = deliver(client, "traces", data, 4000, max_bytes=limit)
    assert report.exported == 4000
    assert client.refused == []


def test_request_that_cannot_be_cut_is_lost_and_not_tried_forever() -> None:
    # A metric with two kinds of data, which no encoder writes, is never cut in two.
    gauge, total = ExportMetricsServiceRequest(), ExportMetricsServiceRequest()
    metric = gauge.resource_metrics.add().scope_metrics.add().metrics.add()
    metric.gauge.data_points.add(as_int=1)
    metric.gauge.data_points.add(as_int=2)
    body = metric.SerializeToString()
    metric.Clear()
    metric.sum.data_points.add(as_int=3)
    body += metric.SerializeToString()

    def framed(content: bytes, tag: int) -> bytes:
        return bytes([tag, len(content)]) + content

    request = framed(framed(framed(body, 0x12), 0x12), 0x0A)
    total.MergeFromString(request)
    client = Client(limit=0)
    report = deliver(client, "metrics", request, 3)
    assert client.refused == [request]
    assert report.losses["too_large"].count == 3


def test_item_count_that_is_wrong_does_not_loop() -> None:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(name="s")
    client = Client(limit=0)
    report = deliver(client, "traces", request.SerializeToString(), 1000)
    assert len(client.refused) <= 2
    assert report.exported == 0
    assert report.lost > 0
