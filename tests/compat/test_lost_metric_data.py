"""Where the official encoder loses metrics or parts of them, and what we do instead.

The official encoder gives up the whole batch for one figure that it cannot write. Ours leaves out the data point, as a
histogram with one bucket repaired would be another histogram, and keeps everything around it. Each test shows what the
official encoder does, so that a release of it that mends the loss is noticed here.
"""

from __future__ import annotations

import dataclasses
import decimal
import types
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics as official_encode_metrics
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.metrics._internal.point import Buckets
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Metric,
    MetricsData,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

import otlp_fast
from tests.compat.hostile import HostileMapping, HostileSequence, Truthless, nested_lists, nested_mappings
from tests.compat.metrics import (
    HAS_EXEMPLARS,
    make_exemplar,
    make_exponential_point,
    make_gauge,
    make_histogram_point,
    make_metric,
    make_metrics,
    make_number_point,
)
from tests.compat.official import assert_official_encoder_loses_the_batch
from tests.compat.readback import attributes_of, counted, decoded_metrics, points_of, with_value

needs_exemplars = pytest.mark.skipif(not HAS_EXEMPLARS, reason="this SDK has no exemplars")

MAKERS = [make_number_point, make_histogram_point, make_exponential_point]


def encode_by_encoder(data: MetricsData) -> bytes:
    encoder = otlp_fast.MetricEncoder()
    encoder.add(data)
    return bytes(encoder.finish())


@pytest.mark.parametrize(
    ("make", "fields"),
    [
        *[
            (make_number_point, {"value": value})
            for value in (None, "7", b"7", 1j, [7], 10**400, decimal.Decimal("sNaN"))
        ],
        *[(make, {"count": value}) for make in MAKERS[1:] for value in (-1, 2**64, 3.0, "3", True)],
        *[(make, {name: "1"}) for make in MAKERS[1:] for name in ("sum", "min", "max")],
        *[(make, {"sum": 10**400}) for make in MAKERS[1:]],
        *[(make_histogram_point, {"bucket_counts": value}) for value in ([1, -1], [1, 2**64], [1, None], [True], 5)],
        *[(make_histogram_point, {"explicit_bounds": value}) for value in ([1.0, None], ["1"], [10**400], 5)],
        (make_histogram_point, {"bucket_counts": HostileSequence(RuntimeError("no more"))}),
        *[(make_exponential_point, {"scale": value}) for value in (2**31, -(2**31) - 1, 1.0, "1", True)],
        *[(make_exponential_point, {"zero_count": value}) for value in (-1, 2**64, "1", True)],
        *[(make_exponential_point, {"flags": value}) for value in (-1, 2**32, "1", True)],
        *[(make_exponential_point, {"positive": value}) for value in (None, Buckets(2**31, [1]), Buckets("1", [1]))],
        *[(make_exponential_point, {"negative": Buckets(0, value)}) for value in ([-1], [1, 2**64], [1.0], 5)],
    ],
)
@pytest.mark.parametrize("encode", [otlp_fast.encode_metrics, encode_by_encoder])
def test_bad_figure_costs_its_data_point_where_official_encoder_loses_the_batch(
    encode: Callable[[MetricsData], bytes], make: Any, fields: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    around = make_gauge(make_number_point())
    batch = make_metrics(around, make_metric(make(), make(**fields), make(), name="spoiled"), around)
    assert_official_encoder_loses_the_batch(official_encode_metrics, batch)
    before = otlp_fast.encode_stats()
    good = make_metrics(around, make_metric(make(), make(), name="spoiled"), around)
    assert encode(batch) == official_encode_metrics(good).SerializeToString()
    assert otlp_fast.encode_stats() == {
        **before,
        "data_points_dropped": before["data_points_dropped"] + 1,
        "data_points_encoded": before["data_points_encoded"] + 4,
    }
    assert "metrics[1] ('spoiled').data_points[1]" in caplog.text


@pytest.mark.parametrize("make", MAKERS)
def test_metric_of_which_every_data_point_is_bad_has_no_data_like_one_without_any(make: Any) -> None:
    spoiled = {"value": None} if make is make_number_point else {"count": -1}
    metric = make_metric(make(**spoiled))
    empty = dataclasses.replace(metric, data=dataclasses.replace(metric.data, data_points=[]))
    expected = official_encode_metrics(make_metrics(empty)).SerializeToString()
    assert otlp_fast.encode_metrics(make_metrics(metric)) == expected


def test_metric_of_unknown_type_costs_itself(caplog: pytest.LogCaptureFixture) -> None:
    ordinary = make_metric(make_number_point())
    unknown = make_metric(make_number_point(), name="summary", data=types.SimpleNamespace(data_points=[]))
    batch = make_metrics(ordinary, unknown, ordinary)
    # The official encoder sends its name without any data; older releases leave it out.
    official = decoded_metrics(official_encode_metrics(batch).SerializeToString())
    assert [metric.WhichOneof("data") for metric in official] in (["sum", None, "sum"], ["sum", "sum"])
    caplog.clear()
    before = counted("metrics_dropped")
    expected = official_encode_metrics(make_metrics(ordinary, ordinary)).SerializeToString()
    assert otlp_fast.encode_metrics(batch) == expected
    assert counted("metrics_dropped") == before + 1
    assert "metrics[1] ('summary'): data of type types.SimpleNamespace" in caplog.text


class Unreadable(Gauge):
    """A gauge that does not give its data points."""

    @property
    def data_points(self) -> Any:  # type: ignore[override]
        raise RuntimeError("not today")

    def __init__(self) -> None:
        """Set nothing."""


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "a metric",
        types.SimpleNamespace(name="m", data=Gauge([])),
        Metric("m", "", "", Unreadable()),
        Metric("m", "", "", Gauge(5)),  # type: ignore[arg-type]
        Metric("m", "", "", Gauge(HostileSequence(RuntimeError("no more")))),  # type: ignore[arg-type]
        Metric("m", "", "", Sum([make_number_point()], AggregationTemporality.DELTA, Truthless())),  # type: ignore[arg-type]
    ],
    ids=["none", "text", "no unit", "unreadable", "no list", "raising list", "raising truth"],
)
@pytest.mark.parametrize("encode", [otlp_fast.encode_metrics, encode_by_encoder])
def test_metric_that_cannot_be_read_costs_itself(encode: Callable[[MetricsData], bytes], bad: Any) -> None:
    ordinary = make_metric(make_histogram_point())
    batch = make_metrics(ordinary, bad, ordinary)
    assert_official_encoder_loses_the_batch(official_encode_metrics, batch)
    before = otlp_fast.encode_stats()
    assert encode(batch) == official_encode_metrics(make_metrics(ordinary, ordinary)).SerializeToString()
    assert otlp_fast.encode_stats() == {
        **before,
        "metrics_dropped": before["metrics_dropped"] + 1,
        "data_points_encoded": before["data_points_encoded"] + 2,
    }


