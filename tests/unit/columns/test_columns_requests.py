"""Requests as wholes: filtered, cut, joined, refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import otlp_fast
from otlp_fast.columns import Traces
from tests.columns_oracle import DECODE, REQUESTS
from tests.messages import NAMES, request_of, requests

GROUPS = {
    "traces": ("resource_spans", "scope_spans", "spans"),
    "logs": ("resource_logs", "scope_logs", "log_records"),
    "metrics": ("resource_metrics", "scope_metrics", "metrics"),
}


def filtered_by_protobuf(data: bytes, signal: str, mask: list[bool]) -> Any:
    """The request without the items whose mask is false, and without what encloses none."""
    request, wanted = REQUESTS[signal].FromString(data), iter(mask)
    resource_groups, scope_groups, items = GROUPS[signal]

    def keep(holder: Any, field: str, is_kept: Any) -> bool:
        kept = [item for item in getattr(holder, field) if is_kept(item)]
        holder.ClearField(field)
        getattr(holder, field).extend(kept)
        return bool(kept)

    def keep_item(item: Any) -> bool:
        if signal != "metrics":
            return next(wanted)
        kind = item.WhichOneof("data")
        return kind is not None and keep(getattr(item, kind), "data_points", lambda _: next(wanted))

    keep(request, resource_groups, lambda group: keep(group, scope_groups, lambda scope: keep(scope, items, keep_item)))
    return request


@pytest.mark.parametrize("signal", DECODE)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_filter_keeps_wanted_items_and_what_encloses_them(signal: str, data: st.DataObject) -> None:
    request = data.draw(requests(signal))
    decoded = DECODE[signal](request)
    mask = data.draw(st.lists(st.booleans(), min_size=len(decoded), max_size=len(decoded)))
    filtered = decoded.filter(mask)
    assert len(filtered) == sum(mask)
    if all(mask):
        assert filtered is decoded
    else:
        found = REQUESTS[signal].FromString(filtered.to_bytes())
        # NaN differs from itself in protobuf's comparison, but not in its text.
        assert str(found) == str(filtered_by_protobuf(request, signal, mask))


@pytest.mark.parametrize("signal", DECODE)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_concat_is_the_merge_of_protobuf(signal: str, data: st.DataObject) -> None:
    parts = data.draw(st.lists(requests(signal), max_size=3))
    joined = type(DECODE[signal](b"")).concat([DECODE[signal](part) for part in parts])
    expected = REQUESTS[signal]()
    for part in parts:
        expected.MergeFromString(part)
    assert str(REQUESTS[signal].FromString(joined.to_bytes())) == str(expected)
    assert len(joined) == sum(len(DECODE[signal](part)) for part in parts)


@pytest.fixture
def traces() -> Traces:
    return otlp_fast.decode_traces(request_of(*NAMES))


def test_slices_are_requests(traces: Traces) -> None:
    assert list(traces[1:4].name) == NAMES[1:4]
    assert list(traces[::2].name) == NAMES[::2]
    assert list(traces[-2:].name) == NAMES[-2:]
    assert list(traces[2:2].name) == []
    assert traces[2:2].to_bytes() == b""
    assert traces[:] is traces
    with pytest.raises(ValueError, match="positive"):
        traces[::-1]


def test_masks_of_another_length_or_type_are_refused(traces: Traces) -> None:
    with pytest.raises(ValueError, match=r"5 items .* \(5,\), not \(4,\)"):
        traces.filter([True] * 4)
    with pytest.raises(TypeError, match="bool, not of int"):
        traces.filter(np.array([0, 1, 2, 3, 4]))
    with pytest.raises(ValueError, match="the mask has 3 values for 5 items"):
        traces._columns.select(b"\1\1\1")


def test_repr_tells_what_it_is(traces: Traces) -> None:
    assert repr(traces) == "<Traces of 5 spans, 1 resources>"
    assert repr(traces.events) == "<Events of 5 rows>"
    assert repr(traces.name) == "<TextColumn of 5 rows, 4 distinct strings>"
    assert repr(otlp_fast.decode_logs(b"")) == "<Logs of 0 log records, 0 resources>"


def test_unknown_tables_are_refused_by_name(traces: Traces) -> None:
    with pytest.raises(KeyError, match="no table 'points'"):
        traces.table("points")
    assert traces._columns.table("points") is None
    assert traces._columns.attributes("resource") is None
    assert traces._columns.attribute("points", "key") is None
    with pytest.raises(KeyError):
        traces._columns.row("events", 0)
    with pytest.raises(IndexError, match="no row 5"):
        traces._columns.row("spans", 5)
    with pytest.raises(IndexError):
        traces[5]
    with pytest.raises(IndexError):
        traces[-6]


@pytest.mark.parametrize(
    ("data", "offset", "path"),
    [
        (b"\x08\x01", 0, "resource_spans"),
        (b"\x0a\x05\x12", 1, "resource_spans[0]"),
        (request_of("a")[:-1], 1, "resource_spans[0]"),
        (b"\x0a\x09\x12\x07\x12\x05\x2a\x03\xff\xff\xff", 7, "resource_spans[0].scope_spans[0].spans[0].name"),
        (b"\x0a\x07\x12\x05\x12\x03\x0a\x01\x01", 7, "resource_spans[0].scope_spans[0].spans[0].trace_id"),
    ],
)
def test_malformed_requests_are_refused_with_offset_and_path(data: bytes, offset: int, path: str) -> None:
    with pytest.raises(otlp_fast.DecodeError) as caught:
        otlp_fast.decode_traces(data)
    assert (caught.value.offset, caught.value.path) == (offset, path)
    assert f"at offset {offset} in {path}" in str(caught.value)


def test_every_cut_of_a_request_is_refused() -> None:
    data = request_of("a", "b")
    for end in range(len(data)):
        if end == 0:
            assert len(otlp_fast.decode_traces(data[:end])) == 0
            continue
        with pytest.raises(otlp_fast.DecodeError) as caught:
            otlp_fast.decode_traces(data[:end])
        assert 0 <= caught.value.offset <= end


def test_limits_are_named_by_the_error_that_they_cause() -> None:
    data = request_of(*NAMES)
    with pytest.raises(otlp_fast.DecodeError, match="bytes long, more than max_bytes") as caught:
        otlp_fast.decode_traces(data, max_bytes=len(data) - 1)
    assert (caught.value.offset, caught.value.path) == (0, "")
    with pytest.raises(otlp_fast.DecodeError, match="max_items") as caught:
        otlp_fast.decode_traces(data, max_items=4)
    assert caught.value.path == "resource_spans[0].scope_spans[0].spans[4]"
    assert data[caught.value.offset :].startswith(b"\x12") or caught.value.offset > 0
    with pytest.raises(otlp_fast.DecodeError, match="nested too deeply"):
        otlp_fast.decode_traces(data, max_depth=2)
    assert len(otlp_fast.decode_traces(data, max_bytes=len(data), max_items=5, max_depth=6)) == 5


def test_values_nested_too_deeply_are_refused() -> None:
    def request_with(levels: int) -> bytes:
        request = REQUESTS["logs"]()
        value = request.resource_logs.add().scope_logs.add().log_records.add().body
        for _ in range(levels):
            value = value.array_value.values.add()
        value.int_value = 1
        return bytes(request.SerializeToString())

    body = otlp_fast.decode_logs(request_with(40))[0].body
    for _ in range(40):
        [body] = body
    assert body == 1
    with pytest.raises(otlp_fast.DecodeError, match="nested too deeply") as caught:
        otlp_fast.decode_logs(request_with(60))
    assert caught.value.path.startswith("resource_logs[0].scope_logs[0].log_records[0].body.array_value.values[0]")
    deep = otlp_fast.decode_logs(request_with(60), max_depth=500)
    assert deep[0].body is not None
    assert deep.filter([False]).to_bytes() == b""
