"""Attributes by key: one value for each row, whatever its type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import otlp_fast
from otlp_fast import _core
from otlp_fast.columns import Attributes, Traces
from tests.columns_oracle import DECODE, REQUESTS, comparable, python_value
from tests.corpora import CORPORA, read_requests
from tests.messages import requests

# Each with the value of its type in OTLP.
VALUES: list[tuple[Any, int]] = [
    ("text", 1),
    ("", 1),
    (True, 2),
    (False, 2),
    (0, 3),
    (-(2**63), 3),
    (0.5, 4),
    ([1, "a", [None]], 5),
    ({"k": {"l": [1.0]}}, 6),
    (b"\0\xff", 7),
    (None, 0),
]


def set_value(target: Any, value: Any) -> None:
    if isinstance(value, list):
        target.array_value.SetInParent()
        for element in value:
            set_value(target.array_value.values.add(), element)
    elif isinstance(value, dict):
        for key, inner in value.items():
            set_value(target.kvlist_value.values.add(key=key).value, inner)
    elif value is not None:
        name = {str: "string", bool: "bool", int: "int", float: "double", bytes: "bytes"}[type(value)]
        setattr(target, f"{name}_value", value)


def traces_with(values: list[Any], absent: int = 1) -> Traces:
    """Spans with an attribute "k" of each value, and some without."""
    request = REQUESTS["traces"]()
    group = request.resource_spans.add()
    for number in range(2):
        group.resource.attributes.add(key="r").value.int_value = number
    scope = group.scope_spans.add()
    scope.scope.attributes.add(key="s").value.string_value = "scope"
    for value in values:
        set_value(scope.spans.add().attributes.add(key="k").value, value)
    for _ in range(absent):
        scope.spans.add()
    return otlp_fast.decode_traces(request.SerializeToString())


def test_values_of_every_type_come_back() -> None:
    column = traces_with([value for value, _ in VALUES]).attributes["k"]
    assert column.types.tolist() == [kind for _, kind in VALUES] + [255]
    assert list(column) == [value for value, _ in VALUES] + [None]
    assert [column[row] for row in range(len(column))] == list(column)
    assert column.values.dtype == object
    assert column.values.tolist() == list(column)
    assert column.is_null.tolist() == [False] * 10 + [True] * 2
    assert list(column[::-1]) == list(column)[::-1]
    assert list(column[np.array([9, 7])]) == [b"\0\xff", [1, "a", [None]]]
    assert column[-3] == b"\0\xff"


def test_values_of_one_type_are_arrays_of_that_type() -> None:
    for values, dtype in (([3, -1], np.int64), ([0.5, 2.0], np.float64), ([True, False], np.bool_)):
        column = traces_with(values).attributes["k"]
        assert column.values.dtype == dtype
        assert column.values.tolist() == [*values, 0]
        assert list(column) == [*values, None]
    text = traces_with(["b", "a", "b"]).attributes["k"]
    assert text.values.tolist() == ["b", "a", "b", None]
    assert text.dictionary[text.codes].tolist() == ["b", "a", "b", ""]


@pytest.mark.parametrize("value", [value for value, _ in VALUES if not isinstance(value, list | dict)])
def test_masks_say_which_rows_hold_a_value(value: Any) -> None:
    values = [value for value, _ in VALUES]
    column = traces_with(values).attributes["k"]

    def equal(found: Any) -> bool:
        # A bool is no number here, as it is none in OTLP.
        return found == value and (isinstance(found, bool) == isinstance(value, bool))

    expected = [equal(found) for found in [*values, None]]
    assert (column == value).tolist() == expected
    assert (column != value).tolist() == [not found for found in expected]


def test_attributes_of_what_encloses_a_span_have_a_row_for_each_span() -> None:
    traces = traces_with([1, 2])
    assert traces.resource["r"].values.tolist() == [1, 1, 1], "of a key that stands twice the last one counts"
    assert list(traces.scope["s"]) == ["scope"] * 3
    assert traces.resource.keys() == ["r"]
    assert "s" in traces.scope
    assert "s" not in traces.resource
    assert list(traces.scope) == ["s"]
    assert traces.resources.attributes["r"].values.tolist() == [1]
    assert traces.resource.rows.tolist() == [0, 0, 0]


def test_keys_are_counted_in_the_order_in_which_they_turn_up() -> None:
    attributes = traces_with([1, "x"]).attributes
    assert attributes.counts == {"k": 2}
    assert attributes.keys() == list(attributes) == ["k"]
    assert len(attributes) == 1
    assert "nowhere" not in attributes
    nowhere = attributes["nowhere"]
    assert nowhere.is_null.all()
    assert nowhere.values.tolist() == [None] * 3
    assert (nowhere == "x").tolist() == (nowhere == 1).tolist() == (nowhere == b"x").tolist() == [False] * 3
    assert list(nowhere[1:]) == [None, None]
    assert attributes["k"] is attributes["k"]
    assert attributes.offsets.tolist() == [0, 1, 2, 2]
    assert list(attributes.table.key) == ["k", "k"]
    assert list(attributes.table.values) == [1, "x"]


def every_attributes(decoded: Any) -> dict[str, Attributes]:
    own = {"resources": decoded.resources.attributes, "scopes": decoded.scopes.attributes, "items": decoded.attributes}
    if isinstance(decoded, Traces):
        return own | {"events": decoded.events.attributes, "links": decoded.links.attributes}
    return own


def by_message(data: bytes, signal: str) -> dict[str, list[Any]]:
    """The attributes of each message, as protobuf has them."""
    found: dict[str, list[Any]] = {"resources": [], "scopes": [], "items": [], "events": [], "links": []}
    request = REQUESTS[signal].FromString(data)
    name = {"traces": "spans", "logs": "logs", "metrics": "metrics"}[signal]
    for group in getattr(request, f"resource_{name}"):
        found["resources"].append(group.resource.attributes)
        for scope in getattr(group, f"scope_{name}"):
            found["scopes"].append(scope.scope.attributes)
            for item in getattr(scope, "log_records" if signal == "logs" else name):
                kind = item.WhichOneof("data") if signal == "metrics" else None
                points = getattr(item, kind).data_points if kind else []
                found["items"] += [one.attributes for one in (points if signal == "metrics" else [item])]
                found["events"] += [event.attributes for event in getattr(item, "events", ())]
                found["links"] += [link.attributes for link in getattr(item, "links", ())]
    return found


def check_keys(data: bytes, signal: str) -> None:
    decoded, expected = DECODE[signal](data), by_message(data, signal)
    for table, attributes in every_attributes(decoded).items():
        counts: dict[str, int] = {}
        for pairs in expected[table]:
            for pair in pairs:
                counts[pair.key] = counts.get(pair.key, 0) + 1
        assert attributes.counts == counts
        assert attributes.keys() == list(counts)
        for key in counts:
            values = [
                next((python_value(pair.value) for pair in reversed(pairs) if pair.key == key), None)
                for pairs in expected[table]
            ]
            assert [comparable(value) for value in attributes[key]] == values, (table, key)
    items = list(decoded)
    for key in decoded.resource:
        assert [comparable(value) for value in decoded.resource[key]] == [
            comparable(item.resource.attributes.get(key)) for item in items
        ]
    for key in decoded.scope:
        assert [comparable(value) for value in decoded.scope[key]] == [
            comparable(item.instrumentation_scope.attributes.get(key)) for item in items
        ]
    assert list(decoded.scope.name) == [item.instrumentation_scope.name for item in items]
    assert list(decoded.resource.schema_url) == [item.resource.schema_url for item in items]


@pytest.mark.parametrize("signal", DECODE)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_every_key_of_generated_requests_is_read_as_protobuf_reads_it(signal: str, data: st.DataObject) -> None:
    check_keys(data.draw(requests(signal)), signal)


@pytest.mark.parametrize("name", CORPORA)
def test_every_key_of_captured_requests_is_read_as_protobuf_reads_it(name: str) -> None:
    check_keys(next(iter(read_requests(name))), CORPORA[name])


def test_values_made_by_hand_must_be_values() -> None:
    with pytest.raises(ValueError, match="5 or 6, not 1"):
        _core.any_value(1, b"")
    with pytest.raises(otlp_fast.DecodeError):
        _core.any_value(5, b"\x0a\x05")
    with pytest.raises(otlp_fast.DecodeError, match="too deeply"):
        _core.any_value(5, deep_array(600))


def varint(value: int) -> bytes:
    encoded = b""
    while value > 0x7F:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])


def deep_array(levels: int) -> bytes:
    """An encoded `ArrayValue` with arrays in it."""
    content = b""
    for _ in range(levels):
        value = b"\x2a" + varint(len(content)) + content
        content = b"\x0a" + varint(len(value)) + value
    return content
