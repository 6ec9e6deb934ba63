"""Columns as NumPy arrays: what they are views of, and what keeps them."""

from __future__ import annotations

import gc
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import otlp_fast
from otlp_fast import _core
from otlp_fast.columns import TextColumn, Traces
from tests.columns_oracle import expected_tables, plain_tables
from tests.corpora import read_requests
from tests.messages import NAMES, request_of


@pytest.fixture
def traces() -> Traces:
    return otlp_fast.decode_traces(request_of(*NAMES))


def test_core_columns_are_views_of_memory_that_is_made_once(traces: Traces) -> None:
    for name in ("trace_id", "start_time_unix_nano", "kind", "flags"):
        column = getattr(traces, name)
        assert column is getattr(traces, name)
        assert not column.flags.writeable
        assert not column.flags.owndata
        again = np.asarray(traces._columns.table("spans")[name])
        assert again.__array_interface__["data"] == column.__array_interface__["data"]
    with pytest.raises(ValueError, match="read-only"):
        traces.start_time_unix_nano[0] = 1


def test_dtypes_are_those_of_the_contract(traces: Traces) -> None:
    dtypes = {"u8": "u1", "i32": "i4", "u32": "u4", "i64": "i8", "u64": "u8", "f64": "f8", "offsets": "u4"}
    dtypes |= {"id8": "V8", "id16": "V16"}
    for decoded in (traces, otlp_fast.decode_logs(b""), otlp_fast.decode_metrics(b"")):
        contract = _core.table_types(decoded._signal)
        assert tuple(contract) == decoded._tables
        for table, columns in decoded.tables().items():
            assert columns.keys() == contract[table].keys()
            for column, values in columns.items():
                kind = contract[table][column]
                if kind == "text":
                    assert values.codes.dtype == values.strings.offsets.dtype == np.uint32
                elif kind == "bytes":
                    assert (values.offsets.dtype, values.data.dtype) == (np.uint32, np.uint8)
                else:
                    assert values.dtype == np.dtype(dtypes[kind]), (table, column)


def test_arrays_outlive_what_they_were_taken_from() -> None:
    traces = otlp_fast.decode_traces(request_of(*NAMES))
    times, names, events = traces.start_time_unix_nano, traces.name, traces.events.time_unix_nano
    route = traces.resource["service.name"]
    view = times[1:]
    del traces, times
    gc.collect()
    assert view.tolist() == [2, 3, 4, 5]
    assert names.to_numpy().tolist() == NAMES
    assert events.tolist() == [1, 2, 3, 4, 5]
    assert set(route) == {"shop"}


def test_views_hold_the_array_that_they_were_made_of_and_let_it_go(traces: Traces) -> None:
    array = traces._columns.table("spans")["kind"]
    references = sys.getrefcount(array)
    view = np.asarray(array)
    with memoryview(array):
        assert sys.getrefcount(array) == references + 2
    del view
    gc.collect()
    assert sys.getrefcount(array) == references


def test_array_supports_each_kind_of_request_for_a_buffer(traces: Traces) -> None:
    array = traces._columns.table("spans")["trace_id"]
    with memoryview(array) as view:
        assert (view.format, view.itemsize, view.shape, view.strides) == ("16s", 16, (5,), (16,))
        assert view.readonly
        assert view.contiguous
        assert view.tobytes()[16:18] == b"\2\0"
    assert len(array) == 5
    assert b"".join([array])[:1] == b"\1"
    with pytest.raises((BufferError, TypeError)):
        # A read-only buffer is no place to read into.
        memoryview(array).cast("B")[0] = 1
    import io

    with pytest.raises((BufferError, TypeError)):
        io.BytesIO(bytes(80)).readinto(array)


def test_ids_keep_their_zeros_and_can_be_compared_and_grouped(traces: Traces) -> None:
    ids = traces.trace_id
    assert bytes(ids[0]) == b"\1" + bytes(15)
    assert (ids == np.void(b"\2" + bytes(15))).tolist() == [False, True, False, False, False]
    assert len(np.unique(ids)) == 5
    assert traces.parent_span_id.tolist() == [bytes(8)] * 5


def test_text_is_compared_by_codes_and_given_out_as_str(traces: Traces) -> None:
    names = traces.name
    assert (names == "GET /").tolist() == [True, False, False, True, False]
    assert (names != "GET /").tolist() == [False, True, True, False, True]
    assert (names == "nowhere").tolist() == [False] * 5
    assert names[2] == names[-3] == "größe"
    assert list(names[1:3]) == ["", "größe"]
    assert list(names[np.array([4, 0])]) == ["SELECT", "GET /"]
    assert names.dictionary.tolist() == ["", "GET /", "größe", "SELECT"]
    assert names.dictionary[names.codes].tolist() == NAMES
    assert isinstance(names, TextColumn)
    with pytest.raises(IndexError):
        names[5]


def test_buffers_and_other_bytes_can_be_decoded() -> None:
    data = request_of("a")
    for given in (bytearray(data), memoryview(data), memoryview(bytearray(data))):
        assert otlp_fast.decode_traces(given).to_bytes() == data
    written = bytearray(data)
    decoded = otlp_fast.decode_traces(written)
    written[:] = bytes(len(written))
    assert decoded[0].name == "a"
    with pytest.raises(TypeError):
        otlp_fast.decode_traces("text")  # type: ignore[arg-type]


def test_released_buffer_stays_readable_for_what_was_decoded_from_it() -> None:
    encoder = otlp_fast.SpanEncoder()
    from opentelemetry.sdk.trace import TracerProvider

    provider = TracerProvider(shutdown_on_exit=False)
    with provider.get_tracer("t").start_as_current_span("kept") as span:
        pass
    encoder.add(span)
    buffer = encoder.finish()
    decoded = otlp_fast.decode_traces(buffer)
    expected = bytes(buffer)
    buffer.release()
    for _ in range(100):
        # Whatever takes memory from the pool now does not get this.
        encoder.add(span)
        encoder.finish().release()
    assert decoded.to_bytes() == expected
    assert decoded[0].name == "kept"


def test_threads_decode_the_same_bytes_at_once() -> None:
    data = max(read_requests("metrics-exponential-histogram"), key=len)
    expected = expected_tables(data, "metrics")
    decoded = otlp_fast.decode_metrics(data)

    def work(number: int) -> bool:
        own = decoded if number % 2 else otlp_fast.decode_metrics(data)
        return plain_tables(own.tables()) == expected

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))
