"""Metrics by hand, one field different from the ordinary at a time."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk import metrics as sdk_metrics
from opentelemetry.sdk.metrics._internal.point import Buckets
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)

from tests.compat.logs import SCOPE
from tests.compat.spans import RESOURCE

# They came with SDK 1.28.
HAS_EXEMPLARS = hasattr(sdk_metrics, "Exemplar")

POINT: dict[str, Any] = {
    "attributes": {"before": 1, "after": 2},
    "start_time_unix_nano": 1_700_000_000_000_000_000,
    "time_unix_nano": 1_700_000_000_000_000_500,
}
SUMMARY: dict[str, Any] = {**POINT, "count": 3, "sum": 6.5, "min": 1.0, "max": 4.5}


def make_number_point(**fields: Any) -> NumberDataPoint:
    """An ordinary data point of a sum or a gauge, but for the given fields."""
    return NumberDataPoint(**{**POINT, "value": 7, **fields})


def make_histogram_point(**fields: Any) -> HistogramDataPoint:
    """An ordinary data point of a histogram, but for the given fields."""
    return HistogramDataPoint(**{**SUMMARY, "bucket_counts": [1, 2], "explicit_bounds": [2.5], **fields})


def make_exponential_point(**fields: Any) -> ExponentialHistogramDataPoint:
    """An ordinary data point of an exponential histogram, but for the given fields."""
    ordinary = {"scale": 2, "zero_count": 1, "positive": Buckets(-3, [1, 1]), "negative": Buckets(0, []), "flags": 0}
    return ExponentialHistogramDataPoint(**{**SUMMARY, **ordinary, **fields})


def make_exemplar(**fields: Any) -> Any:
    """An ordinary exemplar, but for the given fields; None under the SDK that has none."""
    if not HAS_EXEMPLARS:
        return None
    ordinary = {"filtered_attributes": {"before": 1, "after": 2}, "value": 4.5, "time_unix_nano": 5}
    return sdk_metrics.Exemplar(**{**ordinary, "span_id": 0x56, "trace_id": 0x1234, **fields})


def make_metric(*points: Any, name: Any = "requests", **fields: Any) -> Metric:
    """A metric of the kind that its first data point is of, a number being that of a sum."""
    if isinstance(points[0], HistogramDataPoint):
        data: Any = Histogram(points, AggregationTemporality.DELTA)
    elif isinstance(points[0], ExponentialHistogramDataPoint):
        data = ExponentialHistogram(points, AggregationTemporality.DELTA)
    else:
        data = Sum(points, AggregationTemporality.CUMULATIVE, True)
    return Metric(**{"name": name, "description": "how many", "unit": "1", "data": data, **fields})


def make_gauge(*points: Any, **fields: Any) -> Metric:
    """A metric that is a gauge."""
    return Metric(**{"name": "temperature", "description": "how hot", "unit": "Cel", "data": Gauge(points), **fields})


def make_metrics(*metrics: Any, resource: Any = RESOURCE, scope: Any = SCOPE) -> MetricsData:
    """The metrics of one scope."""
    return MetricsData([ResourceMetrics(resource, [ScopeMetrics(scope, metrics, "")], "")])
