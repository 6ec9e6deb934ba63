"""Rate, errors and duration: against counting over protobuf objects, and against the SDK's own histograms."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status
from opentelemetry.sdk.metrics._internal.exponential_histogram.mapping.exponent_mapping import ExponentMapping
from opentelemetry.sdk.metrics._internal.exponential_histogram.mapping.logarithm_mapping import LogarithmMapping

import otlp_fast
from otlp_fast.columns.red import Red, red
from otlp_fast.columns.traces import Traces
from tests.corpora import read_requests

START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


def pair(key: str, value: AnyValue | None = None) -> KeyValue:
    return KeyValue(key=key, value=value)


def request_of(spans: list[Span], service: str = "cart") -> ExportTraceServiceRequest:
    resource_spans = ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])
    resource_spans.resource.attributes.append(pair("service.name", AnyValue(string_value=service)))
    return ExportTraceServiceRequest(resource_spans=[resource_spans])


def traces_of(*requests: ExportTraceServiceRequest) -> Traces:
    return Traces.decode(b"".join(request.SerializeToString() for request in requests))


def spans_of(durations: list[int]) -> list[Span]:
    return [
        Span(name="GET /", start_time_unix_nano=START, end_time_unix_nano=START + duration) for duration in durations
    ]


durations = st.one_of(
    st.integers(1_000_000, 1_010_000),
    st.integers(0, 3 * SECOND),
    st.integers(-5, 0),
    st.integers(0, 60).map(lambda power: 2**power),
)
values = st.one_of(
    st.none(),
    st.builds(AnyValue),
    st.sampled_from([AnyValue(string_value="1"), AnyValue(string_value=""), AnyValue(int_value=1)]),
    st.sampled_from([AnyValue(bool_value=True), AnyValue(double_value=1.0), AnyValue(bytes_value=b"1")]),
    st.just(AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=1)]))),
)


@st.composite
def requests(draw: st.DrawFn) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    for _ in range(draw(st.integers(0, 3))):
        resource_spans = request.resource_spans.add()
        if draw(st.booleans()):
            resource_spans.resource.attributes.append(pair("service.name", draw(values)))
        for _ in range(draw(st.integers(0, 2))):
            scope_spans = resource_spans.scope_spans.add()
            scope_spans.scope.name = draw(st.sampled_from(["", "flask"]))
            scope_spans.scope.attributes.append(pair("team", draw(values)))
            for duration in draw(st.lists(durations, max_size=6)):
                span = scope_spans.spans.add(
                    name=draw(st.sampled_from(["GET /", "POST /", ""])),
                    kind=draw(st.sampled_from([0, 2, 3])),
                    start_time_unix_nano=START,
                    end_time_unix_nano=START + duration,
                    status=Status(code=draw(st.sampled_from([0, 1, 2]))),
                )
                if draw(st.booleans()):
                    span.attributes.append(pair("http.route", draw(values)))
    return request


def value_of(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(element) for element in value.array_value.values]
    return getattr(value, kind) if kind else None


def attribute_of(attributes: Any, wanted: str) -> Any:
    found = [attribute.value for attribute in attributes if attribute.key == wanted]
    return value_of(found[-1]) if found else None


def key_of(name: str, resource_spans: Any, scope_spans: Any, span: Any) -> Any:
    scope = scope_spans.scope
    if name.startswith("attributes."):
        return attribute_of(span.attributes, name.removeprefix("attributes."))
    if name.startswith("scope.attributes."):
        return attribute_of(scope.attributes, name.removeprefix("scope.attributes."))
    if name.startswith("resource."):
        return attribute_of(resource_spans.resource.attributes, name.removeprefix("resource."))
    own = {"name": span.name, "kind": span.kind, "status_code": span.status.code}
    return own[name] if name in own else {"scope.name": scope.name, "scope.version": scope.version}[name]


def counted(request: ExportTraceServiceRequest, by: tuple[str, ...]) -> dict[str, list[Any]]:
    """What is counted, span by span: the figures of each group by its keys and their types."""
    groups: dict[str, list[tuple[int, bool, bool]]] = defaultdict(list)
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                keys = [key_of(name, resource_spans, scope_spans, span) for name in by]
                duration = span.end_time_unix_nano - span.start_time_unix_nano
                groups[repr(keys)].append((max(0, duration), span.status.code == 2, duration < 0))
    return {
        keys: [
            len(of),
            sum(failed for _, failed, _ in of),
            sum(late for *_, late in of),
            sum(d for d, *_ in of),
            min(d for d, *_ in of),
            max(d for d, *_ in of),
            sum(d == 0 for d, *_ in of),
        ]
        for keys, of in groups.items()
    }


def found(result: Red) -> dict[str, list[Any]]:
    return {
        repr(list(group.keys.values())): [
            group.count,
            group.errors,
            group.reversed,
            group.sum,
            group.min,
            group.max,
            group.zero_count,
        ]
        for group in result
    }


KEYS = (
    "name",
    "kind",
    "status_code",
    "scope.name",
    "scope.version",
    "resource.service.name",
    "scope.attributes.team",
    "attributes.http.route",
)


@settings(max_examples=150, deadline=None)
@given(request=requests(), by=st.lists(st.sampled_from(KEYS), unique=True, max_size=4).map(tuple))
def test_red_counts_what_counting_over_protobuf_objects_counts(
    request: ExportTraceServiceRequest, by: tuple[str, ...]
) -> None:
    result = red(traces_of(request), by=by)
    expected = counted(request, by)
    assert found(result) == expected
    assert len(result) == len(expected)
    for group in result:
        assert group.bucket_counts.sum() + group.zero_count == group.count


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(requests(), min_size=1, max_size=4), seed=st.randoms())
def test_merged_results_are_those_of_all_spans(parts: list[ExportTraceServiceRequest], seed: Any) -> None:
    by = ("resource.service.name", "name", "attributes.http.route")
    whole = red(traces_of(*parts), by=by)
    results = [red(traces_of(part), by=by) for part in parts]
    seed.shuffle(results)
    assert Red.merge(*results) == whole
    one_by_one = results[0]
    for result in results[1:]:
        one_by_one = result.merge(one_by_one)
    assert one_by_one == whole
    assert one_by_one.to_otlp() == whole.to_otlp()


def test_results_that_differ_are_not_equal() -> None:
    first, second = red(traces_of(request_of(spans_of([5])))), red(traces_of(request_of(spans_of([6]))))
    assert first == red(traces_of(request_of(spans_of([5]))))
    assert first != second
    assert first != 5


@settings(max_examples=200, deadline=None)
@given(duration=st.integers(1, 2**62))
def test_bucket_of_a_duration_is_the_one_of_the_sdk(duration: int) -> None:
    [group] = red(traces_of(request_of(spans_of([min(duration, 2**63 - START)]))), by=())
    duration = group.max
    assert (group.scale, group.bucket_counts.tolist()) == (20, [1])
    # A double of seconds is not the duration: near a boundary the SDK may be one bucket off.
    index = LogarithmMapping(20).map_to_index(duration / 1e9)
    assert abs(group.offset - index) <= 1
    assert (group.offset == index) or abs(np.log2(duration / 1e9) * 2**20 % 1 - 0.5) > 0.49


@settings(max_examples=60, deadline=None)
@given(durations=st.lists(st.integers(1, 2**62 - START), min_size=1, max_size=300))
def test_histogram_has_the_scale_and_the_buckets_of_the_sdk(durations: list[int]) -> None:
    [group] = red(traces_of(request_of(spans_of(durations))), by=())
    for scale in range(20, -11, -1):
        mapping = LogarithmMapping(scale) if scale > 0 else ExponentMapping(scale)
        indexes = [mapping.map_to_index(duration / 1e9) for duration in durations]
        if max(indexes) - min(indexes) < 160:
            break
    if group.scale == scale and group.offset == min(indexes):
        assert np.abs(np.bincount(np.array(indexes) - group.offset) - group.bucket_counts).sum() <= 2
    else:
        # The SDK calculates with doubles: only where a bucket is decided by less than their precision may it differ.
        exact = [np.log2(duration / 1e9) * 2**scale % 1 for duration in (min(durations), max(durations))]
        assert min(min(part, 1 - part) for part in exact) < 1e-6


def test_buckets_hold_their_upper_end() -> None:
    [group] = red(traces_of(request_of(spans_of([SECOND, 2 * SECOND, 2 * SECOND + 1, 4 * SECOND]))), by=())
    buckets = {group.offset + place: count for place, count in enumerate(group.bucket_counts.tolist()) if count}
    one_bucket = 2**group.scale
    assert buckets == {-1: 1, one_bucket - 1: 1, one_bucket: 1, 2 * one_bucket - 1: 1}


@settings(max_examples=60, deadline=None)
@given(durations=st.lists(durations, min_size=1, max_size=200), q=st.floats(0, 1))
def test_quantile_is_as_near_as_documented(durations: list[int], q: float) -> None:
    result = red(traces_of(request_of(spans_of(durations))), by=())
    exact = np.quantile(np.maximum(durations, 0), q, method="inverted_cdf")
    base = 2.0**2.0 ** -int(result.scale[0])
    assert result.quantile(q)[0] == pytest.approx(exact, rel=(base - 1) / (base + 1) + 1e-12)


def test_values_of_different_types_are_different_keys() -> None:
    values = [None, AnyValue(), AnyValue(string_value="1"), AnyValue(bool_value=True), AnyValue(int_value=1)]
    values += [AnyValue(double_value=1.0), AnyValue(bytes_value=b"1")]
    values += [AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=1), AnyValue(bytes_value=b"\0")]))]
    spans = spans_of([5] * (len(values) + 1))
    for span, value in zip(spans[1:], values, strict=True):
        span.attributes.append(pair("key", value))
    result = red(traces_of(request_of(spans)), by="attributes.key")
    expected = [None, "1", True, 1, 1.0, [1, b"\0"], b"1"]
    assert [repr(value) for value in result["attributes.key"]] == [repr(value) for value in expected]
    assert result.count.tolist() == [3, 1, 1, 1, 1, 1, 1]
    texts = result.to_arrow()["attributes.key"].to_pylist()
    assert texts == [None, "1", "true", "1", "1.0", '[1, "AA=="]', '"MQ=="']
    metrics = ExportMetricsServiceRequest.FromString(result.to_otlp())
    points = metrics.resource_metrics[0].scope_metrics[0].metrics[1].exponential_histogram.data_points
    assert [attribute.value for point in points for attribute in point.attributes] == values[2:5] + values[5:6] + [
        values[7],
        values[6],
    ]


def test_metrics_are_those_of_the_span_metrics_connector() -> None:
    spans = spans_of([SECOND, 2 * SECOND, 0, -1])
    for span in spans:
        span.kind = 2
    spans[1].status.code = 2
    result = red(traces_of(request_of(spans)), by=("resource.service.name", "name", "kind"))
    request = ExportMetricsServiceRequest.FromString(result.to_otlp())
    [scope_metrics] = request.resource_metrics[0].scope_metrics
    calls, duration = scope_metrics.metrics
    assert (calls.name, calls.unit) == ("traces.span.metrics.calls", "")
    assert (calls.sum.is_monotonic, calls.sum.aggregation_temporality) == (True, 1)
    keys = [("service.name", "cart"), ("span.name", "GET /"), ("span.kind", "SPAN_KIND_SERVER")]
    attributes = [
        [(attribute.key, attribute.value.string_value) for attribute in point.attributes]
        for point in calls.sum.data_points
    ]
    assert attributes == [[*keys, ("status.code", "STATUS_CODE_ERROR")], keys]
    assert [point.as_int for point in calls.sum.data_points] == [1, 3]
    assert (duration.name, duration.unit) == ("traces.span.metrics.duration", "s")
    [point] = duration.exponential_histogram.data_points
    assert duration.exponential_histogram.aggregation_temporality == 1
    assert [(attribute.key, attribute.value.string_value) for attribute in point.attributes] == keys
    assert (point.count, point.sum, point.min, point.max, point.zero_count) == (4, 3.0, 0.0, 2.0, 2)
    assert (point.scale, point.positive.offset) == (int(result.scale[0]), int(result.offset[0]))
    assert list(point.positive.bucket_counts) == result.bucket_counts.tolist()
    assert (point.start_time_unix_nano, point.time_unix_nano) == (START, START + 2 * SECOND)
    for call in calls.sum.data_points:
        assert (call.start_time_unix_nano, call.time_unix_nano) == (START, START + 2 * SECOND)


def test_metrics_by_status_have_one_point_for_each() -> None:
    spans = spans_of([1, 2, 3])
    for code, span in enumerate(spans):
        span.status.code = code
    result = red(traces_of(request_of(spans)), by="status_code")
    request = ExportMetricsServiceRequest.FromString(
        result.to_otlp(start_time_unix_nano=1, time_unix_nano=2, temporality="cumulative")
    )
    calls, duration = request.resource_metrics[0].scope_metrics[0].metrics
    points = calls.sum.data_points
    assert [point.attributes[0].value.string_value for point in points] == [
        "STATUS_CODE_UNSET",
        "STATUS_CODE_OK",
        "STATUS_CODE_ERROR",
    ]
    assert {(point.start_time_unix_nano, point.time_unix_nano, point.as_int) for point in points} == {(1, 2, 1)}
    assert calls.sum.aggregation_temporality == duration.exponential_histogram.aggregation_temporality == 2


def test_an_attribute_stands_once_in_a_point() -> None:
    span = spans_of([1])[0]
    span.attributes.append(pair("service.name", AnyValue(string_value="other")))
    span.attributes.append(pair("status.code", AnyValue(string_value="mine")))
    by = ("resource.service.name", "attributes.service.name", "attributes.status.code")
    request = ExportMetricsServiceRequest.FromString(red(traces_of(request_of([span])), by=by).to_otlp())
    [point] = request.resource_metrics[0].scope_metrics[0].metrics[0].sum.data_points
    attributes = {attribute.key: attribute.value.string_value for attribute in point.attributes}
    assert attributes == {
        "service.name": "cart",
        "attributes.service.name": "other",
        "attributes.status.code": "mine",
    }


def test_arrow_tables_are_read_by_others() -> None:
    import duckdb
    import polars

    spans = spans_of([1, SECOND, 2 * SECOND])
    spans[0].attributes.append(pair("status", AnyValue(int_value=200)))
    result = red(traces_of(request_of(spans), request_of(spans_of([3]), "checkout")))
    frame = polars.DataFrame(result)
    assert frame["resource.service.name"].to_list() == ["cart", "checkout"]
    assert frame["sum"].to_list() == [3 * SECOND + 1, 3]
    assert frame["bucket_counts"].list.sum().to_list() == [3, 1]
    rows = duckdb.from_arrow(result.to_arrow()).aggregate('"name", sum("count")').fetchall()
    assert rows == [("GET /", 4)]
    by_status = red(traces_of(request_of(spans)), by="attributes.status").to_arrow()
    assert by_status["attributes.status"].to_pylist() == [None, 200]


def test_numpy_columns_are_those_of_the_groups() -> None:
    result = red(traces_of(request_of(spans_of([1, SECOND])), request_of(spans_of([3]), "checkout")))
    arrays = result.to_numpy()
    assert list(arrays)[:3] == ["resource.service.name", "name", "count"]
    assert arrays["count"].tolist() == [2, 1]
    assert arrays["count"].dtype == np.uint64
    offsets = arrays["bucket_offsets"]
    assert [arrays["bucket_counts"][start:end].sum() for start, end in pairwise(offsets)] == [
        2,
        1,
    ]
    assert result[-1].keys == {"resource.service.name": "checkout", "name": "GET /"}
    assert repr(result) == "<Red of 3 spans in 2 groups by resource.service.name, name>"


def test_no_spans_give_no_groups() -> None:
    result = red(Traces.decode(b""))
    assert (len(result), list(result), result.to_otlp(), result.to_arrow().num_rows) == (0, [], b"", 0)
    assert (result.start_time_unix_nano, result.end_time_unix_nano) == (0, 0)


@pytest.mark.parametrize("key", ["names", "", "attribute.x", "resource", "scope.id", "scope"])
def test_unknown_keys_are_refused_by_name(key: str) -> None:
    with pytest.raises(ValueError, match=f'spans have no key "{key}"'):
        red(traces_of(request_of(spans_of([1]))), by=("name", key))


def test_wrong_arguments_are_refused() -> None:
    traces = traces_of(request_of(spans_of([1])), request_of(spans_of([1]), "checkout"))
    with pytest.raises(ValueError, match='"name" is there twice'):
        red(traces, by=("name", "name"))
    with pytest.raises(ValueError, match=r"max_groups allows, 1$"):
        red(traces, max_groups=1)
    result = red(traces, max_groups=2)
    with pytest.raises(ValueError, match=r"max_groups allows, 1$"):
        result.merge(max_groups=1)
    with pytest.raises(ValueError, match="different keys"):
        result.merge(red(traces, by="name"))
    with pytest.raises(ValueError, match="must be one of traces"):
        red(otlp_fast.decode_logs(b""))  # type: ignore[arg-type]
    for q in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="between 0 and 1"):
            result.quantile(q)
    with pytest.raises(ValueError, match="temporality"):
        result.to_otlp(temporality="both")  # type: ignore[arg-type]


def test_captured_requests_are_counted_as_over_protobuf_objects() -> None:
    by = ("resource.service.name", "name", "attributes.http.status_code")
    parts = []
    request = ExportTraceServiceRequest()
    for data in islice(read_requests("astronomy-traces"), 0, None, 20):
        parts.append(red(Traces.decode(data), by=by))
        request.MergeFromString(data)
    assert len(parts) > 10
    assert found(Red.merge(*parts)) == counted(request, by)
