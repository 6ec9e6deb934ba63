"""Metrics: opentelemetry/proto/metrics/v1/metrics.proto and collector/metrics/v1/metrics_service.proto of
opentelemetry-proto 1.11.

A repaired figure would be a wrong figure: where a value, a count, a sum or a bucket is not a number of its range, its
data point is left out. What stands beside the figures (times, ids, exemplars, attributes) is repaired or left out
alone. A metric is left out where it cannot be read, or is of a kind that is not known.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

from otlp_fast.errors import EncodeError
from otlp_fast.reference.common import attributes, kept
from otlp_fast.reference.fields import enumeration, identifier, optional_string, time
from otlp_fast.reference.request import Groups
from otlp_fast.reference.wire import (
    bytes_field,
    double,
    double_field,
    fixed64_field,
    packed_field,
    sint32_field,
    varint,
    varint_field,
)


def encode_metrics(metrics_data: Any) -> bytes:
    """An `ExportMetricsServiceRequest`: metrics by resource and scope, both in first-seen order, empty ones included.

    The official encoder keeps only the last of the groups of one resource, or of one scope; here they are one group.
    """
    groups = Groups()
    for of_resource in metrics_data.resource_metrics:
        groups.scopes(of_resource.resource)
        for of_scope in of_resource.scope_metrics:
            groups.items(of_resource.resource, of_scope.scope).extend(kept(metric, of_scope.metrics))
    return groups.request()


def metric(of: Any) -> bytes:
    """The content of a `Metric`. The oneof of the kinds is not set where there are no data points."""
    field, encode = KINDS[kind(of.data)]
    data = encode(of.data)
    return (
        optional_string(1, of.name)
        + optional_string(2, of.description)
        + optional_string(3, of.unit)
        + (bytes_field(field, data) if data else b"")
    )


def kind(data: Any) -> str:
    """Which of the SDK's classes the data is an instance of."""
    for base in type(data).__mro__:
        if base.__name__ in KINDS and base.__module__.startswith("opentelemetry.sdk.metrics."):
            return base.__name__
    raise EncodeError(f"a metric with data of type {type(data).__name__}")


def gauge(of: Any) -> bytes:
    """The content of a `Gauge`: `data_points = 1`."""
    return data_points(of, number_point)


def sum_data(of: Any) -> bytes:
    """The content of a `Sum`: `data_points = 1`, `aggregation_temporality = 2`, `is_monotonic = 3`."""
    points = data_points(of, sum_point)
    return points and points + temporality(of) + (varint_field(3, True) if of.is_monotonic else b"")


def histogram(of: Any) -> bytes:
    """The content of a `Histogram`: `data_points = 1`, `aggregation_temporality = 2`."""
    points = data_points(of, histogram_point)
    return points and points + temporality(of)


def exponential_histogram(of: Any) -> bytes:
    """The content of an `ExponentialHistogram`: `data_points = 1`, `aggregation_temporality = 2`."""
    points = data_points(of, exponential_histogram_point)
    return points and points + temporality(of)


KINDS: dict[str, tuple[int, Callable[[Any], bytes]]] = {
    "Gauge": (5, gauge),
    "Sum": (7, sum_data),
    "Histogram": (9, histogram),
    "ExponentialHistogram": (10, exponential_histogram),
}
"""Class of the SDK: its field in `Metric`, and what encodes it."""


def data_points(of: Any, encode: Callable[[Any], bytes]) -> bytes:
    """`repeated … data_points = 1`, without those that cannot be read."""
    return b"".join(bytes_field(1, point) for point in kept(encode, of.data_points))


def temporality(of: Any) -> bytes:
    """`AggregationTemporality aggregation_temporality = 2`."""
    return enumeration(2, of.aggregation_temporality)


def number_point(of: Any) -> bytes:
    """The content of a `NumberDataPoint` without a start, which a gauge does not have."""
    return (
        time(3, of.time_unix_nano)
        + as_double(4, of.value)
        + exemplars(5, of)
        + as_int(6, of.value)
        + attributes(7, of.attributes, 6)
    )


def sum_point(of: Any) -> bytes:
    """The content of a `NumberDataPoint` of a sum."""
    return time(2, of.start_time_unix_nano) + number_point(of)


def histogram_point(of: Any) -> bytes:
    """The content of a `HistogramDataPoint`. Its flags (field 10) are not written."""
    return (
        time(2, of.start_time_unix_nano)
        + time(3, of.time_unix_nano)
        + optional_fixed64(4, of.count)
        + optional_double(5, of.sum)
        + packed_field(6, (fixed64(element) for element in elements(of.bucket_counts)))
        + packed_field(7, (double(element) for element in elements(of.explicit_bounds)))
        + exemplars(8, of)
        + attributes(9, of.attributes, 6)
        + optional_double(11, of.min)
        + optional_double(12, of.max)
    )


