"""What is written from tables is what protobuf writes, and what cannot be written is said with its place."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otlp_fast import EncodeError, _core
from otlp_fast.columns import write_logs, write_metrics, write_traces
from tests.columns_oracle import DECODE, REQUESTS, tables_of
from tests.corpora import CORPORA, read_requests
from tests.messages import requests

WRITE: dict[str, Callable[[Any], bytes]] = {"traces": write_traces, "logs": write_logs, "metrics": write_metrics}
GROUPS = {"traces": "spans", "logs": "logs", "metrics": "metrics"}


def canonical(data: bytes, signal: str) -> bytes:
    """A request as protobuf writes it, of what has a column and in the form that docs/columns.md says."""
    request = REQUESTS[signal].FromString(data)
    request.DiscardUnknownFields()
    for resource_group in getattr(request, f"resource_{GROUPS[signal]}"):
        resource_group.resource.SetInParent()
        resource_group.resource.ClearField("entity_refs")
        for scope_group in getattr(resource_group, f"scope_{GROUPS[signal]}"):
            scope_group.scope.SetInParent()
    settle(request)
    written: bytes = request.SerializeToString(deterministic=True)
    return written


def settle(message: Any) -> None:
    """Settles what a message and those in it can say in two ways."""
    for field, content in message.ListFields():
        kind = field.message_type.name if field.message_type else ""
        is_no_id = field.name in ("trace_id", "span_id", "parent_span_id") and not any(content)
        if is_no_id or (kind in ("Status", "Buckets") and not content.ByteSize()):
            message.ClearField(field.name)
        elif kind == "KeyValue":
            for pair in content:
                pair.value.SetInParent()
        elif kind not in ("", "AnyValue"):
            for part in content if field.is_repeated else [content]:
                settle(part)


@pytest.mark.parametrize("signal", WRITE)
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_generated_tables_are_written_as_protobuf_writes_them(signal: str, data: st.DataObject) -> None:
    request = data.draw(requests(signal))
    expected = canonical(request, signal)
    assert WRITE[signal](tables_of(request, signal)) == expected
    assert WRITE[signal](DECODE[signal](request).tables()) == expected


@pytest.mark.parametrize("name", CORPORA)
def test_captured_requests_are_written_as_protobuf_writes_them(name: str) -> None:
    signal = CORPORA[name]
    for data in islice(read_requests(name), 0, 60, 7):
        decoded = DECODE[signal](data)
        assert WRITE[signal](decoded.tables()) == canonical(data, signal)


def native(**columns: Any) -> bytes:
    return _core.write_tables("traces", {"spans": columns})


IDS = [bytes(range(16)), bytes(16)]
TIMES = np.array([5, 2**64 - 1], dtype=np.uint64)


@pytest.mark.parametrize(
    "trace_id",
    [
        np.array(IDS, dtype="V16"),
        np.array(IDS, dtype="S16"),
        np.frombuffer(b"".join(IDS), dtype=np.uint8).reshape(2, 16),
        b"".join(IDS),
        bytearray(b"".join(IDS)),
        pa.array(IDS, pa.binary(16)).buffers()[1],
    ],
    ids=["V16", "S16", "uint8", "bytes", "bytearray", "arrow"],
)
def test_ids_may_stand_in_any_array_of_their_bytes(trace_id: Any) -> None:
    (span, other) = REQUESTS["traces"].FromString(native(trace_id=trace_id)).resource_spans[0].scope_spans[0].spans
    assert (span.trace_id, other.trace_id) == (IDS[0], b"")


@pytest.mark.parametrize("times", [TIMES, TIMES.tobytes(), pa.py_buffer(TIMES), memoryview(TIMES.tobytes())])
def test_numbers_may_stand_in_any_array_of_their_type_or_of_bytes(times: Any) -> None:
    spans = REQUESTS["traces"].FromString(native(start_time_unix_nano=times)).resource_spans[0].scope_spans[0].spans
    assert [span.start_time_unix_nano for span in spans] == TIMES.tolist()


def test_integers_of_64_bits_in_lists_keep_all_their_digits() -> None:
    spans = {"start_time_unix_nano": [1, 2**63 + 1], "end_time_unix_nano": [2**64 - 1, 0]}
    assert write_traces({"spans": spans}) == write_traces({"spans": {k: np.array(v, "u8") for k, v in spans.items()}})


def test_memory_that_is_not_aligned_is_read() -> None:
    shifted = np.frombuffer(b"-" + TIMES.tobytes(), dtype=np.uint8)[1:]
    assert native(start_time_unix_nano=shifted) == native(start_time_unix_nano=TIMES)


def test_decoded_arrays_are_read_where_they_are() -> None:
    data = native(name=(np.array([1, 0], "u4"), np.array([0, 0, 2], "u4"), b"ab"), trace_id=b"".join(IDS))
    columns = _core.decode(data, "traces")
    tables = {name: columns.table(name) or {} for name in ("resources", "scopes", "spans")}
    assert isinstance(tables["spans"]["trace_id"], _core.Array)
    del columns
    assert _core.write_tables("traces", tables) == data


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("kind", [1], "expected a contiguous array of i32, found list"),
        ("kind", None, "expected a contiguous array of i32, found NoneType"),
        ("kind", np.zeros(1, "u4"), 'expected a contiguous array of i32, found items of format "I"'),
        ("kind", np.zeros(1, "i8"), 'expected a contiguous array of i32, found items of format "l"'),
        ("kind", np.zeros(1, ">i4"), 'expected a contiguous array of i32, found items of format ">i"'),
        ("kind", np.zeros(1, "f4"), 'expected a contiguous array of i32, found items of format "f"'),
        ("kind", b"abc", 'expected a contiguous array of i32, found items of format "B"'),
        ("kind", np.zeros(4, "i4")[::2], "expected a contiguous array of i32, found one that is not"),
        ("flags", np.zeros(1, "i4"), 'expected a contiguous array of u32, found items of format "i"'),
        ("trace_id", np.zeros(1, "c16"), 'expected a contiguous array of id16, found items of format "Zd"'),
        ("trace_id", np.zeros(1, "V8"), 'expected a contiguous array of id16, found items of format "8x"'),
        ("start_time_unix_nano", np.zeros(1, "f8"), 'expected a contiguous array of u64, found items of format "d"'),
        ("name", np.zeros(1, "u4"), "expected a tuple (codes, offsets, data)"),
        ("name", (np.zeros(1, "u4"), np.zeros(1, "u4")), "expected a tuple (codes, offsets, data)"),
        ("name", (np.zeros(1, "i4"), np.zeros(1, "u4"), b""), "expected a contiguous array of u32, found"),
        ("events", np.zeros(2, "i4"), 'expected a contiguous array of u32, found items of format "i"'),
        ("names", np.zeros(2, "i4"), "there is no such column"),
    ],
)
def test_columns_of_another_type_are_refused_with_their_path(column: str, values: Any, message: str) -> None:
    with pytest.raises(EncodeError) as caught:
        native(**{column: values})
    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith(f" in spans.{column}")
    assert caught.value.path == f"spans.{column}"


def test_decoded_array_of_another_column_is_refused() -> None:
    spans = _core.decode(native(kind=np.array([1], "i4")), "traces").table("spans") or {}
    with pytest.raises(EncodeError, match="array of i32, found another column"):
        native(kind=spans["flags"])


def test_tables_that_do_not_fit_are_refused_with_their_path() -> None:
    one = {"flags": np.zeros(1, "u4")}
    for tables, path in [
        ({"spans": {"scope": np.array([0, 1], "u4")}}, "spans.scope[1]"),
        ({"spans": one | {"kind": np.zeros(2, "i4")}}, "spans.kind"),
        ({"spans": one, "log_records": one}, "log_records"),
        ({}, "spans"),
    ]:
        with pytest.raises(EncodeError) as caught:
            _core.write_tables("traces", tables)
        assert caught.value.path == path
    with pytest.raises(TypeError):
        _core.write_tables("traces", {"spans": [1]})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match='unknown signal "spans"'):
        _core.write_tables("spans", {})
