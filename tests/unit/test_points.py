"""What `write_points` takes, and what it says of everything else."""

from __future__ import annotations

import array
import threading
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import NumberDataPoint

from otlp_fast import EncodeError, pool_stats
from otlp_fast.columns import write_points

ROWS = 20
TIMES = np.arange(1, ROWS + 1, dtype="u8") * 10**9
VALUES = np.arange(ROWS) / 4
WITH_NAT = np.where(np.arange(ROWS) == 3, np.datetime64("NaT"), TIMES.astype("M8[ns]"))
WITH_LARGEST = np.where(np.arange(ROWS) == ROWS - 1, np.uint64(2**64 - 1), TIMES)


def points_of(*arguments: Any, **options: Any) -> list[NumberDataPoint]:
    """The points of the one metric that is written, a gauge."""
    request = ExportMetricsServiceRequest.FromString(bytes(write_points("name", *arguments, **options)))
    return list(request.resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points)


def attribute_of(given: Any, key: str = "key") -> list[Any]:
    """The values of one attribute, "absent" where a point does not have it."""
    found = []
    for point in points_of(TIMES, VALUES, attributes={key: given}):
        values = {attribute.key: attribute.value for attribute in point.attributes}
        found.append(getattr(values[key], values[key].WhichOneof("value")) if key in values else "absent")
    return found


