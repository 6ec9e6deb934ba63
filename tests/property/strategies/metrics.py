"""MetricsData as hypothesis makes it: metrics of the four kinds by the real SDK classes.

An odd one has figures of which one makes a data point unusable, so each odd data point is a sane one with one field
spoiled: with all of them odd at once, there would hardly be one left to look at.
"""

from __future__ import annotations

import array
import collections
import dataclasses
import decimal
import fractions
import types
from typing import Any

from hypothesis import strategies as st
from opentelemetry.sdk.metrics import Exemplar
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

from tests.property.strategies.values import (
    Level,
    Ratio,
    containers,
    int64,
    mappings,
    odd_mappings,
    odd_texts,
    odd_times,
    resources,
    scopes,
    texts,
    times,
)

NOT_A_NUMBER = (None, "1", b"1", 1j, ..., [1])
"""What cannot be a figure."""

uint32 = st.one_of(st.integers(0, 2**32 - 1), st.integers(0, 3), st.sampled_from([2**32 - 1, None]))
int32 = st.one_of(
    st.integers(-(2**31), 2**31 - 1), st.integers(-130, 130), st.sampled_from([-(2**31), 2**31 - 1, None])
)
uint64 = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 300), st.sampled_from([2**63, 2**64 - 1, Level.HIGH]))
counts = st.one_of(uint64, st.none())
odd_counts = st.sampled_from([True, -1, 2**64, 2.0, 10**400, *NOT_A_NUMBER])
doubles = st.one_of(
    st.floats(),
    st.integers(-(2**70), 2**70),
    st.sampled_from([True, Ratio(0.5), decimal.Decimal("1.5"), decimal.Decimal("NaN"), fractions.Fraction(1, 3)]),
)
odd_doubles = st.sampled_from([10**400, decimal.Decimal("sNaN"), *NOT_A_NUMBER])
values = st.one_of(
    int64,
    st.integers(-300, 300),
    st.floats(),
    st.sampled_from([-(2**63), 2**63 - 1, Level.HIGH, Ratio(0.5), decimal.Decimal("1.5"), fractions.Fraction(1, 3)]),
)
odd_values = st.sampled_from([True, False, 2**63, -(2**63) - 1, 10**400, decimal.Decimal("sNaN"), *NOT_A_NUMBER])