def exponential_histogram_point(of: Any) -> bytes:
    """The content of an `ExponentialHistogramDataPoint`. Its zero threshold (field 14) is not written."""
    return (
        attributes(1, of.attributes, 6)
        + time(2, of.start_time_unix_nano)
        + time(3, of.time_unix_nano)
        + optional_fixed64(4, of.count)
        + optional_double(5, of.sum)
        + optional_sint32(6, of.scale)
        + optional_fixed64(7, of.zero_count)
        + buckets(8, of.positive)
        + buckets(9, of.negative)
        + optional_uint32(10, of.flags)
        + exemplars(11, of)
        + optional_double(12, of.min)
        + optional_double(13, of.max)
    )


def buckets(field: int, of: Any) -> bytes:
    """`Buckets`: `sint32 offset = 1`, `repeated uint64 bucket_counts = 2`; left out where there are no counts."""
    if not of.bucket_counts:
        return b""
    counts = packed_field(2, (varint(whole(element, 0, 2**64 - 1)) for element in of.bucket_counts))
    return bytes_field(field, optional_sint32(1, of.offset) + counts)


def exemplars(field: int, of: Any) -> bytes:
    """`repeated Exemplar`, without those that cannot be read. Data points before SDK 1.28 have none."""
    try:
        items = list(getattr(of, "exemplars", None) or ())
    except Exception:
        return b""
    return b"".join(bytes_field(field, item) for item in kept(exemplar, items))


def exemplar(of: Any) -> bytes:
    """The content of an `Exemplar`. It has both ids or none; an id that is zero is one."""
    if not isinstance(of.value, (int, float)):
        raise EncodeError(f"an exemplar with a value of type {type(of.value).__name__}")
    has_ids = of.span_id is not None and of.trace_id is not None
    return (
        time(2, of.time_unix_nano)
        + as_double(3, of.value)
        + (identifier(4, of.span_id, 8) + identifier(5, of.trace_id, 16) if has_ids else b"")
        + as_int(6, of.value)
        + attributes(7, of.filtered_attributes, 7)
    )


# Figures. What is not a number of the right kind and range raises, and the data point is left out.


def fits_int64(value: Any) -> bool:
    """Whether a value is an integer of 64 bits, and so `as_int`; any other number is `as_double`."""
    return isinstance(value, int) and -(2**63) <= value < 2**63


def as_int(field: int, value: Any) -> bytes:
    """`sfixed64 as_int`, one of a oneof: written even when it is zero."""
    return fixed64_field(field, value) if fits_int64(value) else b""


def as_double(field: int, value: Any) -> bytes:
    """`double as_double`, the other of the oneof."""
    return b"" if fits_int64(value) else double_field(field, value)


def whole(value: Any, least: int, most: int) -> int:
    """An integer from `least` to `most`: an int, or what has `__index__`. A bool is none here, as for protobuf."""
    number = operator.index(value)
    if isinstance(value, bool) or not least <= number <= most:
        raise EncodeError(f"{value!r} is not an int between {least} and {most}")
    return number


def elements(value: Iterable[Any] | None) -> Iterable[Any]:
    """The elements of an array, none for None."""
    return () if value is None else value


def fixed64(value: Any) -> bytes:
    """One element of a packed `repeated fixed64`."""
    return whole(value, 0, 2**64 - 1).to_bytes(8, "little")


def optional_fixed64(field: int, value: Any) -> bytes:
    """A `fixed64` of proto3, left out when it is zero or None."""
    number = 0 if value is None else whole(value, 0, 2**64 - 1)
    return fixed64_field(field, number) if number else b""


def optional_uint32(field: int, value: Any) -> bytes:
    """A `uint32` of proto3, left out when it is zero or None."""
    number = 0 if value is None else whole(value, 0, 2**32 - 1)
    return varint_field(field, number) if number else b""


def optional_sint32(field: int, value: Any) -> bytes:
    """A `sint32` of proto3, left out when it is zero or None."""
    number = 0 if value is None else whole(value, -(2**31), 2**31 - 1)
    return sint32_field(field, number) if number else b""


def optional_double(field: int, value: Any) -> bytes:
    """An `optional double`, left out when it is None, but written when it is zero."""
    return b"" if value is None else double_field(field, value)
