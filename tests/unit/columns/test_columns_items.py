"""Items one by one: the names of the SDK, the values of protobuf."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

import otlp_fast
from otlp_fast.columns import SpanKind as Kind
from otlp_fast.columns.data_points import (
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    NumberDataPoint,
    SummaryDataPoint,
)
from tests.columns_oracle import DECODE, REQUESTS, comparable, number, python_attributes, python_value
from tests.messages import requests


@settings(max_examples=60, deadline=None)
@given(data=requests("traces"))
def test_spans_say_what_protobuf_says(data: bytes) -> None:
    decoded = otlp_fast.decode_traces(data)
    index = 0
    for group in REQUESTS["traces"].FromString(data).resource_spans:
        for scope in group.scope_spans:
            for span in scope.spans:
                found = decoded[index]
                index += 1
                assert found.name == span.name
                assert found.kind == span.kind
                assert (found.start_time, found.end_time) == (span.start_time_unix_nano, span.end_time_unix_nano)
                context = found.context
                assert (context.trace_id, context.span_id) == (number(span.trace_id), number(span.span_id))
                assert (context.trace_state, context.trace_flags) == (span.trace_state, span.flags & 255)
                assert (0 if found.parent is None else found.parent.span_id) == number(span.parent_span_id)
                assert (found.status.status_code, found.status.description) == (span.status.code, span.status.message)
                assert comparable(found.attributes) == python_attributes(span.attributes)
                assert [
                    (event.name, event.timestamp, comparable(event.attributes), event.dropped_attributes)
                    for event in found.events
                ] == [
                    (
                        event.name,
                        event.time_unix_nano,
                        python_attributes(event.attributes),
                        event.dropped_attributes_count,
                    )
                    for event in span.events
                ]
                assert [
                    (link.context.trace_id, link.context.span_id, link.context.is_remote, comparable(link.attributes))
                    for link in found.links
                ] == [
                    (
                        number(link.trace_id),
                        number(link.span_id),
                        bool(link.flags & 0x200),
                        python_attributes(link.attributes),
                    )
                    for link in span.links
                ]
                dropped = (found.dropped_attributes, found.dropped_events, found.dropped_links)
                assert dropped == (span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count)
                assert comparable(found.resource.attributes) == python_attributes(group.resource.attributes)
                assert found.resource.schema_url == group.schema_url
                library = found.instrumentation_scope
                assert (library.name, library.version) == (scope.scope.name, scope.scope.version)
                assert (library.schema_url, comparable(library.attributes)) == (
                    scope.schema_url,
                    python_attributes(scope.scope.attributes),
                )
    assert index == len(decoded) == len(list(decoded))


@settings(max_examples=40, deadline=None)
@given(data=requests("logs"))
def test_log_records_say_what_protobuf_says(data: bytes) -> None:
    found = [
        (
            (record.timestamp, record.observed_timestamp, record.trace_id, record.span_id, record.trace_flags),
            (record.severity_number, record.severity_text, record.event_name, record.dropped_attributes),
            (comparable(record.body), comparable(record.attributes), comparable(record.resource.attributes)),
        )
        for record in otlp_fast.decode_logs(data)
    ]
    assert found == [
        (
            (
                record.time_unix_nano,
                record.observed_time_unix_nano,
                number(record.trace_id),
                number(record.span_id),
                record.flags & 255,
            ),
            (record.severity_number, record.severity_text, record.event_name, record.dropped_attributes_count),
            (
                python_value(record.body),
                python_attributes(record.attributes),
                python_attributes(group.resource.attributes),
            ),
        )
        for group in REQUESTS["logs"].FromString(data).resource_logs
        for scope in group.scope_logs
        for record in scope.log_records
    ]


def optional(point: Any, name: str) -> str:
    return repr(getattr(point, name) if point.HasField(name) else None)


@settings(max_examples=60, deadline=None)
@given(data=requests("metrics"))
def test_data_points_say_what_protobuf_says(data: bytes) -> None:
    decoded = iter(otlp_fast.decode_metrics(data))
    for group in REQUESTS["metrics"].FromString(data).resource_metrics:
        for scope in group.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                for point in getattr(metric, kind).data_points if kind else ():
                    found = next(decoded)
                    assert found.metric[:3] == (metric.name, metric.description, metric.unit)
                    assert found.metric.kind.name.lower() == kind
                    assert found.start_time_unix_nano == point.start_time_unix_nano
                    assert (found.time_unix_nano, found.flags) == (point.time_unix_nano, point.flags)
                    assert comparable(found.attributes) == python_attributes(point.attributes)
                    assert comparable(found.resource.attributes) == python_attributes(group.resource.attributes)
                    check_exemplars(found, getattr(point, "exemplars", ()))
                    check_data(found, point)
    assert next(decoded, None) is None


def value_of(message: Any) -> str:
    which = message.WhichOneof("value")
    return repr(getattr(message, which) if which else None)


def check_exemplars(found: Any, exemplars: Any) -> None:
    assert [
        (repr(one.value), one.time_unix_nano, one.trace_id, one.span_id, comparable(one.filtered_attributes))
        for one in found.exemplars
    ] == [
        (
            value_of(one),
            one.time_unix_nano,
            number(one.trace_id),
            number(one.span_id),
            python_attributes(one.filtered_attributes),
        )
        for one in exemplars
    ]


def check_data(found: Any, point: Any) -> None:
    """What only points of one kind have."""
    if isinstance(found, NumberDataPoint):
        assert repr(found.value) == value_of(point)
        return
    assert found.count == point.count
    if isinstance(found, SummaryDataPoint):
        assert repr(found.sum) == repr(point.sum)
        pairs = [(one.quantile, one.value) for one in point.quantile_values]
        assert repr([tuple(one) for one in found.quantile_values]) == repr(pairs)
        return
    assert [repr(getattr(found, name)) for name in ("sum", "min", "max")] == [
        optional(point, name) for name in ("sum", "min", "max")
    ]
    if isinstance(found, HistogramDataPoint):
        assert found.bucket_counts == list(point.bucket_counts)
        assert repr(found.explicit_bounds) == repr(list(point.explicit_bounds))
        return
    assert isinstance(found, ExponentialHistogramDataPoint)
    assert (found.scale, found.zero_count) == (point.scale, point.zero_count)
    assert repr(found.zero_threshold) == repr(point.zero_threshold)
    assert found.positive == (point.positive.offset, list(point.positive.bucket_counts))
    assert found.negative == (point.negative.offset, list(point.negative.bucket_counts))


def test_spans_of_the_sdk_come_back_under_the_names_that_they_had() -> None:
    provider = TracerProvider(resource=Resource({"service.name": "shop"}), shutdown_on_exit=False)
    tracer = provider.get_tracer("library", "1.2", attributes={"a": 1})
    linked = SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(1))
    with tracer.start_as_current_span("parent") as parent:
        span = tracer.start_span("child", kind=SpanKind.SERVER, links=[Link(linked, {"l": 1})])
        span.set_attributes({"s": "ä", "i": 1, "f": 0.5, "b": True, "l": ["x", "y"]})
        span.add_event("happened", {"e": 1}, timestamp=5)
        span.set_status(Status(StatusCode.ERROR, "broken"))
        span.end()
    assert isinstance(span, ReadableSpan)
    found = otlp_fast.decode_traces(otlp_fast.encode_spans([span]))[0]
    assert found.name == span.name
    assert (found.start_time, found.end_time) == (span.start_time, span.end_time)
    assert found.context[:2] == (span.context.trace_id, span.context.span_id)
    assert found.parent is not None
    assert found.parent[:3] == (*parent.get_span_context()[:2], False)
    assert found.kind.name == span.kind.name
    assert found.status.status_code.name == span.status.status_code.name
    assert found.status.description == span.status.description
    assert found.attributes == {**span.attributes, "l": ["x", "y"]}
    [event] = found.events
    assert (event.name, event.timestamp, event.attributes) == ("happened", 5, {"e": 1})
    [link] = found.links
    assert (link.context.trace_id, link.context.span_id, link.context.is_remote) == (7, 8, True)
    assert found.resource.attributes == dict(span.resource.attributes)
    library = span.instrumentation_scope
    assert found.instrumentation_scope[:2] == (library.name, library.version)
    assert found.instrumentation_scope.attributes == {"a": 1}
    assert repr(found) == f"<Span 'child' trace_id={span.context.trace_id:032x} span_id={span.context.span_id:016x}>"


def test_members_that_otlp_does_not_know_keep_their_numbers() -> None:
    request = REQUESTS["traces"]()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.kind, span.status.code = 77, -1
    found = otlp_fast.decode_traces(request.SerializeToString())[0]
    assert (found.kind, found.kind.name) == (77, "UNKNOWN_77")
    assert (found.status.status_code, found.status.status_code.name) == (-1, "UNKNOWN_-1")
    assert pickle.loads(pickle.dumps(found.kind)) == 77
    with pytest.raises(ValueError, match="'server' is not a valid SpanKind"):
        Kind("server")
    assert found.parent is None


def test_enclosing_objects_are_shared_by_their_items() -> None:
    request = REQUESTS["traces"]()
    spans = request.resource_spans.add().scope_spans.add().spans
    spans.add()
    spans.add()
    first, second = otlp_fast.decode_traces(request.SerializeToString())
    assert first.resource is second.resource
    assert first.instrumentation_scope is second.instrumentation_scope


@pytest.mark.parametrize("signal", DECODE)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_unknown_fields_are_passed_over(signal: str, data: st.DataObject) -> None:
    # Field 900 of every wire type that has no end of its own, in the item and in what encloses it.
    unknown = b"\xa0\x38\x05" + b"\xa2\x38\x01x" + b"\xa1\x38" + bytes(8)
    item = b"\x12" + bytes([len(unknown)]) + unknown
    scope = b"\x12" + bytes([len(item + unknown)]) + item + unknown
    request = b"\x0a" + bytes([len(scope)]) + scope + unknown
    decoded = DECODE[signal](request + data.draw(requests(signal)))
    if signal != "metrics":
        assert decoded[0].attributes == {}
    assert decoded.to_bytes().startswith(request)


def test_values_of_points_are_doubles_with_nan_where_there_is_none() -> None:
    request = REQUESTS["metrics"]()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    metric.gauge.data_points.add(as_double=1.5)
    metric.gauge.data_points.add(as_int=3)
    metric.gauge.data_points.add()
    decoded = otlp_fast.decode_metrics(request.SerializeToString())
    assert decoded.value[:2].tolist() == [1.5, 3.0]
    assert math.isnan(decoded.value[2])
    assert decoded.value_type.tolist() == [1, 2, 0]
    assert list(decoded.metric.name) == ["m"] * 3
    assert decoded.metric.kind.tolist() == [5, 5, 5]
