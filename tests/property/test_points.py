"""`write_points` against protobuf's own classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from otlp_fast.columns import InstrumentationScope, Resource, write_points

TIMES = st.integers(0, 2**64 - 1)
DOUBLES = st.floats(allow_nan=False)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
SCALARS = st.one_of(TEXTS, st.booleans(), INTEGERS, DOUBLES, st.binary(max_size=5), st.none())


def any_value(value: Any) -> AnyValue:
    """The message of a plain value."""
    if value is None:
        return AnyValue()
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(bytes_value=value) if isinstance(value, bytes) else AnyValue(string_value=value)


def key_values(attributes: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


@st.composite
def columns(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments of `write_points`, all but values as Python's own objects."""
    rows = draw(st.integers(0, 30))
    numbers = draw(st.sampled_from([DOUBLES, INTEGERS]))
    values = draw(st.lists(numbers, min_size=rows, max_size=rows))
    constant = draw(st.dictionaries(TEXTS, SCALARS, max_size=3))
    varying = {}
    for key in draw(st.sets(TEXTS, max_size=3)) - constant.keys():
        # A column has one type; one of None alone would be objects, which is what None is told apart in.
        elements = draw(
            st.sampled_from([TEXTS, st.booleans(), INTEGERS, DOUBLES, st.one_of(TEXTS, st.none(), st.booleans())])
        )
        varying[key] = draw(st.lists(elements, min_size=rows, max_size=rows))
    starts = draw(st.one_of(st.none(), TIMES, st.lists(TIMES, min_size=rows, max_size=rows)))
    return {
        "times": draw(st.lists(TIMES, min_size=rows, max_size=rows)),
        "values": np.array(values, dtype="f8" if numbers is DOUBLES else "i8"),
        "constant": constant,
        "varying": varying,
        "start_times": starts,
    }


def as_array(elements: list[Any]) -> Any:
    """The elements in an array of their type; mixed ones, None among them, as objects."""
    types = {type(element) for element in elements}
    dtypes = {float: "f8", int: "i8", bool: "?"}
    return np.array(elements, dtype=dtypes.get(types.pop(), object) if len(types) == 1 else object)


@given(columns(), st.sampled_from(["gauge", "cumulative", "delta"]), st.booleans(), TEXTS, TEXTS, TEXTS)
def test_points_are_those_of_protobuf(
    given: dict[str, Any], kind: str, monotonic: bool, name: str, unit: str, description: str
) -> None:
    times, values, starts = given["times"], given["values"], given["start_times"]
    varying = {key: as_array(elements) for key, elements in given["varying"].items()}
    of_sum: dict[str, Any] = {} if kind == "gauge" else {"kind": "sum", "temporality": kind, "monotonic": monotonic}
    written = write_points(
        name,
        np.array(times, dtype="u8"),
        values,
        attributes={**given["constant"], **varying},
        unit=unit,
        description=description,
        start_times=np.array(starts, dtype="u8") if isinstance(starts, list) else starts,
        resource=Resource({"service.name": name}, unit),
        scope=InstrumentationScope(name, unit, description, {"key": 1}),
        **of_sum,
    )

    request = ExportMetricsServiceRequest()
    of_resource = request.resource_metrics.add(schema_url=unit)
    of_resource.resource.attributes.extend(key_values({"service.name": name}))
    of_scope = of_resource.scope_metrics.add(schema_url=description)
    of_scope.scope.name, of_scope.scope.version = name, unit
    of_scope.scope.attributes.extend(key_values({"key": 1}))
    metric = of_scope.metrics.add(name=name, unit=unit, description=description)
    for row, value in enumerate(values.tolist()):
        points = metric.gauge.data_points if kind == "gauge" else metric.sum.data_points
        point = points.add(time_unix_nano=times[row])
        point.start_time_unix_nano = starts[row] if isinstance(starts, list) else starts or 0
        if isinstance(value, float):
            point.as_double = value
        else:
            point.as_int = value
        present = {key: elements[row] for key, elements in given["varying"].items()}
        absent = {key for key in present if present[key] is None}
        point.attributes.extend(key_values(given["constant"]))
        point.attributes.extend(key_values({key: value for key, value in present.items() if key not in absent}))
    if len(values) and kind != "gauge":
        metric.sum.aggregation_temporality = {"delta": 1, "cumulative": 2}[kind]
        metric.sum.is_monotonic = monotonic
    assert bytes(written) == request.SerializeToString(deterministic=True)
