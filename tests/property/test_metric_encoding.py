"""The spine for metrics: native bytes are those of the official encoder and of the reference."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics as official_encode_metrics
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.metrics.export import (
    ExponentialHistogram,
    Gauge,
    Histogram,
    Metric,
    MetricsData,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)

import otlp_fast
from otlp_fast import reference
from tests.property.strategies.metrics import metrics_data, odd_metrics_data


class RenamedGauge(Gauge):
    """Subclasses: not classes that the walker knows, so they take the safe path."""


class RenamedSum(Sum):
    """A subclass of a sum."""


class RenamedHistogram(Histogram):
    """A subclass of a histogram."""


class RenamedExponentialHistogram(ExponentialHistogram):
    """A subclass of an exponential histogram."""


class RenamedMetric(Metric):
    """A subclass of a metric."""


RENAMED = {
    Gauge: RenamedGauge,
    Sum: RenamedSum,
    Histogram: RenamedHistogram,
    ExponentialHistogram: RenamedExponentialHistogram,
}


def as_class(kind: type, item: Any, **changed: Any) -> Any:
    """The same object, but for the changed fields, in another class."""
    copy = object.__new__(kind)
    copy.__dict__.update(item.__dict__, **changed)
    return copy


def as_unknown_class(metric: Any) -> Any:
    """The same metric, its data and its data points in classes that the walker does not know."""
    if not isinstance(metric, Metric):
        return metric
    data = metric.data
    if type(data) in RENAMED:
        points = data.data_points
        if isinstance(points, list):
            points = [
                as_class(type("Renamed", (type(point),), {}), point) if dataclasses.is_dataclass(point) else point
                for point in points
            ]
        data = as_class(RENAMED[type(data)], data, data_points=points)
    return as_class(RenamedMetric, metric, data=data)


def with_metrics(data: MetricsData, change: Any) -> MetricsData:
    """The same groups, each metric changed."""
    return MetricsData(
        [
            ResourceMetrics(
                group.resource,
                [
                    ScopeMetrics(scope.scope, [change(metric) for metric in scope.metrics], scope.schema_url)
                    for scope in group.scope_metrics
                ],
                group.schema_url,
            )
            for group in data.resource_metrics
        ]
    )


@given(metrics_data)
def test_bytes_equal_official_encoder(data: MetricsData) -> None:
    expected = official_encode_metrics(data).SerializeToString()
    assert reference.encode_metrics(data) == expected
    assert otlp_fast.encode_metrics(data) == expected


@given(odd_metrics_data)
def test_bytes_equal_reference_where_official_encoder_loses_data(data: MetricsData) -> None:
    encoded = otlp_fast.encode_metrics(data)
    assert encoded == reference.encode_metrics(data)
    request = ExportMetricsServiceRequest.FromString(encoded)
    # In the order of the fields, each once: reading and writing again changes nothing.
    assert request.SerializeToString() == encoded
    assert len(request.resource_metrics) == len({group.resource for group in data.resource_metrics})


@given(odd_metrics_data)
def test_safe_path_gives_the_bytes_of_the_fast_path(data: MetricsData) -> None:
    unknown = with_metrics(data, as_unknown_class)
    assert reference.encode_metrics(unknown) == reference.encode_metrics(data)
    assert otlp_fast.encode_metrics(unknown) == reference.encode_metrics(data)


@given(st.lists(odd_metrics_data, max_size=3))
def test_metric_encoder_gives_the_bytes_of_encode_metrics(batches: list[MetricsData]) -> None:
    encoder = otlp_fast.MetricEncoder()
    for _ in range(2):  # the second time with an encoder that has been finished
        for data in batches:
            encoder.add(data)
        joined = MetricsData(list(itertools.chain.from_iterable(data.resource_metrics for data in batches)))
        expected = otlp_fast.encode_metrics(joined)
        assert encoder.byte_count == len(expected)
        assert bytes(encoder.finish()) == expected