@pytest.mark.parametrize("make", MAKERS)
def test_data_point_of_another_kind_costs_itself(make: Any) -> None:
    others = [maker() for maker in MAKERS if maker is not make]
    metric = make_metric(make(), *others)
    assert_official_encoder_loses_the_batch(official_encode_metrics, make_metrics(metric))
    before = counted("data_points_dropped")
    encoded = otlp_fast.encode_metrics(make_metrics(metric))
    assert encoded == official_encode_metrics(make_metrics(make_metric(make()))).SerializeToString()
    assert counted("data_points_dropped") == before + 2


@pytest.mark.parametrize("make", MAKERS)
def test_data_point_of_the_oldest_sdk_has_no_exemplars(make: Any) -> None:
    older = make()
    older.__dict__.pop("exemplars", None)
    encoded = otlp_fast.encode_metrics(make_metrics(make_metric(older)))
    assert encoded == official_encode_metrics(make_metrics(make_metric(make()))).SerializeToString()


@pytest.mark.parametrize(
    ("value", "field", "kept"),
    [
        (2**63, "as_double", 2.0**63),
        (-(10**300), "as_double", -1e300),
        (True, "as_int", 1),
        (False, "as_int", 0),
    ],
)
def test_number_that_official_encoder_refuses_is_kept(value: Any, field: str, kept: Any) -> None:
    for batch in (
        make_metrics(make_metric(make_number_point(value=value))),
        make_metrics(make_gauge(make_number_point(value=value))),
    ):
        assert_official_encoder_loses_the_batch(official_encode_metrics, batch)
        (metric,) = decoded_metrics(otlp_fast.encode_metrics(batch))
        (point,) = points_of(metric)
        assert (point.WhichOneof("value"), getattr(point, field)) == (field, kept)


