"""What only the metric exporters have: preferences, a limit of data points, and the reader's timeouts."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.metrics import (
    Counter,
    Histogram,
    MeterProvider,
    ObservableCounter,
    ObservableGauge,
    ObservableUpDownCounter,
    UpDownCounter,
)
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    MetricExportResult,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.metrics.view import (
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
    LastValueAggregation,
)

import otlp_fast
from otlp_fast.exporter.grpc import OTLPMetricExporter as GRPCMetricExporter
from otlp_fast.exporter.http import OTLPMetricExporter as HTTPMetricExporter
from scripted_receiver import Receiver, Reply, Stopwatch
from telemetry import make_metrics

TEMPORALITY = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
AGGREGATION = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"
DELTA = AggregationTemporality.DELTA
CUMULATIVE = AggregationTemporality.CUMULATIVE

both_transports = pytest.mark.parametrize("exporter_class", [HTTPMetricExporter, GRPCMetricExporter])


@both_transports
@pytest.mark.parametrize(
    ("preference", "delta"),
    [
        (None, ()),
        ("CUMULATIVE", ()),
        ("delta", (Counter, Histogram, ObservableCounter)),
        (" LowMemory ", (Counter, Histogram)),
    ],
)
def test_temporality_follows_the_variable(
    exporter_class: Any, preference: str | None, delta: tuple[type, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    if preference is not None:
        monkeypatch.setenv(TEMPORALITY, preference)
    exporter = exporter_class()
    instruments = (Counter, UpDownCounter, Histogram, ObservableCounter, ObservableUpDownCounter, ObservableGauge)
    assert exporter._preferred_temporality == {kind: DELTA if kind in delta else CUMULATIVE for kind in instruments}
    exporter.shutdown()


@both_transports
def test_temporality_of_the_argument_comes_first(exporter_class: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TEMPORALITY, "delta")
    exporter = exporter_class(preferred_temporality={Counter: CUMULATIVE})
    assert exporter._preferred_temporality[Counter] is CUMULATIVE
    assert exporter._preferred_temporality[Histogram] is DELTA
    exporter.shutdown()


@both_transports
@pytest.mark.parametrize(
    ("name", "aggregation"),
    [
        (None, ExplicitBucketHistogramAggregation),
        ("explicit_bucket_histogram", ExplicitBucketHistogramAggregation),
        ("BASE2_EXPONENTIAL_BUCKET_HISTOGRAM", ExponentialBucketHistogramAggregation),
    ],
)
def test_histogram_aggregation_follows_the_variable(
    exporter_class: Any, name: str | None, aggregation: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name is not None:
        monkeypatch.setenv(AGGREGATION, name)
    exporter = exporter_class(preferred_aggregation={Counter: LastValueAggregation()})
    assert type(exporter._preferred_aggregation[Histogram]) is aggregation
    assert type(exporter._preferred_aggregation[Counter]) is LastValueAggregation
    exporter.shutdown()


@both_transports
@pytest.mark.parametrize(("variable", "value"), [(TEMPORALITY, "deltas"), (AGGREGATION, "explicit")])
def test_unknown_preference_is_an_error_that_names_variable_and_value(
    exporter_class: Any, variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=f"{variable}: '{value}' is not known, expected one of '"):
        exporter_class()


@both_transports
@pytest.mark.parametrize("size", [0, -1, 1.5, "10", True])
def test_batch_size_that_is_no_positive_number_is_an_error(exporter_class: Any, size: object) -> None:
    with pytest.raises(ValueError, match=f"argument max_export_batch_size: {size!r} is not a positive int"):
        exporter_class(max_export_batch_size=size)


def test_batch_is_cut_by_data_points(receiver: Receiver) -> None:
    exporter = HTTPMetricExporter(f"{receiver.base}/v1/metrics", max_export_batch_size=4)
    assert exporter.export(make_metrics(10)) is MetricExportResult.SUCCESS
    exporter.shutdown()
    sizes = []
    for request in receiver.requests:
        message = ExportMetricsServiceRequest.FromString(request.body)
        (metric,) = message.resource_metrics[0].scope_metrics[0].metrics
        assert metric.name == "requests"
        assert metric.sum.is_monotonic
        sizes.append(len(metric.sum.data_points))
    assert sizes == [4, 4, 2]
    assert exporter.stats()["exported"] == 10


def test_batch_of_exactly_the_limit_is_sent_as_it_is(receiver: Receiver) -> None:
    exporter = HTTPMetricExporter(f"{receiver.base}/v1/metrics", max_export_batch_size=10)
    data = make_metrics(10)
    assert exporter.export(data) is MetricExportResult.SUCCESS
    exporter.shutdown()
    assert [request.body for request in receiver.requests] == [otlp_fast.encode_metrics(data)]


def test_timeout_of_the_reader_shortens_that_of_the_exporter(receiver: Receiver) -> None:
    receiver.always(Reply(200, delay=30))
    exporter = HTTPMetricExporter(f"{receiver.base}/v1/metrics", timeout=60)
    with Stopwatch() as watch:
        assert exporter.export(make_metrics(1), timeout_millis=300, later_argument=1) is MetricExportResult.FAILURE
    assert watch.seconds < 10
    exporter.shutdown()


def test_timeout_of_the_reader_does_not_lengthen_that_of_the_exporter(receiver: Receiver) -> None:
    receiver.always(Reply(200, delay=30))
    exporter = HTTPMetricExporter(f"{receiver.base}/v1/metrics", timeout=0.3)
    with Stopwatch() as watch:
        assert exporter.export(make_metrics(1), timeout_millis=None) is MetricExportResult.FAILURE
        assert exporter.export(make_metrics(1), timeout_millis=60_000) is MetricExportResult.FAILURE
    assert watch.seconds < 10
    exporter.shutdown()


def test_preferences_reach_the_sdk_through_the_reader(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TEMPORALITY, "delta")
    monkeypatch.setenv(AGGREGATION, "base2_exponential_bucket_histogram")
    exporter = HTTPMetricExporter(f"{receiver.base}/v1/metrics")
    provider = MeterProvider([PeriodicExportingMetricReader(exporter)], shutdown_on_exit=False)
    meter = provider.get_meter("t")
    meter.create_histogram("h").record(3)
    meter.create_up_down_counter("u").add(1)
    provider.shutdown()
    message = ExportMetricsServiceRequest.FromString(receiver.requests[0].body)
    metrics = {metric.name: metric for metric in message.resource_metrics[0].scope_metrics[0].metrics}
    assert metrics["h"].exponential_histogram.aggregation_temporality == 1
    assert metrics["u"].sum.aggregation_temporality == 2


def test_shutdown_takes_the_timeout_under_the_name_that_the_reader_gives_it() -> None:
    # An export under way over gRPC gets the time that shutdown has: here almost none, not thirty seconds.
    from scripted_grpc_receiver import Answer, GRPCReceiver

    receiver = GRPCReceiver()
    receiver.always(Answer(delay=60))
    exporter = GRPCMetricExporter(receiver.url, timeout=50)
    thread = threading.Thread(target=exporter.export, args=(make_metrics(1), 50_000))
    thread.start()
    while not receiver.requests:
        time.sleep(0.01)
    with Stopwatch() as watch:
        exporter.shutdown(timeout=200)
        thread.join(20)
    assert watch.seconds < 15
    receiver.close()
