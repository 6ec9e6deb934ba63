"""Requests of all signals as hypothesis makes them: protobuf messages with any field that OTLP has."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Exemplar,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
    Summary,
    SummaryDataPoint,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from tests.columns_oracle import REQUESTS

uint32 = st.integers(0, 2**32 - 1)
uint64 = st.one_of(st.integers(0, 9), st.integers(0, 2**64 - 1))
int32 = st.integers(-(2**31), 2**31 - 1)
int64 = st.one_of(st.integers(-9, 9), st.integers(-(2**63), 2**63 - 1))
doubles = st.floats()
texts = st.one_of(st.sampled_from(["", "a", "b", "service.name"]), st.text(max_size=12), st.just("x" * 200))
trace_ids = st.sampled_from([b"", bytes(16), bytes(range(16)), b"\1" + bytes(15)])
span_ids = st.sampled_from([b"", bytes(8), bytes(range(8)), b"\1" + bytes(7)])


def messages(kind: type, /, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Messages with any of these fields; None leaves one out."""

    def build(values: dict[str, Any]) -> Any:
        return kind(**{name: value for name, value in values.items() if value is not None})

    return st.fixed_dictionaries({}, optional=fields).map(build)


def lists(elements: st.SearchStrategy[Any], max_size: int = 3) -> st.SearchStrategy[Any]:
    return st.lists(elements, max_size=max_size)


scalars = st.one_of(
    st.just(AnyValue()),
    texts.map(lambda value: AnyValue(string_value=value)),
    st.booleans().map(lambda value: AnyValue(bool_value=value)),
    int64.map(lambda value: AnyValue(int_value=value)),
    doubles.map(lambda value: AnyValue(double_value=value)),
    st.binary(max_size=9).map(lambda value: AnyValue(bytes_value=value)),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        lists(inner).map(lambda elements: AnyValue(array_value=ArrayValue(values=elements))),
        lists(st.tuples(texts, inner)).map(
            lambda pairs: AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key=k, value=v) for k, v in pairs]))
        ),
    ),
    max_leaves=5,
)
attributes = lists(messages(KeyValue, key=texts, value=values), max_size=4)
few = st.sampled_from([0, 0, 1, 2**32 - 1])
schema_urls = st.sampled_from(["", "https://opentelemetry.io/schemas/1.27.0"])

resources = messages(Resource, attributes=attributes, dropped_attributes_count=few)
scopes = messages(InstrumentationScope, name=texts, version=texts, attributes=attributes, dropped_attributes_count=few)
events = messages(Span.Event, time_unix_nano=uint64, name=texts, attributes=attributes, dropped_attributes_count=few)
links = messages(
    Span.Link,
    trace_id=trace_ids,
    span_id=span_ids,
    trace_state=texts,
    attributes=attributes,
    dropped_attributes_count=few,
    flags=uint32,
)
spans = messages(
    Span,
    trace_id=trace_ids,
    span_id=span_ids,
    trace_state=texts,
    parent_span_id=span_ids,
    flags=uint32,
    name=texts,
    kind=st.one_of(st.integers(0, 5), int32),
    start_time_unix_nano=uint64,
    end_time_unix_nano=uint64,
    attributes=attributes,
    dropped_attributes_count=few,
    events=lists(events),
    dropped_events_count=few,
    links=lists(links),
    dropped_links_count=few,
    status=messages(Status, message=texts, code=st.integers(0, 3)),
)
log_records = messages(
    LogRecord,
    time_unix_nano=uint64,
    observed_time_unix_nano=uint64,
    severity_number=int32,
    severity_text=texts,
    body=values,
    attributes=attributes,
    dropped_attributes_count=few,
    flags=uint32,
    trace_id=trace_ids,
    span_id=span_ids,
    event_name=texts,
)
exemplar_fields = {
    "filtered_attributes": attributes,
    "time_unix_nano": uint64,
    "span_id": span_ids,
    "trace_id": trace_ids,
}
exemplars = st.one_of(
    messages(Exemplar, as_double=doubles, **exemplar_fields), messages(Exemplar, as_int=int64, **exemplar_fields)
)
point_fields = {"attributes": attributes, "start_time_unix_nano": uint64, "time_unix_nano": uint64, "flags": uint32}
sampled_fields = point_fields | {"exemplars": lists(exemplars, max_size=2)}
number_points = st.one_of(
    messages(NumberDataPoint, as_double=doubles, **sampled_fields),
    messages(NumberDataPoint, as_int=int64, **sampled_fields),
)
summed_fields = sampled_fields | {"count": uint64, "sum": doubles, "min": doubles, "max": doubles}
histogram_points = messages(
    HistogramDataPoint, bucket_counts=lists(uint64), explicit_bounds=lists(doubles), **summed_fields
)
buckets = messages(ExponentialHistogramDataPoint.Buckets, offset=int32, bucket_counts=lists(uint64))
exponential_points = messages(
    ExponentialHistogramDataPoint,
    scale=int32,
    zero_count=uint64,
    zero_threshold=doubles,
    positive=buckets,
    negative=buckets,
    **summed_fields,
)
quantiles = messages(SummaryDataPoint.ValueAtQuantile, quantile=doubles, value=doubles)
summary_points = messages(SummaryDataPoint, count=uint64, sum=doubles, quantile_values=lists(quantiles), **point_fields)
temporality = {"aggregation_temporality": st.integers(0, 3)}
metric_fields = {"name": texts, "description": texts, "unit": texts, "metadata": attributes}


def metric_of(field: str, data: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(messages(Metric, **metric_fields), data).map(lambda pair: with_data(*pair, field))


def with_data(metric: Any, data: Any, field: str) -> Any:
    result = Metric()
    result.CopyFrom(metric)
    getattr(result, field).CopyFrom(data)
    return result


sum_data = messages(Sum, data_points=lists(number_points), is_monotonic=st.booleans(), **temporality)
exponential_data = messages(ExponentialHistogram, data_points=lists(exponential_points), **temporality)
metrics = st.one_of(
    messages(Metric, **metric_fields),
    metric_of("gauge", messages(Gauge, data_points=lists(number_points))),
    metric_of("sum", sum_data),
    metric_of("histogram", messages(Histogram, data_points=lists(histogram_points), **temporality)),
    metric_of("exponential_histogram", exponential_data),
    metric_of("summary", messages(Summary, data_points=lists(summary_points))),
)


def requests(signal: str) -> st.SearchStrategy[bytes]:
    """Serialized requests of a signal."""
    items, scope_group, resource_group, prefix = {
        "traces": (("spans", spans), ScopeSpans, ResourceSpans, "spans"),
        "logs": (("log_records", log_records), ScopeLogs, ResourceLogs, "logs"),
        "metrics": (("metrics", metrics), ScopeMetrics, ResourceMetrics, "metrics"),
    }[signal]
    scope_groups = messages(scope_group, scope=scopes, schema_url=schema_urls, **{items[0]: lists(items[1])})
    resource_groups = messages(
        resource_group,
        resource=resources,
        schema_url=schema_urls,
        **{f"scope_{prefix}": lists(scope_groups, max_size=2)},
    )
    groups = lists(resource_groups, max_size=2)
    return groups.map(lambda found: REQUESTS[signal](**{f"resource_{prefix}": found}).SerializeToString())