@pytest.mark.parametrize(
    ("fields", "field", "kept", "reason"),
    [
        ({"name": "a\ud800"}, "name", "a\ufffd", "lone surrogates"),
        ({"name": 42}, "name", "42", "expected str, got int"),
        ({"description": b"\xff"}, "description", "\ufffd", "not UTF-8"),
        ({"unit": ["ms"]}, "unit", "['ms']", "expected str, got list"),
    ],
)
def test_bad_text_is_repaired(
    fields: dict[str, Any], field: str, kept: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    batch = make_metrics(make_metric(make_number_point()), make_metric(make_number_point(), **fields))
    assert_official_encoder_loses_the_batch(official_encode_metrics, batch)
    before = counted("values_repaired")
    _, metric = decoded_metrics(otlp_fast.encode_metrics(batch))
    assert getattr(metric, field) == kept
    assert len(points_of(metric)) == 1
    assert counted("values_repaired") == before + 1
    assert reason in caplog.text
    assert "metrics[1]" in caplog.text


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    ("fields", "kept", "reason"),
    [
        ({"time_unix_nano": -5}, 0, "-5 is not between 0 and"),
        ({"time_unix_nano": 2**64}, 0, "is not between 0 and"),
        ({"time_unix_nano": 1.5e18}, 1_500_000_000_000_000_000, "expected int, got float"),
        ({"time_unix_nano": "noon"}, 0, "invalid literal"),
    ],
)
def test_bad_time_costs_itself(
    make: Any, fields: dict[str, Any], kept: int, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    batch = make_metrics(make_metric(make(), make(**fields)))
    assert_official_encoder_loses_the_batch(official_encode_metrics, batch)
    before = counted("values_repaired")
    (metric,) = decoded_metrics(otlp_fast.encode_metrics(batch))
    first, second = points_of(metric)
    assert second.time_unix_nano == kept
    second.time_unix_nano = first.time_unix_nano
    assert second == first
    assert counted("values_repaired") == before + 1
    assert reason in caplog.text
    assert "data_points[1].time_unix_nano" in caplog.text


@pytest.mark.parametrize("temporality", [None, 2**31, "delta", 1.5])
@pytest.mark.parametrize("make", MAKERS)
def test_bad_temporality_costs_itself(make: Any, temporality: Any, caplog: pytest.LogCaptureFixture) -> None:
    metric = make_metric(make())
    unspecified = dataclasses.replace(metric, data=dataclasses.replace(metric.data, aggregation_temporality=0))
    bad = dataclasses.replace(metric, data=dataclasses.replace(metric.data, aggregation_temporality=temporality))
    assert_official_encoder_loses_the_batch(official_encode_metrics, make_metrics(bad))
    before = counted("values_repaired")
    assert (
        otlp_fast.encode_metrics(make_metrics(bad))
        == official_encode_metrics(make_metrics(unspecified)).SerializeToString()
    )
    assert counted("values_repaired") == before + 1
    assert ".data.aggregation_temporality: left out" in caplog.text


@pytest.mark.parametrize(("value", "kept"), [(None, False), ("", False), ("yes", True), (2**70, True)])
def test_monotonic_is_the_truth_of_what_was_given(value: Any, kept: bool) -> None:
    batch = make_metrics(
        make_metric(make_number_point(), data=Sum([make_number_point()], AggregationTemporality.DELTA, value))
    )
    assert_official_encoder_loses_the_batch(official_encode_metrics, batch)
    (metric,) = decoded_metrics(otlp_fast.encode_metrics(batch))
    assert metric.sum.is_monotonic is kept


@needs_exemplars
@pytest.mark.parametrize("make", MAKERS)
def test_attributes_of_data_points_and_exemplars_are_those_of_spans(
    make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    cases: list[tuple[Any, Any, str]] = [
        ("a\ud800", "a\ufffd", "values_repaired"),
        (2**63, str(2**63), ""),
        (object(), None, "attributes_dropped"),
        (nested_lists(47), None, "attributes_dropped"),
        (HostileSequence(RuntimeError("no more")), None, "attributes_dropped"),
    ]
    for value, kept, counter in cases:
        expected = {"before": 1, "after": 2} if kept is None else with_value(kept)
        before = otlp_fast.encode_stats()
        point = make(attributes=with_value(value), exemplars=[make_exemplar(filtered_attributes=with_value(value))])
        (metric,) = decoded_metrics(otlp_fast.encode_metrics(make_metrics(make_metric(point))))
        (read,) = points_of(metric)
        assert attributes_of(read) == expected
        assert attributes_of(read.exemplars[0]) == expected
        if counter == "attributes_dropped":
            assert counted(counter) == before[counter] + 2
        elif counter:
            assert counted(counter) > before[counter]
    assert "data_points[0].attributes['value']" in caplog.text
    assert "data_points[0].exemplars.attributes['value']" in caplog.text


@needs_exemplars
@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    ("nest", "deepest", "deepest_in_exemplar"), [(nested_lists, 46, 46), (nested_mappings, 31, 30)]
)
def test_value_is_kept_as_deep_as_a_parser_reads_it(
    make: Any, nest: Any, deepest: int, deepest_in_exemplar: int
) -> None:
    def nested(depth: int, depth_in_exemplar: int) -> MetricsData:
        exemplar = make_exemplar(filtered_attributes=with_value(nest(depth_in_exemplar)))
        return make_metrics(make_metric(make(attributes=with_value(nest(depth)), exemplars=[exemplar])))

    encoded = otlp_fast.encode_metrics(nested(deepest, deepest_in_exemplar))
    assert encoded == official_encode_metrics(nested(deepest, deepest_in_exemplar)).SerializeToString()
    (point,) = points_of(decoded_metrics(encoded)[0])
    assert len(attributes_of(point)) == len(attributes_of(point.exemplars[0])) == 3
    encoded = otlp_fast.encode_metrics(nested(deepest + 1, deepest_in_exemplar + 1))
    (point,) = points_of(decoded_metrics(encoded)[0])
    assert attributes_of(point) == attributes_of(point.exemplars[0]) == {"before": 1, "after": 2}


@pytest.mark.parametrize("make", MAKERS)
def test_attributes_whose_code_raises_cost_themselves(make: Any) -> None:
    batch = make_metrics(make_metric(make(attributes=HostileMapping())))
    assert_official_encoder_loses_the_batch(official_encode_metrics, batch)
    before = counted("attributes_dropped")
    encoded = otlp_fast.encode_metrics(batch)
    assert encoded == official_encode_metrics(make_metrics(make_metric(make(attributes={})))).SerializeToString()
    assert counted("attributes_dropped") == before + 1


@needs_exemplars
@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    "bad",
    [
        None,
        make_exemplar(value="4"),
        make_exemplar(value=None),
        make_exemplar(value=decimal.Decimal(4)),
        make_exemplar(value=10**400),
    ],
    ids=["none", "text", "no value", "decimal", "huge"],
)
def test_bad_exemplar_costs_itself(make: Any, bad: Any, caplog: pytest.LogCaptureFixture) -> None:
    batch = make_metrics(make_metric(make(exemplars=[make_exemplar(), bad, make_exemplar()])))
    assert_official_encoder_loses_the_batch(official_encode_metrics, batch)
    before = counted("exemplars_dropped")
    good = make_metrics(make_metric(make(exemplars=[make_exemplar()] * 2)))
    assert otlp_fast.encode_metrics(batch) == official_encode_metrics(good).SerializeToString()
    assert counted("exemplars_dropped") == before + 1
    assert "metrics[0] ('requests').data_points[0].exemplars" in caplog.text


