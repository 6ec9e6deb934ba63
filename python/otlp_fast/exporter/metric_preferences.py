"""Temporality and aggregation that a metric exporter prefers: the constructor's over those of the environment.

Specification: https://opentelemetry.io/docs/specs/otel/metrics/sdk_exporters/otlp/
"""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.sdk.metrics import (
    Counter,
    Histogram,
    ObservableCounter,
    ObservableGauge,
    ObservableUpDownCounter,
    UpDownCounter,
)
from opentelemetry.sdk.metrics.export import AggregationTemporality
from opentelemetry.sdk.metrics.view import (
    Aggregation,
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
)

from otlp_fast.exporter.configuration import from_variables

TEMPORALITY_VARIABLE = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
AGGREGATION_VARIABLE = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"

_INSTRUMENTS = (Counter, UpDownCounter, Histogram, ObservableCounter, ObservableUpDownCounter, ObservableGauge)

_DELTA_INSTRUMENTS: Mapping[str, tuple[type, ...]] = {
    "cumulative": (),
    "delta": (Counter, Histogram, ObservableCounter),
    "lowmemory": (Counter, Histogram),
}

_HISTOGRAM_AGGREGATIONS: Mapping[str, type[Aggregation]] = {
    "explicit_bucket_histogram": ExplicitBucketHistogramAggregation,
    "base2_exponential_bucket_histogram": ExponentialBucketHistogramAggregation,
}


def resolve_temporality(
    preferred: Mapping[type, AggregationTemporality] | None,
) -> dict[type, AggregationTemporality]:
    """Give the temporality for each kind of instrument. Raises ValueError where the variable's value is unknown."""
    delta = _DELTA_INSTRUMENTS[_choice(TEMPORALITY_VARIABLE, _DELTA_INSTRUMENTS, "cumulative")]
    return {
        **{
            instrument: AggregationTemporality.DELTA if instrument in delta else AggregationTemporality.CUMULATIVE
            for instrument in _INSTRUMENTS
        },
        **(preferred or {}),
    }


def resolve_aggregation(preferred: Mapping[type, Aggregation] | None) -> dict[type, Aggregation]:
    """Give the aggregation for histograms and what is `preferred`. Raises ValueError as `resolve_temporality`."""
    aggregation = _choice(AGGREGATION_VARIABLE, _HISTOGRAM_AGGREGATIONS, "explicit_bucket_histogram")
    return {Histogram: _HISTOGRAM_AGGREGATIONS[aggregation](), **(preferred or {})}


def resolve_batch_size(max_export_batch_size: object) -> int:
    """Give the data points in a request, 0 for no limit. Raises ValueError where it is not a positive number."""
    if max_export_batch_size is None:
        return 0
    if (
        isinstance(max_export_batch_size, bool)
        or not isinstance(max_export_batch_size, int)
        or max_export_batch_size < 1
    ):
        raise ValueError(f"argument max_export_batch_size: {max_export_batch_size!r} is not a positive int")
    return max_export_batch_size


def _choice(variable: str, known: Mapping[str, object], default: str) -> str:
    setting = from_variables([variable])
    if setting is None:
        return default
    value = setting.value.lower()
    if value not in known:
        accepted = ", ".join(map(repr, known))
        raise ValueError(f"{variable}: {setting.value!r} is not known, expected one of {accepted}")
    return value
