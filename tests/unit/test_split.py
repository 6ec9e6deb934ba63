"""`split`, `split_request` and `count_items`: parts that hold the same items, judged by protobuf's own parser."""

from __future__ import annotations

import itertools
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

import otlp_fast
from otlp_fast import _core
from tests.compat.spans import make_span
from tests.corpora import CORPORA, read_requests
from tests.request_items import items_of


def web_spans(count: int) -> bytes:
    return bytes(otlp_fast.encode_spans([make_span() for _ in range(count)]))


def metrics_request() -> bytes:
    request = ExportMetricsServiceRequest()
    for resource_number in range(2):
        resource = request.resource_metrics.add(schema_url="https://resource.example")
        resource.resource.attributes.add(key="service.name").value.string_value = f"shop-{resource_number}"
        scope = resource.scope_metrics.add(schema_url="https://scope.example")
        scope.scope.name = "meter"
        for number, kind in enumerate(["gauge", "sum", "histogram", "exponential_histogram", "summary"]):
            metric = scope.metrics.add(name=f"metric.{kind}", unit="s", description="of a test")
            metric.metadata.add(key="origin").value.string_value = "test"
            data = getattr(metric, kind)
            data.SetInParent()
            if kind not in ("gauge", "summary"):
                data.aggregation_temporality = 2
            if kind == "sum":
                data.is_monotonic = True
            for point in range(3 * number):
                data.data_points.add(time_unix_nano=point + 1)
    return bytes(request.SerializeToString())