@needs_exemplars
@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("exemplars", [5, HostileSequence(RuntimeError("no more"))])
def test_exemplars_that_cannot_be_listed_cost_themselves(make: Any, exemplars: Any) -> None:
    batch = make_metrics(make_metric(make(exemplars=exemplars)))
    assert_official_encoder_loses_the_batch(official_encode_metrics, batch)
    before = counted("exemplars_dropped")
    assert (
        otlp_fast.encode_metrics(batch)
        == official_encode_metrics(make_metrics(make_metric(make()))).SerializeToString()
    )
    assert counted("exemplars_dropped") == before + 1


@needs_exemplars
@pytest.mark.parametrize(
    ("fields", "span_id", "trace_id"),
    [
        ({"span_id": -1}, 0, 0x1234),
        ({"span_id": "5"}, 0, 0x1234),
        ({"trace_id": 1 << 128}, 0x56, 0),
    ],
)
def test_bad_id_of_an_exemplar_costs_itself(fields: dict[str, Any], span_id: int, trace_id: int) -> None:
    batch = make_metrics(make_metric(make_number_point(exemplars=[make_exemplar(**fields)])))
    assert_official_encoder_loses_the_batch(official_encode_metrics, batch)
    before = counted("values_repaired")
    (point,) = points_of(decoded_metrics(otlp_fast.encode_metrics(batch))[0])
    (exemplar,) = point.exemplars
    assert exemplar.as_double == 4.5
    assert int.from_bytes(exemplar.span_id, "big") == span_id
    assert int.from_bytes(exemplar.trace_id, "big") == trace_id
    assert counted("values_repaired") == before + 1