def arrays(elements: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Repeated numbers in the forms that the official encoder takes: above and below the widths of vector registers."""
    return st.one_of(
        st.none(),
        st.lists(elements, max_size=70),
        st.lists(elements, max_size=20).map(tuple),
        st.lists(elements, max_size=5).map(collections.deque),
        st.integers(0, 9).map(range),
        st.lists(st.integers(0, 2**64 - 1), max_size=9).map(lambda numbers: array.array("Q", numbers)),
    )


def spoiled_arrays(elements: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Repeated numbers with one among them that is none, and what holds no elements at all."""
    some = st.lists(elements, max_size=5)
    return st.one_of(
        st.builds(lambda before, bad, after: [*before, bad, *after], some, odd, some),
        st.sampled_from([5, "12", object()]),
    )


def spoiled(items: st.SearchStrategy[Any], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The items, most of them with one of the given fields instead of their own."""
    return st.one_of(items, *(st.builds(dataclasses.replace, items, **{name: odd}) for name, odd in fields.items()))


bucket_counts = arrays(uint64)
explicit_bounds = arrays(doubles)
buckets = st.builds(Buckets, offset=int32, bucket_counts=bucket_counts)
odd_buckets = st.one_of(
    st.builds(Buckets, offset=st.sampled_from([2**31, -(2**31) - 1, 1.5, "1"]), bucket_counts=bucket_counts),
    st.builds(Buckets, offset=int32, bucket_counts=spoiled_arrays(uint64, odd_counts)),
    st.none(),
)

attributes = containers(mappings)
exemplars = st.builds(
    Exemplar,
    filtered_attributes=attributes,
    value=st.one_of(int64, st.floats(), st.sampled_from([Level.HIGH, Ratio(0.5)])),
    time_unix_nano=times,
    span_id=st.one_of(st.none(), st.integers(0, 2**64 - 1)),
    trace_id=st.one_of(st.none(), st.integers(0, 2**128 - 1)),
)
odd_exemplars = spoiled(
    exemplars,
    filtered_attributes=containers(odd_mappings),
    value=st.one_of(odd_values, st.just(decimal.Decimal(1))),
    time_unix_nano=odd_times,
    span_id=st.sampled_from([-1, 2**64, "5", True]),
    trace_id=st.sampled_from([-1, 2**128, "5", True]),
)
exemplar_lists = st.one_of(st.just(()), st.lists(exemplars, max_size=2))
shared_fields = {
    "attributes": attributes,
    "start_time_unix_nano": times,
    "time_unix_nano": times,
    "exemplars": exemplar_lists,
}
odd_shared_fields = {
    "attributes": containers(odd_mappings),
    "start_time_unix_nano": odd_times,
    "time_unix_nano": odd_times,
    "exemplars": st.one_of(
        st.lists(st.one_of(odd_exemplars, st.none()), max_size=3), st.sampled_from([None, 5, iter([])])
    ),
}

number_points = st.builds(NumberDataPoint, value=values, **shared_fields)
histogram_points = st.builds(
    HistogramDataPoint,
    count=counts,
    sum=st.one_of(st.none(), doubles),
    bucket_counts=bucket_counts,
    explicit_bounds=explicit_bounds,
    min=st.one_of(st.none(), doubles),
    max=st.one_of(st.none(), doubles),
    **shared_fields,
)
exponential_histogram_points = st.builds(
    ExponentialHistogramDataPoint,
    count=counts,
    sum=st.one_of(st.none(), doubles),
    scale=int32,
    zero_count=counts,
    positive=buckets,
    negative=buckets,
    flags=uint32,
    min=st.one_of(st.none(), doubles),
    max=st.one_of(st.none(), doubles),
    **shared_fields,
)
odd_number_points = spoiled(number_points, value=odd_values, **odd_shared_fields)
odd_histogram_points = spoiled(
    histogram_points,
    count=odd_counts,
    sum=odd_doubles,
    bucket_counts=spoiled_arrays(uint64, odd_counts),
    explicit_bounds=spoiled_arrays(doubles, odd_doubles),
    min=odd_doubles,
    max=odd_doubles,
    **odd_shared_fields,
)
odd_exponential_histogram_points = spoiled(
    exponential_histogram_points,
    count=odd_counts,
    sum=odd_doubles,
    scale=st.sampled_from([2**31, -(2**31) - 1, 1.5, "1"]),
    zero_count=odd_counts,
    positive=odd_buckets,
    negative=odd_buckets,
    flags=st.sampled_from([-1, 2**32, True, 1.5, "1", "x"]),
    min=odd_doubles,
    max=odd_doubles,
    **odd_shared_fields,
)

temporalities = st.sampled_from([*AggregationTemporality, 7, -1])
odd_temporalities = st.one_of(temporalities, st.sampled_from([None, 2**31, "x", 1.5, True]))


def make_metrics(
    names: st.SearchStrategy[Any],
    numbers: st.SearchStrategy[Any],
    histograms: st.SearchStrategy[Any],
    exponential_histograms: st.SearchStrategy[Any],
    temporality: st.SearchStrategy[Any],
    monotonic: st.SearchStrategy[Any],
) -> list[st.SearchStrategy[Metric]]:
    """Metrics of each of the four kinds over the given data points."""
    kinds = (
        st.builds(Gauge, st.lists(numbers, max_size=3)),
        st.builds(Sum, st.lists(numbers, max_size=3), temporality, monotonic),
        st.builds(Histogram, st.lists(histograms, max_size=3), temporality),
        st.builds(ExponentialHistogram, st.lists(exponential_histograms, max_size=3), temporality),
    )
    optional_names = st.one_of(st.none(), names)
    return [st.builds(Metric, names, optional_names, optional_names, kind) for kind in kinds]


metrics = st.one_of(
    make_metrics(
        texts,
        number_points,
        histogram_points,
        exponential_histogram_points,
        temporalities,
        st.sampled_from([False, True, 0, 5]),
    )
)
unreadable_metrics = st.one_of(
    # Data points of another kind, no list of data points, data of an unknown kind, and no metric at all.
    st.builds(Metric, texts, texts, texts, st.builds(Gauge, st.lists(histogram_points, max_size=2))),
    st.builds(Metric, texts, texts, texts, st.builds(Gauge, st.sampled_from([None, 5, [None]]))),
    st.builds(Metric, texts, texts, texts, st.sampled_from([None, 5, types.SimpleNamespace(data_points=[])])),
    st.sampled_from([None, "a metric"]),
)
# Not by one_of, which would give each kind of unreadable metrics as much room as all histograms.
odd_metrics = st.sampled_from(
    [
        *make_metrics(
            st.one_of(odd_texts, st.integers(), st.binary(max_size=5)),
            odd_number_points,
            odd_histogram_points,
            odd_exponential_histogram_points,
            odd_temporalities,
            st.sampled_from([False, True, None, "", "no", 1.5]),
        ),
        unreadable_metrics,
    ]
).flatmap(lambda kind: kind)


# The official encoder keeps only the last group of two with the same resource or the same scope.
metrics_data = st.builds(
    MetricsData,
    st.lists(
        st.builds(
            ResourceMetrics,
            resources,
            st.lists(
                st.builds(ScopeMetrics, scopes.filter(bool), st.lists(metrics, max_size=3), texts),
                max_size=2,
                unique_by=lambda group: group.scope,
            ),
            texts,
        ),
        max_size=2,
        unique_by=lambda group: group.resource,
    ),
)
odd_metrics_data = st.builds(
    MetricsData,
    st.lists(
        st.builds(
            ResourceMetrics,
            st.one_of(st.none(), resources),
            st.lists(st.builds(ScopeMetrics, scopes, st.lists(odd_metrics, min_size=1, max_size=3), texts), max_size=3),
            texts,
        ),
        max_size=3,
    ),
)
