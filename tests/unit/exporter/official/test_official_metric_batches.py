"""How max_export_batch_size cuts metrics: part for part what the official exporters send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    InMemoryMetricReader,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from routes import Route
from scripted_grpc_receiver import Answer
from scripted_receiver import Reply
from telemetry import make_metrics

Make = Callable[..., Any]

CUMULATIVE = AggregationTemporality.CUMULATIVE


@pytest.fixture(params=["http", "grpc"])
def route(request: pytest.FixtureRequest) -> Route:
    return Route(request.param, "metrics")


def numbers(count: int) -> list[NumberDataPoint]:
    return [NumberDataPoint({"number": number}, 1, 2, number) for number in range(count)]


def one_of_each() -> list[Metric]:
    """Give a gauge, a sum, a histogram and an exponential histogram, with 1 to 4 data points."""
    reader = InMemoryMetricReader()
    view = View(instrument_name="*", aggregation=ExponentialBucketHistogramAggregation())
    provider = MeterProvider([reader], views=[view], shutdown_on_exit=False)
    histogram = provider.get_meter("m").create_histogram("exponential", "unit", "text")
    for number in range(4):
        histogram.record(number, {"number": number})
    data = reader.get_metrics_data()
    provider.shutdown()
    assert data is not None
    buckets = [HistogramDataPoint({"n": n}, 1, 2, 3, 4.0, [1, 2], [0.5], 0.1, 2.0) for n in range(3)]
    return [
        Metric("gauge", "text", "unit", Gauge(numbers(1))),
        Metric("sum", "text", "unit", Sum(numbers(2), CUMULATIVE, is_monotonic=True)),
        Metric("histogram", "text", "unit", Histogram(buckets, CUMULATIVE)),
        *data.resource_metrics[0].scope_metrics[0].metrics,
    ]


def many_levels() -> MetricsData:
    """Give 22 data points below two resources and three scopes."""

    def scope(name: str, metrics: list[Metric]) -> ScopeMetrics:
        return ScopeMetrics(InstrumentationScope(name), metrics, f"https://{name}.example")

    def resource(name: str, *scopes: ScopeMetrics) -> ResourceMetrics:
        return ResourceMetrics(Resource({"name": name}), list(scopes), f"https://{name}.example")

    return MetricsData(
        [
            resource("first", scope("a", one_of_each()), scope("b", [Metric("other", "", "", Gauge(numbers(2)))])),
            resource("second", scope("c", one_of_each())),
        ]
    )


def messages(receiver: Any) -> list[ExportMetricsServiceRequest]:
    return [ExportMetricsServiceRequest.FromString(request.body) for request in receiver.requests]


@pytest.mark.parametrize("data", [make_metrics(7), many_levels()], ids=["one metric", "many levels"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 6, 7, 19, 100])
def test_parts_are_those_of_the_official_exporter(
    route: Route, route_receiver: Any, make: Make, data: MetricsData, size: int
) -> None:
    official = make(route.official, max_export_batch_size=size)
    assert official.export(data).name == "SUCCESS"
    expected = messages(route_receiver)
    route_receiver.requests.clear()
    assert make(max_export_batch_size=size).export(data).name == "SUCCESS"
    assert messages(route_receiver) == expected


def test_refused_part_costs_only_itself(route: Route, route_receiver: Any, make: Make) -> None:
    refusal = Reply(400) if route.transport == "http" else Answer(grpc.StatusCode.INVALID_ARGUMENT)
    route_receiver.script(Reply() if route.transport == "http" else Answer(), refusal)
    exporter = make(max_export_batch_size=2)
    assert exporter.export(make_metrics(5)).name == "FAILURE"
    assert len(route_receiver.requests) == 3
    assert (exporter.stats()["exported"], exporter.stats()["failed"]) == (3, 2)


def test_only_the_part_that_was_not_taken_is_sent_again(route: Route, route_receiver: Any, make: Make) -> None:
    gone = Reply(503) if route.transport == "http" else Answer(grpc.StatusCode.UNAVAILABLE)
    route_receiver.script(Reply() if route.transport == "http" else Answer(), gone)
    exporter = make(max_export_batch_size=2)
    assert exporter.export(make_metrics(3)).name == "SUCCESS"
    first, second, again = (request.body for request in route_receiver.requests)
    assert first != second == again
    assert exporter.stats()["exported"] == 3


def test_single_data_point_over_the_size_limit_is_not_sent(route: Route, route_receiver: Any, make: Make) -> None:
    exporter = make(max_export_batch_size=1, max_request_size=1)
    assert exporter.export(make_metrics(2)).name == "FAILURE"
    assert route_receiver.requests == []
    assert exporter.stats()["too_large"] == 2