@pytest.mark.parametrize("name", CORPORA)
def test_parts_of_captured_requests_hold_the_same_items(name: str) -> None:
    signal = CORPORA[name]
    for data in itertools.islice(read_requests(name), 0, 60, 3):
        expected = list(items_of(data, signal))
        assert _core.count_items(data, signal) == len(expected)
        parts = _core.split_request(data, signal, max_bytes=max(4096, len(data) // 5), max_items=40)
        assert [item for part, _ in parts for item in items_of(part, signal)] == expected
        assert [count for _, count in parts] == [len(list(items_of(part, signal))) for part, _ in parts]
        for part, count in parts:
            assert count <= 40
            assert len(part) <= max(4096, len(data) // 5) or count == 1


def test_every_kind_of_metric_is_cut_between_its_data_points() -> None:
    data = metrics_request()
    expected = list(items_of(data, "metrics"))
    assert len(expected) == 60
    for max_items in (1, 7, 59):
        parts = _core.split_request(data, "metrics", max_items=max_items)
        assert [item for part, _ in parts for item in items_of(part, "metrics")] == expected
        assert [count for _, count in parts] == [max_items] * (60 // max_items) + [60 % max_items] * (
            60 % max_items > 0
        )


@pytest.mark.parametrize(("first", "second"), [("sum", "sum"), ("gauge", "sum"), ("sum", "gauge")])
def test_metric_with_data_in_two_fields_is_kept_whole(first: str, second: str) -> None:
    # One message behind the other is how protobuf merges them.
    twice = b""
    for number, kind in enumerate([first, second]):
        metric = Metric(name="m")
        for point in range(2 + number):
            getattr(metric, kind).data_points.add(time_unix_nano=point)
        twice += metric.SerializeToString()
    field = bytes([0x12, len(twice)]) + twice
    data = bytes([0x0A, len(field) + 2, 0x12, len(field)]) + field
    expected = list(items_of(data, "metrics"))
    assert len(expected) == (5 if first == second else 3)
    assert _core.split_request(data, "metrics", max_items=1) == [(data, len(expected))]


@given(st.integers(1, 40), st.integers(1, 6000))
def test_split_keeps_the_limit_and_the_order(count: int, max_bytes: int) -> None:
    data = web_spans(count)
    parts = otlp_fast._core.split(data, "traces", max_bytes=max_bytes)
    assert [item for part in parts for item in items_of(part, "traces")] == list(items_of(data, "traces"))
    for part in parts:
        assert len(part) <= max_bytes or _core.count_items(part, "traces") == 1


def test_request_that_fits_comes_back_as_the_same_object() -> None:
    data = web_spans(3)
    assert _core.split_request(data, "traces") == [(data, 3)]
    assert _core.split(data, "traces", max_bytes=len(data))[0] is data
    assert _core.split_request(b"", "logs", max_bytes=1) == [(b"", 0)]


def test_every_bytes_like_object_is_taken() -> None:
    encoder = otlp_fast.SpanEncoder()
    for _ in range(3):
        encoder.add(make_span())
    buffer = encoder.finish()
    data = bytes(buffer)
    expected = _core.split_request(data, "traces", max_items=1)
    assert len(expected) == 3
    strided = memoryview(bytes(byte for byte in data for _ in range(2)))[::2]
    for form in (buffer, bytearray(data), memoryview(data), memoryview(data).cast("b"), strided):
        assert _core.split_request(form, "traces", max_items=1) == expected
        assert _core.split_request(form, "traces") == [(data, 3)]
        assert _core.count_items(form, "traces") == 3
    buffer.release()
    with pytest.raises(BufferError, match="released"):
        _core.count_items(buffer, "traces")


def test_bytearray_may_change_meanwhile() -> None:
    data = web_spans(400)
    shared = bytearray(data)
    stop = threading.Event()

    def scribble() -> None:
        while not stop.is_set():
            shared[:] = data
            shared[:] = bytes(len(data))

    thread = threading.Thread(target=scribble)
    thread.start()
    counts, offsets = set(), set()
    try:
        for _ in range(300):
            try:
                counts.add(sum(count for _, count in _core.split_request(shared, "traces", max_items=100)))
            except otlp_fast.DecodeError as error:
                offsets.add(error.offset)
    finally:
        stop.set()
        thread.join()
    assert counts <= {400}
    assert offsets <= {0}, "each call saw one state, from its beginning to its end"


@pytest.mark.parametrize(
    ("data", "signal", "offset", "path"),
    [
        (b"<html>", "traces", 0, ""),
        (b"\x0a\x05\x12", "logs", 1, ""),
        (b"\x0a\x02\x12\x01", "traces", 3, "resource_spans"),
        (b"\x0a\x04\x12\x02\x12\x09", "logs", 5, "resource_logs.scope_logs"),
        (b"\x0a\x06\x12\x04\x12\x02\x2a\x07", "metrics", 7, "resource_metrics.scope_metrics.metrics"),
    ],
)
def test_malformed_request_is_refused_with_its_place(data: bytes, signal: str, offset: int, path: str) -> None:
    for call in (
        lambda: _core.count_items(data, signal),
        lambda: _core.split_request(data, signal),
        lambda: _core.split(data, signal, max_bytes=10),
    ):
        with pytest.raises(otlp_fast.DecodeError) as caught:
            call()
        assert (caught.value.offset, caught.value.path) == (offset, path)
        assert f"at offset {offset}" in str(caught.value)
        assert path in str(caught.value)


def test_large_envelope_is_not_repeated_without_end() -> None:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="large").value.string_value = "x" * (1 << 20)
    scope = group.scope_spans.add()
    for _ in range(1000):
        scope.spans.add(name="a")
    data = request.SerializeToString()
    with pytest.raises(otlp_fast.EncodeError, match="repeat the resources"):
        _core.split_request(data, "traces", max_items=1)
    assert [count for _, count in _core.split_request(data, "traces", max_items=500)] == [500, 500]


def test_wrong_arguments_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"unknown signal .*'?spans'?.*traces.*logs.*metrics"):
        _core.count_items(b"", "spans")
    with pytest.raises(ValueError, match="max_bytes must be at least 1, not 0"):
        _core.split(b"", "traces", max_bytes=0)
    with pytest.raises(ValueError, match="max_bytes must be at least 1, not -5"):
        _core.split(b"", "traces", max_bytes=-5)
    for data, signal in [("text", "traces"), (None, "traces"), ([1, 2], "traces"), (b"", None), (b"", b"traces")]:
        with pytest.raises(TypeError):
            _core.split(data, signal, max_bytes=1)  # type: ignore[arg-type]
