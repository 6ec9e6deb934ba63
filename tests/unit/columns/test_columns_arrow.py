"""Requests as Arrow tables: other libraries read them, and they come back."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.metrics.v1.metrics_pb2 import NumberDataPoint

import otlp_fast
from otlp_fast.columns import Logs, Metrics, Traces
from otlp_fast.columns.arrow.copies import copied_sizes
from tests.columns_oracle import DECODE, REQUESTS, python_value
from tests.corpora import CORPORA, read_requests
from tests.messages import NAMES, request_of, requests


def items_of(data: bytes, signal: str) -> list[str]:
    """Each item of a request with what encloses it, as text, in which NaN is equal to itself."""
    request = REQUESTS[signal].FromString(data)
    prefix, items = {"traces": ("spans", "spans"), "logs": ("logs", "log_records"), "metrics": ("metrics", "metrics")}[
        signal
    ]
    found = []
    for group in getattr(request, f"resource_{prefix}"):
        for scope in getattr(group, f"scope_{prefix}"):
            plain(group.resource), plain(scope.scope)
            around = f"{group.resource} {group.schema_url} {scope.scope} {scope.schema_url}"
            for item in getattr(scope, items):
                found += [f"{around} {one}" for one in (points_of(item) if signal == "metrics" else [plain(item)])]
    return found


def plain(message: Any) -> Any:
    """A message without the forms that mean the same: an id of zeros is none, an empty status no status."""
    for name in ("trace_id", "span_id", "parent_span_id"):
        if not any(getattr(message, name, b"x")):
            message.ClearField(name)
    for name in ("status", "positive", "negative"):
        if hasattr(message, name) and not getattr(message, name).ByteSize():
            message.ClearField(name)
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.name == "AnyValue":
            continue
        for inner in value if isinstance(value, Iterable) else [value]:
            if field.message_type.name == "KeyValue":
                # An attribute without a value has an empty one.
                inner.value.SetInParent()
            else:
                plain(inner)
    return message


def points_of(metric: Any) -> list[str]:
    kind = plain(metric).WhichOneof("data")
    points = [] if kind is None else list(getattr(metric, kind).data_points)
    if kind is not None:
        getattr(metric, kind).ClearField("data_points")
    return [f"{metric} {point}" for point in points]


def check_round_trip(data: bytes, signal: str) -> None:
    decoded = DECODE[signal](data)
    table = decoded.to_arrow()
    table.validate(full=True)
    assert table.num_rows == len(decoded)
    back = type(decoded).from_arrow(table)
    # Equal groups are put into one, so that the items may have another order.
    assert sorted(items_of(back.to_bytes(), signal)) == sorted(items_of(data, signal))


@pytest.mark.parametrize("signal", DECODE)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_generated_requests_come_back_from_arrow(signal: str, data: st.DataObject) -> None:
    check_round_trip(data.draw(requests(signal)), signal)


@pytest.mark.parametrize("name", CORPORA)
def test_captured_requests_come_back_from_arrow_and_from_parquet(name: str) -> None:
    signal = CORPORA[name]
    for data in islice(read_requests(name), 0, 30, 10):
        check_round_trip(data, signal)
    decoded = DECODE[signal](data)
    file = io.BytesIO()
    pyarrow.parquet.write_table(decoded.to_arrow(), file)
    stored = pyarrow.parquet.read_table(file)
    assert stored.equals(decoded.to_arrow())
    back = type(decoded).from_arrow(stored)
    assert sorted(items_of(back.to_bytes(), signal)) == sorted(items_of(data, signal))


def test_items_keep_their_order_and_join_their_equals() -> None:
    traces = otlp_fast.decode_traces(request_of(*NAMES) + request_of("other") + request_of(*NAMES))
    assert len(traces.resources) == 3
    back = Traces.from_arrow(traces)
    assert len(back.resources) == len(back.scopes) == 1
    assert list(back.name) == [*NAMES, "other", *NAMES]
    pieces = pa.concat_tables([traces[:3].to_arrow(), traces[3:].to_arrow()])
    assert pieces.column("name").num_chunks == 2
    assert Traces.from_arrow(pieces).to_bytes() == back.to_bytes()


def test_numbers_and_names_of_arrow_are_the_memory_of_the_request() -> None:
    traces = otlp_fast.decode_traces(request_of(*NAMES))
    table = traces.to_arrow()

    def address(name: str, buffer: int) -> int:
        return int(table.column(name).chunk(0).buffers()[buffer].address)

    assert address("start_time_unix_nano", 1) == traces.start_time_unix_nano.ctypes.data
    assert address("trace_id", 1) == traces.trace_id.ctypes.data
    assert address("name", 1) == traces.name.codes.ctypes.data
    del traces
    assert table.column("name").to_pylist() == NAMES


def test_what_is_absent_is_null_or_nothing() -> None:
    request = REQUESTS["logs"]()
    records = request.resource_logs.add().scope_logs.add().log_records
    records.add()
    records.add(trace_id=b"\1" * 16).body.string_value = "x"
    table = Logs.decode(request.SerializeToString()).to_arrow()
    assert table.column("trace_id").to_pylist() == [None, b"\1" * 16]
    value = {"int": None, "double": None, "bytes": None}
    assert table.column("body").to_pylist() == [None, {"type": 1, "text": "x"} | value]
    assert table.column("attributes").to_pylist() == [[], []]
    assert table.column("time_unix_nano").to_pylist() == [0, 0]


def test_polars_reads_a_request_and_gives_it_back() -> None:
    data = next(iter(read_requests("astronomy-traces")))
    traces = otlp_fast.decode_traces(data)
    frame = polars.DataFrame(traces)
    counts = frame.group_by("name").len().sort("name")
    names = list(traces.name)
    assert dict(counts.iter_rows()) == {name: names.count(name) for name in set(names)}
    assert frame["start_time_unix_nano"].to_list() == traces.start_time_unix_nano.tolist()
    assert frame["attributes"].list.len().to_list() == [len(span.attributes) for span in traces]
    back = Traces.from_arrow(frame)
    assert sorted(items_of(back.to_bytes(), "traces")) == sorted(items_of(data, "traces"))


def test_duckdb_reads_a_request_and_gives_it_back() -> None:
    data = next(iter(read_requests("astronomy-traces")))
    traces = otlp_fast.decode_traces(data)
    relation = duckdb.sql("select name, count(*) from traces group by name")
    names = list(traces.name)
    assert dict(relation.fetchall()) == {name: names.count(name) for name in set(names)}
    query = "select a.text from (select unnest(attributes) a from traces) where a.key = 'http.method' and a.type = 1"
    methods = traces.attributes["http.method"]
    assert sorted(row[0] for row in duckdb.sql(query).fetchall()) == sorted(methods.values[methods.types == 1])
    back = Traces.from_arrow(duckdb.sql("select * from traces").to_arrow_table())
    assert sorted(items_of(back.to_bytes(), "traces")) == sorted(items_of(data, "traces"))


def test_lists_hold_no_dictionary_with_nulls() -> None:
    # DuckDB before 2 writes past the end of its memory where they do and there are more than 2048 elements.
    request = REQUESTS["traces"]()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.attributes.add(key="i").value.int_value = 1
    span.events.add().attributes.add(key="b").value.bool_value = True
    table = Traces.decode(request.SerializeToString()).to_arrow()

    def check(array: pa.Array) -> None:
        if pa.types.is_dictionary(array.type):
            assert array.null_count == 0
        elif pa.types.is_list(array.type):
            check(array.flatten())
        elif pa.types.is_struct(array.type):
            for inner in array.flatten():
                check(inner)

    for name in ("attributes", "events", "resource", "scope"):
        check(table.column(name).chunk(0))


def test_metrics_are_rows_that_other_libraries_can_sum() -> None:
    data = next(iter(read_requests("hostandcollector-metrics")))
    metrics = otlp_fast.decode_metrics(data)
    found = duckdb.sql("select name, count(*) from metrics where kind = 5 group by name").fetchall()
    names = [point.metric.name for point in metrics if point.metric.kind == 5]
    assert dict(found) == {name: names.count(name) for name in set(names)}
    back = Metrics.from_arrow(polars.DataFrame(metrics))
    assert sorted(items_of(back.to_bytes(), "metrics")) == sorted(items_of(data, "metrics"))


def test_tables_may_have_few_columns_of_other_types() -> None:
    table = pa.table(
        {
            "name": pa.array(["a", None, "b"], pa.large_string()),
            "start_time_unix_nano": pa.array([1, 2, None], pa.timestamp("ns", "UTC")),
            "end_time_unix_nano": pa.array([5, 6, 7], pa.int64()),
            "kind": pa.array([1, 2, None], pa.int8()),
            "trace_id": pa.array([b"\1" * 16, None, b""], pa.binary()),
            "resource": pa.array([{"attributes": [{"key": "service.name", "text": "shop"}]}] * 2 + [None]),
            "attributes": pa.array(
                [[{"key": "a", "int": 1}, {"key": "b", "double": 0.5}], None, [{"key": "c", "bytes": b"x"}]],
                pa.large_list(
                    pa.struct({"key": pa.string(), "int": pa.int32(), "double": pa.float64(), "bytes": pa.binary()})
                ),
            ),
        }
    )
    traces = Traces.from_arrow(table)
    assert len(traces.resources) == 2
    assert list(traces.name) == ["a", "", "b"]
    assert traces.start_time_unix_nano.tolist() == [1, 2, 0]
    assert traces.end_time_unix_nano.tolist() == [5, 6, 7]
    assert traces.kind.tolist() == [1, 2, 0]
    assert [bytes(one) for one in traces.trace_id] == [b"\1" * 16, bytes(16), bytes(16)]
    assert list(traces.resource["service.name"]) == ["shop", "shop", None]
    assert [span.attributes for span in traces] == [{"a": 1, "b": 0.5}, {}, {"c": b"x"}]
    assert otlp_fast.columns.write_traces(table) == traces.to_bytes()


@pytest.mark.parametrize(
    ("columns", "path", "message"),
    [
        ({"label": ["a"]}, "label", "there is no such column"),
        ({"name": [1.5, 2]}, "name", "expected strings"),
        ({"kind": ["server"]}, "kind", "expected numbers that are int32"),
        ({"kind": [2**40]}, "kind", "expected numbers that are int32"),
        ({"start_time_unix_nano": [-1]}, "start_time_unix_nano", "expected numbers that are uint64"),
        ({"trace_id": [b"\1" * 16, b"short"]}, "trace_id[1]", "expected an id of 16 bytes, not of 5"),
        ({"attributes": [1]}, "attributes", "expected lists"),
        ({"attributes": [[{"key": 1}]]}, "attributes.key", "expected strings"),
        ({"attributes": [[{"kee": "k"}]]}, "attributes.kee", "there is no such column"),
        ({"resource": ["shop"]}, "resource", "expected structs"),
        ({"events": [[{"name": [1]}]]}, "events.name", "expected strings"),
    ],
)
def test_columns_that_do_not_fit_are_refused_by_name(columns: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(otlp_fast.EncodeError, match=message) as caught:
        Traces.from_arrow(pa.table(columns))
    assert caught.value.path == path
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("columns", "path", "kind"),
    [
        ({"kind": [9, 5], "count": [1, 1]}, "count[1]", 5),
        ({"kind": [7, 5], "sum": [None, 0.0]}, "sum[1]", 5),
        ({"kind": [9, 11], "min": [None, 1.0]}, "min[1]", 11),
        ({"kind": [11], "max": [1.0]}, "max[0]", 11),
        ({"kind": [9, 10], "bucket_counts": [[1], [1]]}, "bucket_counts[1]", 10),
        ({"kind": [5], "explicit_bounds": [[0.0]]}, "explicit_bounds[0]", 5),
        ({"kind": [10, 9], "scale": [1, 1]}, "scale[1]", 9),
        ({"kind": [10, 9], "positive": [[1], [1, 2]]}, "positive[1]", 9),
        ({"kind": [5], "negative_offset": [1]}, "negative_offset[0]", 5),
        ({"kind": [9], "quantiles": [[{"quantile": 0.5, "value": 1.0}]]}, "quantiles[0]", 9),
    ],
)
def test_parts_of_points_that_have_none_are_refused(columns: dict[str, Any], path: str, kind: int) -> None:
    with pytest.raises(otlp_fast.EncodeError, match=f"a point of a metric of kind {kind} has none") as caught:
        Metrics.from_arrow(pa.table(columns))
    assert caught.value.path == path


def test_empty_lists_are_nothing_that_a_point_could_not_have() -> None:
    columns = {"kind": pa.array([5]), "bucket_counts": pa.array([[]], pa.list_(pa.uint64()))}
    assert len(Metrics.from_arrow(pa.table(columns))) == 1


@pytest.mark.parametrize("name", ["exemplars.", ""])
def test_double_and_int_of_one_value_are_refused(name: str) -> None:
    both = {"double": [1.0, None, 1.0], "int": [None, 2, 2]}
    rows = [dict(zip(both, row, strict=True)) for row in zip(*both.values(), strict=True)]
    columns = {"exemplars": [rows, [], []]} if name else both
    with pytest.raises(otlp_fast.EncodeError, match="there is a double as well") as caught:
        Metrics.from_arrow(pa.table({"kind": [5, 5, 5], **columns}))
    assert caught.value.path == f"{name}int[2]"


@pytest.mark.parametrize("make", [pa.list_, pa.large_list, pa.list_view, pa.large_list_view])
def test_lists_of_every_kind_are_read(make: Callable[[pa.DataType], pa.DataType]) -> None:
    rows = [[{"key": "a", "text": "x"}], None, [], [{"key": "b", "text": "y"}, {"key": "c", "text": "z"}]]
    array = pa.array([None, *rows, rows[3]], make(pa.struct([("key", pa.string()), ("text", pa.string())])))
    for attributes, expected in ((array[1:5], rows), (array.take(pa.array([4, 2, 1])), [rows[3], rows[1], rows[0]])):
        spans = Traces.from_arrow(pa.table({"attributes": attributes}))
        found = [{pair["key"]: pair["text"] for pair in row["attributes"]} for row in spans.to_arrow().to_pylist()]
        assert found == [{pair["key"]: pair["text"] for pair in row or []} for row in expected]


def test_views_of_more_elements_than_a_request_can_have_are_refused() -> None:
    offsets, lengths = pa.array([0] * 2048, pa.int32()), pa.array([1 << 20] * 2048, pa.int32())
    views = pa.ListViewArray.from_arrays(offsets, lengths, pa.array(bytearray(1 << 20), pa.uint8()))
    with pytest.raises(otlp_fast.EncodeError, match="bucket_counts: no request is as long"):
        Metrics.from_arrow(pa.table({"kind": [9] * 2048, "bucket_counts": views}))


def test_lists_of_fixed_size_are_read() -> None:
    rows = [[1, 2], None, [3, 4]]
    lists = pa.array([[5, 6], *rows], pa.list_(pa.uint64(), 2))[1:]
    points = Metrics.from_arrow(pa.table({"kind": [9] * 3, "bucket_counts": lists}))
    assert [row["bucket_counts"] for row in points.to_arrow().to_pylist()] == [[1, 2], [], [3, 4]]


@pytest.mark.parametrize("make", [pa.list_view, pa.large_list_view])
def test_views_in_any_order_and_over_each_other_are_read(make: Callable[[pa.DataType], pa.DataType]) -> None:
    kind, offset = make(pa.uint64()), pa.int32() if make is pa.list_view else pa.int64()
    offsets, lengths = pa.array([2, 0, 1, 7], offset), pa.array([2, 0, 3, 0], offset)
    views = type(pa.array([], kind)).from_arrays(offsets, lengths, pa.array([1, 2, 3, 4, 5, 6, 7], pa.uint64()))
    points = Metrics.from_arrow(pa.table({"kind": [9] * 4, "bucket_counts": views}))
    assert [row["bucket_counts"] for row in points.to_arrow().to_pylist()] == [[3, 4], [], [2, 3, 4], []]


def test_tables_without_rows_are_requests_without_items() -> None:
    for signal, decode in DECODE.items():
        empty = decode(b"")
        assert empty.to_arrow().num_rows == 0
        assert len(type(empty).from_arrow(empty.to_arrow())) == 0, signal


def metrics_within(part: str, pairs: dict[str, bytes], points: int) -> Metrics:
    """Points of one metric, where a resource, a scope or the metric has these attributes."""
    request = REQUESTS["metrics"]()
    resource = request.resource_metrics.add()
    scope = resource.scope_metrics.add()
    metric = scope.metrics.add()
    metric.gauge.data_points.extend([NumberDataPoint()] * points)
    owners = {"resource": resource.resource.attributes, "scope": scope.scope.attributes, "metadata": metric.metadata}
    for key, value in pairs.items():
        owners[part].add(key=key).value.bytes_value = value
    return Metrics.decode(request.SerializeToString())


@pytest.mark.parametrize("part", ["resource", "scope", "metadata"])
@pytest.mark.parametrize(
    "pairs", [{str(number): b"" for number in range(10_000)}, {"": bytes(400_000)}], ids=["many", "long"]
)
def test_copies_out_of_proportion_are_refused(part: str, pairs: dict[str, bytes]) -> None:
    request = metrics_within(part, pairs, 100)
    column = request.to_arrow()[part].combine_chunks()
    copies = column if part == "metadata" else column.field("attributes")
    estimate = int(copied_sizes(request, has_text=False).sum())
    assert copies.nbytes - 10_000 <= estimate < 1.2 * copies.nbytes
    with pytest.raises(otlp_fast.EncodeError, match=r"1,000 items has its own copy of them: .* cut it first"):
        metrics_within(part, pairs, 1_000).to_arrow()


@pytest.mark.parametrize("name", CORPORA)
def test_captured_requests_are_in_proportion(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otlp_fast.columns.arrow.copies.FREE_BYTES", 0)
    request = DECODE[CORPORA[name]](next(read_requests(name)))
    assert request.to_arrow().num_rows == len(request)


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(TypeError):
        Traces.from_arrow(object())


def test_attribute_columns_become_arrays_of_their_type() -> None:
    request = REQUESTS["traces"]()
    spans = request.resource_spans.add().scope_spans.add().spans
    for number in range(3):
        span = spans.add()
        span.attributes.add(key="s").value.string_value = f"{number % 2}"
        span.attributes.add(key="i").value.int_value = number
        span.attributes.add(key="b").value.bool_value = number == 1
        span.attributes.add(key="d").value.double_value = number / 2
        mixed = span.attributes.add(key="m").value
        mixed.CopyFrom(span.attributes[number % 3].value)
        if number:
            span.attributes.add(key="n").value.bytes_value = b"x"
    attributes = otlp_fast.decode_traces(request.SerializeToString()).attributes
    assert attributes["s"].to_arrow().type == pa.dictionary(pa.int32(), pa.string())
    assert attributes["s"].to_arrow().to_pylist() == ["0", "1", "0"]
    assert attributes["i"].to_arrow().equals(pa.array([0, 1, 2]))
    assert attributes["b"].to_arrow().equals(pa.array([False, True, False]))
    assert attributes["d"].to_arrow().equals(pa.array([0.0, 0.5, 1.0]))
    assert attributes["n"].to_arrow().equals(pa.array([None, b"x", b"x"]))
    assert attributes["nowhere"].to_arrow().null_count == 3
    mixed = attributes["m"].to_arrow()
    assert mixed.field("type").to_pylist() == [1, 3, 2]
    assert [value["text"] for value in mixed.to_pylist()] == ["0", "", ""]
    assert [value["int"] for value in attributes["m"][1:].to_arrow().to_pylist()] == [1, 0]


@settings(max_examples=30, deadline=None)
@given(data=requests("logs"))
def test_bodies_and_attributes_are_readable_in_arrow(data: bytes) -> None:
    rows = otlp_fast.decode_logs(data).to_arrow().to_pylist()
    records = [
        record
        for group in REQUESTS["logs"].FromString(data).resource_logs
        for scope in group.scope_logs
        for record in scope.log_records
    ]
    for row, record in zip(rows, records, strict=True):
        assert (row["body"] is None) == (not record.HasField("body"))
        assert [pair["key"] for pair in row["attributes"]] == [pair.key for pair in record.attributes]
        for found, expected in zip(row["attributes"], record.attributes, strict=True):
            if found["type"] == 1:
                assert found["text"] == python_value(expected.value)
        assert row["severity_text"] == record.severity_text
