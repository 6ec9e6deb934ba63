"""Tables of NumPy arrays and of lists as requests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import otlp_fast
from otlp_fast.columns import decode_traces, write_logs, write_metrics, write_traces
from tests.columns_oracle import DECODE, REQUESTS, plain_tables
from tests.corpora import CORPORA, read_requests
from tests.messages import NAMES, request_of, requests

WRITE: dict[str, Any] = {"traces": write_traces, "logs": write_logs, "metrics": write_metrics}


@pytest.mark.parametrize("signal", WRITE)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_decoded_tables_of_generated_requests_are_written_and_read_back(signal: str, data: st.DataObject) -> None:
    tables = DECODE[signal](data.draw(requests(signal))).tables()
    assert plain_tables(DECODE[signal](WRITE[signal](tables)).tables()) == plain_tables(tables)


@pytest.mark.parametrize("name", CORPORA)
def test_decoded_tables_of_captured_requests_are_written_and_read_back(name: str) -> None:
    signal = CORPORA[name]
    tables = DECODE[signal](next(iter(read_requests(name)))).tables()
    assert plain_tables(DECODE[signal](WRITE[signal](tables)).tables()) == plain_tables(tables)


def test_tables_made_by_hand_are_requests() -> None:
    data = write_traces(
        {
            "resources": {"attributes": [0, 1]},
            "resources.attributes": {"key": ["service.name"], "type": [1], "text": ["shop"]},
            "scopes": {"resource": [0, 0], "name": ["a", "b"], "attributes": np.zeros(3, dtype=np.int8)},
            "spans": {
                "scope": [0, 1, 0],
                "name": ["one", "zwei ☃", "one"],
                "trace_id": [b"\1" * 16, b"", b"\2" * 16],
                "span_id": np.array([b"\1" * 8, b"\0" * 8, b"\2" * 8], dtype="S8"),
                "start_time_unix_nano": np.array(["2026-01-01", "2026-01-02", "1970-01-01"], dtype="M8[s]"),
                "end_time_unix_nano": np.array([1.0, 2.0, 3.0]),
                "kind": [True, False, True],
                "attributes": [0, 2, 2, 3],
            },
            "spans.attributes": {
                "key": ["i", "b", "d"],
                "type": [3, 7, 4],
                "int": [-5, 0, 0],
                "bytes": [b"", b"\0", b""],
                "double": [0, 0, 7],
            },
        }
    )
    traces = otlp_fast.decode_traces(data)
    assert list(traces.name) == ["one", "one", "zwei ☃"], "a scope's items stand together"
    assert list(traces.scope.name) == ["a", "a", "b"]
    assert set(traces.resource["service.name"]) == {"shop"}
    assert [span.attributes for span in traces] == [{"i": -5, "b": b"\0"}, {"d": 7.0}, {}]
    assert traces.start_time_unix_nano.tolist() == [1767225600 * 10**9, 0, 1767312000 * 10**9]
    assert traces.end_time_unix_nano.tolist() == [1, 3, 2]
    assert [bytes(one)[:1] for one in traces.span_id] == [b"\1", b"\2", b"\0"]
    assert traces.kind.tolist() == [1, 1, 0]


def test_changed_columns_are_written() -> None:
    tables = otlp_fast.decode_traces(request_of(*NAMES)).tables()
    tables["spans"]["start_time_unix_nano"] = tables["spans"]["start_time_unix_nano"] + np.uint64(1000)  # type: ignore[operator]
    tables["spans"]["name"] = [name.upper() for name in NAMES]  # type: ignore[assignment]
    written = otlp_fast.decode_traces(write_traces(tables))
    assert written.start_time_unix_nano.tolist() == [1001, 1002, 1003, 1004, 1005]
    assert list(written.name) == [name.upper() for name in NAMES]
    assert list(written.events.name) == [f"event {number}" for number in range(1, 6)]


def test_lone_surrogates_become_replacement_characters() -> None:
    [span] = otlp_fast.decode_traces(write_traces({"spans": {"name": ["a\ud800b"]}}))
    assert span.name == "a\ufffdb"


def test_log_records_and_points_can_be_made_by_hand() -> None:
    [record] = otlp_fast.decode_logs(
        write_logs({"log_records": {"severity_number": [9], "body_type": [1], "body_text": ["hello"]}})
    )
    assert (record.severity_number, record.body) == (9, "hello")
    metrics = otlp_fast.decode_metrics(
        write_metrics(
            {
                "metrics": {"name": ["m"], "kind": [5]},
                "points": {"metric": [0, 0], "value_type": [1, 2], "double": [0.5, 0], "int": [0, 7]},
            }
        )
    )
    assert [point.value for point in metrics] == [0.5, 7]
    assert (
        REQUESTS["metrics"].FromString(metrics.to_bytes()).resource_metrics[0].scope_metrics[0].metrics[0].name == "m"
    )


@pytest.mark.parametrize(
    ("spans", "path", "message"),
    [
        ({"label": ["a"]}, "spans.label", "no such column"),
        ({"name": [1]}, "spans.name[0]", "expected a str, not int"),
        ({"kind": ["x"]}, "spans.kind", "expected a column of int32, not <U1"),
        ({"kind": [0, 2**31]}, "spans.kind[1]", "expected a number that fits int32, not 2147483648"),
        ({"flags": [-1]}, "spans.flags[0]", "expected a number that fits uint32, not -1"),
        ({"kind": [0.5]}, "spans.kind[0]", "expected a number that fits int32, not 0.5"),
        ({"kind": [float("nan")]}, "spans.kind[0]", "expected a number that fits int32, not nan"),
        ({"kind": [[1]]}, "spans.kind", r"not an array of shape \(1, 1\)"),
        ({"kind": [None]}, "spans.kind", "expected a column of int32, not object"),
        ({"trace_id": [b"abc"]}, "spans.trace_id[0]", "expected an id of 16 bytes, not of 3"),
        ({"trace_id": ["a"]}, "spans.trace_id[0]", "expected bytes, not str"),
        (
            {"start_time_unix_nano": np.array(["1970-01-01", "2600-01-01"], "M8[s]")},
            "spans.start_time_unix_nano[1]",
            r"expected a time that fits datetime64\[ns\], not 2600-01-01T00:00:00",
        ),
        (
            {"start_time_unix_nano": np.array([1000, 1001], "M8[ps]")},
            "spans.start_time_unix_nano[1]",
            "a time that fits",
        ),
        ({"start_time_unix_nano": np.array(["NaT"], "M8[D]")}, "spans.start_time_unix_nano[0]", "fits uint64"),
        ({"start_time_unix_nano": np.array(["NaT"], "M8")}, "spans.start_time_unix_nano[0]", "fits uint64"),
        (
            {"start_time_unix_nano": [[1], [1, 2]]},
            "spans.start_time_unix_nano",
            "expected a column of uint64, not list:",
        ),
        ({"start_time_unix_nano": 5}, "spans.start_time_unix_nano", r"not an array of shape \(\)"),
        ({"kind": np.ma.array([1, 2], mask=[False, True])}, "spans.kind", "expected a value in every row"),
        ({"trace_id": np.ma.array([b"a" * 16] * 2, mask=[0, 1])}, "spans.trace_id", "expected a value in every row"),
        ({"trace_id": np.zeros((2, 2), "V16")}, "spans.trace_id[0]", "expected bytes, not ndarray"),
        ({"trace_id": np.zeros((), "V16")}, "spans.trace_id", "expected a column of bytes, not ndarray"),
        ({"trace_id": b"a" * 16}, "spans.trace_id", "expected a column of bytes, not one bytes"),
        ({"name": 5}, "spans.name", "expected a column of str, not int"),
        ({"name": "abc"}, "spans.name", "expected a column of str, not one str"),
        ({5: [1]}, "spans", "expected the name of a column, not 5"),
        ({"\ud800": [1]}, "spans", r"expected the name of a column, not '\\ud800'"),
        ({"name": ["a"], "kind": [1, 2]}, "spans.kind", "expected 1 values, found 2"),
        ({"name": ["a"], "scope": [7]}, "spans.scope[0]", "no row 7"),
    ],
)
def test_columns_that_do_not_fit_are_refused_with_their_place(spans: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(otlp_fast.EncodeError, match=message) as caught:
        write_traces({"spans": spans})
    assert caught.value.path == path


@pytest.mark.parametrize("unit", ["Y", "D", "25s", "ms", "ns"])
def test_times_of_every_unit_are_nanoseconds(unit: str) -> None:
    times = np.array(["1970-01-01", "2000-01-01", "2200-01-01"], f"M8[{unit}]")
    written = decode_traces(write_traces({"spans": {"start_time_unix_nano": times}}))
    assert written.start_time_unix_nano.tolist() == [0, 946684800 * 10**9, 7258118400 * 10**9]


def test_sequences_of_other_kinds_are_columns() -> None:
    unmasked = np.ma.array([1, 2], mask=False)
    spans = {"name": (text for text in "ab"), "kind": unmasked, "flags": range(2), "trace_id": iter([b"", b"a" * 16])}
    written = decode_traces(write_traces({"spans": spans}))
    assert (list(written.name), written.kind.tolist(), written.flags.tolist()) == (["a", "b"], [1, 2], [0, 1])
    assert written.trace_id[1].tobytes() == b"a" * 16


@pytest.mark.parametrize(
    ("tables", "path", "message"),
    [
        ({"spans": [1]}, "spans", "expected a mapping of columns by their names, not list"),
        ({"spans": None}, "spans", "expected a mapping of columns by their names, not NoneType"),
        ({1: {}}, "", "expected the name of a table, not 1"),
        ({"\ud800": {}}, "", r"expected the name of a table, not '\\ud800'"),
    ],
)
def test_what_is_no_tables_is_refused(tables: Any, path: str, message: str) -> None:
    with pytest.raises(otlp_fast.EncodeError, match=message) as caught:
        write_traces(tables)
    assert caught.value.path == path


def test_unknown_tables_are_refused() -> None:
    with pytest.raises(otlp_fast.EncodeError) as caught:
        write_traces({"spans": {}, "points": {}})
    assert caught.value.path == "points"
    with pytest.raises(otlp_fast.EncodeError, match="missing"):
        write_traces({})