def unaligned(given: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same numbers at odd addresses."""
    memory = np.zeros(len(given) * 8 + 1, dtype="u1")
    view = memory[1:].view(given.dtype)
    view[:] = given
    assert not view.flags.aligned
    return view


@pytest.mark.parametrize(
    "given",
    [
        TIMES,
        TIMES.astype("i8"),
        TIMES.astype("M8[ns]"),
        TIMES.astype(">M8[ns]"),
        TIMES.astype(">i8"),
        TIMES.repeat(3)[::3],
        TIMES[::-1].copy()[::-1],
        unaligned(TIMES),
        TIMES.tolist(),
        array.array("Q", TIMES.tolist()),
        memoryview(TIMES),
        pa.array(TIMES),
    ],
    ids=lambda given: f"{type(given).__name__}-{getattr(given, 'dtype', '')}",
)
def test_times_in_any_form_are_the_same(given: Any) -> None:
    assert [point.time_unix_nano for point in points_of(given, VALUES)] == TIMES.tolist()
    assert [point.start_time_unix_nano for point in points_of(TIMES, VALUES, start_times=given)] == TIMES.tolist()


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", ">f8", "i8", "i4", "i1", "u8", "u4", ">u2"])
def test_values_of_any_width_are_written(dtype: str) -> None:
    given = np.arange(ROWS).astype(dtype)
    points = points_of(TIMES, given)
    oneof = "as_double" if given.dtype.kind == "f" else "as_int"
    assert {point.WhichOneof("value") for point in points} == {oneof}
    assert [getattr(point, oneof) for point in points] == list(range(ROWS))
    assert attribute_of(given) == list(range(ROWS))


@pytest.mark.parametrize("start", [5, np.uint64(5), np.datetime64(5, "ns")])
def test_one_start_is_that_of_all_points(start: Any) -> None:
    assert {point.start_time_unix_nano for point in points_of(TIMES, VALUES, start_times=start)} == {5}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["a"] * ROWS, ["a"] * ROWS),
        (np.array(["a", "b"] * (ROWS // 2)), ["a", "b"] * (ROWS // 2)),
        (np.array(["a", None] * (ROWS // 2), dtype=object), ["a", "absent"] * (ROWS // 2)),
        (np.array([1, True, 1.0, b"1"] * (ROWS // 4), dtype=object), [1, True, 1.0, b"1"] * (ROWS // 4)),
        ([True, False] * (ROWS // 2), [True, False] * (ROWS // 2)),
        (([0, 1, 2, 1] * (ROWS // 4), ["a", 2, None]), ["a", 2, "absent", 2] * (ROWS // 4)),
        ((np.zeros(ROWS, dtype="u1"), np.array([7])), [7] * ROWS),
        (np.float32(0.5), [0.5] * ROWS),
        ("lone \ud800", ["lone \ufffd"] * ROWS),
        (["lone \ud800"] * ROWS, ["lone \ufffd"] * ROWS),
        ([b"\1\0", b"\2\3"] * (ROWS // 2), [b"\1\0", b"\2\3"] * (ROWS // 2)),
        (["a\0", "b"] * (ROWS // 2), ["a\0", "b"] * (ROWS // 2)),
        ([1, "a"] * (ROWS // 2), [1, "a"] * (ROWS // 2)),
        ([True, 2] * (ROWS // 2), [True, 2] * (ROWS // 2)),
        ([2**53 + 1, 2.5] * (ROWS // 2), [2**53 + 1, 2.5] * (ROWS // 2)),
        ([b"\xff", "x"] * (ROWS // 2), [b"\xff", "x"] * (ROWS // 2)),
        ([np.int64(1), np.float32(0.5)] * (ROWS // 2), [1, 0.5] * (ROWS // 2)),
        ([np.bytes_(b"a"), None] * (ROWS // 2), [b"a", "absent"] * (ROWS // 2)),
        ([np.float64(0.5)] * ROWS, [0.5] * ROWS),
        (deque(["a", None] * (ROWS // 2)), ["a", "absent"] * (ROWS // 2)),
        (array.array("d", [0.5] * ROWS), [0.5] * ROWS),
        (bytearray(range(ROWS)), list(range(ROWS))),
        (pa.array(["a", None] * (ROWS // 2)), ["a", "absent"] * (ROWS // 2)),
    ],
)
def test_attributes_are_for_all_points_or_for_each(given: Any, expected: list[Any]) -> None:
    found = attribute_of(given)
    assert found == expected
    assert [type(value) for value in found] == [type(value) for value in expected]


@pytest.mark.parametrize("make", [list, lambda elements: np.array(elements, dtype=object)])
def test_zeros_of_both_signs_are_told_apart(make: Callable[[list[Any]], Any]) -> None:
    found = attribute_of(make([0.0, None, -0.0, -0.0] * (ROWS // 4)))
    assert list(map(repr, found)) == ["0.0", "'absent'", "-0.0", "-0.0"] * (ROWS // 4)


def test_scope_is_a_name_or_what_has_one() -> None:
    def scope(given: Any) -> Any:
        request = ExportMetricsServiceRequest.FromString(bytes(write_points("name", TIMES, VALUES, scope=given)))
        return request.resource_metrics[0].scope_metrics[0].scope

    assert scope("library") == scope(SimpleNamespace(name="library", version=None, attributes=None))
    assert scope("library").name == "library"
    assert scope(None).ByteSize() == 0


def test_no_points_are_a_metric_without_data() -> None:
    request = ExportMetricsServiceRequest.FromString(bytes(write_points("name", [], [], kind="sum")))
    metric = request.resource_metrics[0].scope_metrics[0].metrics[0]
    assert (metric.name, metric.WhichOneof("data")) == ("name", None)


@pytest.mark.parametrize(
    ("error", "message", "arguments"),
    [
        (
            TypeError,
            "times has dtype float64, expected integers (ns since the Unix epoch) or datetime64[ns]",
            {"times": VALUES},
        ),
        (TypeError, "times has dtype datetime64[s], expected datetime64[ns]", {"times": TIMES.astype("M8[s]")}),
        (TypeError, "start_times has dtype <U1, expected integers", {"start_times": ["a"] * ROWS}),
        (TypeError, "values has dtype bool, expected floats or integers of at most 64 bits", {"values": VALUES > 1}),
        (TypeError, "values has dtype complex128", {"values": VALUES.astype("c16")}),
        (TypeError, "values has dtype object", {"values": np.array([None] * ROWS)}),
        (TypeError, "name is of type bytes, expected str", {"name": b"name"}),
        (TypeError, "unit is of type NoneType, expected str", {"unit": None}),
        (TypeError, "resource is of type str, expected a mapping", {"resource": "cart"}),
        (TypeError, "scope is of type int, expected a name", {"scope": 5}),
        (TypeError, "attributes['key'] has elements that cannot be", {"attributes": {"key": np.array([{}] * ROWS)}}),
        (TypeError, "a key of attributes is of type int", {"attributes": {5: "value"}}),
        (TypeError, "the codes of attributes['key'] have dtype float64", {"attributes": {"key": (VALUES, ["a"])}}),
        (ValueError, "values has shape (), expected one dimension", {"values": 5}),
        (ValueError, "times has shape (20, 1), expected one dimension", {"times": TIMES.reshape(ROWS, 1)}),
        (ValueError, "start_times is -1, expected nanoseconds since 1970", {"start_times": -1}),
        (ValueError, "kind is 'histogram', expected 'gauge' or 'sum'", {"kind": "histogram"}),
        (
            ValueError,
            "temporality is 'other', expected one of 'cumulative', 'delta'",
            {"kind": "sum", "temporality": "other"},
        ),
        (ValueError, "temporality and monotonic are those of a sum", {"monotonic": True}),
        (ValueError, "attributes['key'] is a tuple of 3, expected (codes, values)", {"attributes": {"key": (1, 2, 3)}}),
        (
            ValueError,
            "attributes['key'] has the code 3 at 3, expected 0 to 2",
            {"attributes": {"key": (range(ROWS), "abc")}},
        ),
        (ValueError, "attributes['key'] has the code -1 at 0", {"attributes": {"key": ([-1] * ROWS, "abc")}}),
        (EncodeError, "times has 19 elements, expected 20, one for each value", {"times": TIMES[1:]}),
        (EncodeError, 'attributes["key"] has 2 elements, expected 20', {"attributes": {"key": ["a", "b"]}}),
        (EncodeError, 'attributes["key"][1] is 9223372036854775808', {"attributes": {"key": [1, 2**63] * (ROWS // 2)}}),
        (EncodeError, "attributes['key'][1] is 9223372036854775808", {"attributes": {"key": [-1, 2**63]}}),
        (EncodeError, "attributes['key'][0] is 18446744073709551616", {"attributes": {"key": [2**64, 1]}}),
        (EncodeError, "values[0] is 9223372036854775808, expected less", {"values": [2**63, *range(ROWS - 1)]}),
        (EncodeError, "times[3] is -9223372036854775808, expected nanoseconds since 1970", {"times": WITH_NAT}),
        (
            EncodeError,
            "values[19] is 18446744073709551615, expected less than 2**63",
            {"values": WITH_LARGEST},
        ),
        (
            EncodeError,
            "resource['key']: a value of type object cannot be an attribute",
            {"resource": {"key": object()}},
        ),
        (EncodeError, "attributes['key']: a value of type object", {"attributes": {"key": ([0] * ROWS, [object()])}}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_written_is_named(error: type[Exception], message: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(error) as raised:
        write_points(**{"name": "name", "times": TIMES, "values": VALUES, **arguments})
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("rows", [300_000, 900_000])
def test_memory_of_a_large_request_is_taken_once(rows: int) -> None:
    times, values = np.ones(rows, dtype="u8"), np.zeros(rows)
    resource = {"key": "long " * 100_000}
    write_points("name", times, values, unit="unit", resource=resource)
    before = pool_stats()["misses"]
    write_points("name", times, values, unit="unit", resource=resource)
    # Memory of this size never comes from the pool.
    assert pool_stats()["misses"] - before == 1


def test_array_that_is_written_to_meanwhile_gives_other_numbers_only() -> None:
    # NumPy fills without the GIL, so this writer is one that nothing keeps out.
    times, values = np.full(50_000, 7, dtype="u8"), np.zeros(50_000)
    finished = threading.Event()

    def write() -> None:
        while not finished.is_set():
            times.fill(0)
            values.fill(1.0)
            times.fill(7)
            values.fill(0.0)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(50):
            points = points_of(times, values)
            assert len(points) == 50_000
            assert {point.time_unix_nano for point in points[:: len(points) // 100]} <= {0, 7}
    finally:
        finished.set()
        writer.join()