def test_resource_and_scope_that_occur_twice_are_merged() -> None:
    def named(name: str) -> Metric:
        return make_metric(make_number_point(), name=name)

    scope = InstrumentationScope("a"), InstrumentationScope("a"), InstrumentationScope("b")
    first, second = Resource({"service.name": "shop"}), Resource({"service.name": "shop"})
    batch = MetricsData(
        [
            ResourceMetrics(first, [ScopeMetrics(scope[0], [named("1")], "")], ""),
            ResourceMetrics(
                second,
                [
                    ScopeMetrics(scope[1], [named("2")], ""),
                    ScopeMetrics(scope[2], [named("3")], ""),
                    ScopeMetrics(scope[0], [named("4")], ""),
                ],
                "",
            ),
        ]
    )
    official = decoded_metrics(official_encode_metrics(batch).SerializeToString())
    assert [metric.name for metric in official] == ["4", "3"]
    for encode in (otlp_fast.encode_metrics, encode_by_encoder):
        (group,) = ExportMetricsServiceRequest.FromString(encode(batch)).resource_metrics
        names = [[metric.name for metric in part.metrics] for part in group.scope_metrics]
        assert names == [["1", "2", "4"], ["3"]]


def test_metrics_without_a_scope_or_a_resource_are_kept() -> None:
    metric = make_metric(make_number_point())
    expected = official_encode_metrics(make_metrics(metric, scope=InstrumentationScope(""))).SerializeToString()
    assert_official_encoder_loses_the_batch(official_encode_metrics, make_metrics(metric, scope=None))
    assert otlp_fast.encode_metrics(make_metrics(metric, scope=None)) == expected
    expected = official_encode_metrics(make_metrics(metric, resource=Resource({}))).SerializeToString()
    assert_official_encoder_loses_the_batch(official_encode_metrics, make_metrics(metric, resource=None))
    assert otlp_fast.encode_metrics(make_metrics(metric, resource=None)) == expected


def test_scope_that_cannot_say_whether_it_is_one_costs_itself(caplog: pytest.LogCaptureFixture) -> None:
    metric = make_metric(make_number_point())
    metrics = make_metrics(metric, scope=Truthless())
    assert_official_encoder_loses_the_batch(official_encode_metrics, metrics)
    assert otlp_fast.encode_metrics(metrics) == otlp_fast.encode_metrics(make_metrics(metric, scope=None))
    assert "values repaired: metrics[0].instrumentation_scope" in caplog.text


@pytest.mark.parametrize("bad", [None, types.SimpleNamespace(scope=None, metrics=None)])
def test_group_that_cannot_be_read_costs_itself(bad: Any) -> None:
    (good,) = make_metrics(make_metric(make_number_point())).resource_metrics
    expected = otlp_fast.encode_metrics(MetricsData([good]))
    before = counted("metrics_dropped")
    scopes = ResourceMetrics(good.resource, [bad, *good.scope_metrics, bad], "")
    assert otlp_fast.encode_metrics(MetricsData([scopes])) == expected
    assert otlp_fast.encode_metrics(MetricsData([bad, good])) == expected
    assert counted("metrics_dropped") == before + 3


def test_interrupt_in_a_value_is_the_users_and_passes_through() -> None:
    ordinary = make_metrics(make_metric(make_number_point()))
    hostile = make_metrics(make_metric(make_number_point(attributes=with_value(HostileSequence(KeyboardInterrupt())))))
    encoder = otlp_fast.MetricEncoder()
    encoder.add(ordinary)
    with pytest.raises(KeyboardInterrupt):
        encoder.add(hostile)
    with pytest.raises(KeyboardInterrupt):
        otlp_fast.encode_metrics(hostile)
    assert encoder.item_count == 1
    assert bytes(encoder.finish()) == otlp_fast.encode_metrics(ordinary)


@pytest.mark.parametrize("data", ["a string", None, 7, object(), types.SimpleNamespace(resource_metrics=5)])
def test_what_is_not_metrics_data_is_an_error_naming_its_type(data: Any) -> None:
    encoder = otlp_fast.MetricEncoder()
    encoder.add(make_metrics(make_metric(make_number_point())))
    size = encoder.byte_count
    for encode in (otlp_fast.encode_metrics, encoder.add):
        with pytest.raises(otlp_fast.EncodeError, match=type(data).__qualname__):
            encode(data)
    assert (encoder.item_count, encoder.byte_count) == (1, size)


def test_no_metrics_is_an_empty_request() -> None:
    assert otlp_fast.encode_metrics(MetricsData([])) == b""


def test_data_points_are_counted() -> None:
    batch = make_metrics(make_metric(make_number_point(), make_number_point()), make_gauge(make_number_point()))
    before = counted("data_points_encoded")
    otlp_fast.encode_metrics(batch)
    encode_by_encoder(batch)
    assert counted("data_points_encoded") == before + 6
