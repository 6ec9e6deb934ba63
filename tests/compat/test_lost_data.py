"""Where the official encoder loses spans or parts of them, and what we do instead.

Each test shows what the official encoder does with the input, so that a release of it that mends the loss is noticed
here, and then that ours costs the bad value alone, counts it and names it in a log line.
"""

from __future__ import annotations

import decimal
import types
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans as official_encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, TracerProvider
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind

import otlp_fast
from tests.compat.hostile import (
    Finishing,
    HostileMapping,
    HostileSequence,
    Truthless,
    cyclic_values,
    multiplying_value,
    nested_lists,
    nested_mappings,
)
from tests.compat.official import assert_official_encoder_loses_the_batch
from tests.compat.readback import attributes_of, counted, decoded_spans, with_value
from tests.compat.spans import make_span

PUBLIC_PROPERTIES = (
    "resource",
    "instrumentation_scope",
    "parent",
    "name",
    "kind",
    "start_time",
    "end_time",
    "attributes",
    "dropped_attributes",
    "events",
    "dropped_events",
    "links",
    "dropped_links",
    "status",
)


def encode_by_encoder(spans: list[Any]) -> bytes:
    encoder = otlp_fast.SpanEncoder()
    for span in spans:
        encoder.add(span)
    return bytes(encoder.finish())


def test_lone_surrogate_in_attribute_is_kept_as_replacement_character(caplog: pytest.LogCaptureFixture) -> None:
    spans = [make_span(attributes=with_value("a\ud800b"))]
    assert "value" not in attributes_of(decoded_spans(official_encode_spans(spans).SerializeToString())[0])
    caplog.clear()
    before = counted("values_repaired")
    assert attributes_of(decoded_spans(otlp_fast.encode_spans(spans))[0]) == with_value("a\ufffdb")
    assert counted("values_repaired") == before + 1
    assert "lone surrogates" in caplog.text


@pytest.mark.parametrize("encode", [otlp_fast.encode_spans, encode_by_encoder])
@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"resource": Resource({"key": "a\ud800"})}, "spans[0].resource:"),
        ({"instrumentation_scope": InstrumentationScope("a\ud800")}, "spans[0].instrumentation_scope:"),
    ],
)
def test_lone_surrogate_in_resource_or_scope_is_counted_and_named(
    encode: Callable[[list[Any]], bytes], fields: dict[str, Any], place: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = counted("values_repaired")
    assert "a\ufffd".encode() in encode([make_span(**fields)])
    assert counted("values_repaired") == before + 1
    assert f"{place} lone surrogates" in caplog.text


def test_surrogates_of_a_refused_span_are_not_blamed_on_the_next() -> None:
    encoder = otlp_fast.SpanEncoder()
    with pytest.raises(KeyboardInterrupt):
        encoder.add(make_span(attributes={"text": "\ud800", "value": HostileSequence(KeyboardInterrupt())}))
    before = counted("values_repaired")
    encoder.add(make_span())
    assert counted("values_repaired") == before


def test_surrogate_pair_of_code_points_is_two_replacement_characters() -> None:
    encoded = otlp_fast.encode_spans([make_span(attributes=with_value("\ud83d\ude00"))])
    assert attributes_of(decoded_spans(encoded)[0])["value"] == "\ufffd\ufffd"


@pytest.mark.parametrize(
    ("fields", "field", "kept", "reason"),
    [
        ({"name": "a\ud800"}, "name", "a\ufffd", "lone surrogates"),
        ({"name": 42}, "name", "42", "expected str, got int"),
        ({"name": b"\xff\xfe"}, "name", "\ufffd\ufffd", "not UTF-8"),
        ({"start_time": -1}, "start_time_unix_nano", 0, "-1 is not between 0 and"),
        ({"end_time": 2**64}, "end_time_unix_nano", 0, "is not between 0 and"),
        ({"start_time": 2.0}, "start_time_unix_nano", 2, "expected int, got float"),
        ({"start_time": True}, "start_time_unix_nano", 1, "expected int, got bool"),
        ({"end_time": "noon"}, "end_time_unix_nano", 0, "invalid literal"),
        ({"kind": 7}, "kind", 0, "expected a SpanKind, got 7"),
        ({"context": SpanContext(-1, 5, is_remote=False)}, "trace_id", b"", "expected an int of 128 bits, got -1"),
        ({"context": SpanContext(1 << 128, 5, is_remote=False)}, "trace_id", b"", "expected an int of 128 bits"),
        ({"context": SpanContext(5, 1 << 64, is_remote=False)}, "span_id", b"", "expected an int of 64 bits"),
        ({"context": None}, "trace_id", b"", "expected an int of 128 bits, got None"),
        ({"events": [Event("e", timestamp=-5)]}, "flags", 0x100, "events[0].timestamp: left out: -5"),
    ],
)
def test_bad_field_costs_itself_where_official_encoder_loses_the_batch(
    fields: dict[str, Any], field: str, kept: object, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    spans = [make_span(), make_span(**fields), make_span()]
    assert_official_encoder_loses_the_batch(official_encode_spans, spans)
    before = counted("values_repaired")
    first, bad, last = decoded_spans(otlp_fast.encode_spans(spans))
    assert first == last == decoded_spans(official_encode_spans([make_span()]).SerializeToString())[0]
    assert getattr(bad, field) == kept
    assert attributes_of(bad) == {"before": 1, "after": 2}
    assert counted("values_repaired") > before
    assert reason in caplog.text
    assert "spans[1]" in caplog.text


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**40, -(10**40)])
def test_integer_beyond_64_bits_becomes_decimal_string(number: int) -> None:
    spans = [make_span(attributes=with_value(number))]
    assert "value" not in attributes_of(decoded_spans(official_encode_spans(spans).SerializeToString())[0])
    assert attributes_of(decoded_spans(otlp_fast.encode_spans(spans))[0]) == with_value(str(number))


@pytest.mark.parametrize("value", [object(), {1, 2}, decimal.Decimal(1), 1j, [1, {2}], {"inner": (1, object())}])
def test_unsupported_value_is_dropped_counted_and_named(value: Any, caplog: pytest.LogCaptureFixture) -> None:
    spans = [make_span(attributes=with_value(value))]
    official = official_encode_spans(spans).SerializeToString()
    caplog.clear()
    before = counted("attributes_dropped")
    assert otlp_fast.encode_spans(spans) == official
    assert attributes_of(decoded_spans(official)[0]) == {"before": 1, "after": 2}
    assert counted("attributes_dropped") == before + 1
    assert "spans[0].attributes['value']" in caplog.text
    assert "cannot be an attribute" in caplog.text


def test_unsupported_value_is_logged_at_a_bounded_rate(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from otlp_fast import _diagnostics

    monkeypatch.setattr(_diagnostics, "LOG_INTERVAL_SECONDS", 3600.0)
    spans = [make_span(attributes=with_value(object())) for _ in range(50)]
    before = counted("attributes_dropped")
    otlp_fast.encode_spans(spans)
    assert counted("attributes_dropped") == before + 50
    assert len(caplog.records) == 1
    _diagnostics._next_line_at.clear()
    otlp_fast.encode_spans(spans[:1])
    assert "(49 more since the last such line)" in caplog.records[-1].getMessage()


def test_attribute_key_that_is_no_str_is_kept_by_its_str(caplog: pytest.LogCaptureFixture) -> None:
    spans = [make_span(attributes={3: "three", "after": 2})]
    assert attributes_of(decoded_spans(official_encode_spans(spans).SerializeToString())[0]) == {"after": 2}
    assert attributes_of(decoded_spans(otlp_fast.encode_spans(spans))[0]) == {"3": "three", "after": 2}
    assert "expected str, got int" in caplog.text


def test_value_whose_code_raises_costs_itself(caplog: pytest.LogCaptureFixture) -> None:
    spans = [make_span(attributes=with_value(HostileSequence(RuntimeError("no more"))))]
    assert attributes_of(decoded_spans(otlp_fast.encode_spans(spans))[0]) == {"before": 1, "after": 2}
    assert "RuntimeError: no more" in caplog.text


def test_interrupt_in_a_value_is_the_users_and_passes_through() -> None:
    encoder = otlp_fast.SpanEncoder()
    encoder.add(make_span())
    size = encoder.byte_count
    with pytest.raises(KeyboardInterrupt):
        encoder.add(make_span(attributes=with_value(HostileSequence(KeyboardInterrupt()))))
    assert (encoder.item_count, encoder.byte_count) == (1, size)
    with pytest.raises(KeyboardInterrupt):
        otlp_fast.encode_spans([make_span(attributes=with_value(HostileSequence(KeyboardInterrupt())))])


@pytest.mark.parametrize(
    ("field", "value", "counter"),
    [
        ("attributes", HostileMapping(), "attributes_dropped"),
        ("events", HostileSequence(RuntimeError("no more")), "events_dropped"),
        ("links", HostileSequence(RuntimeError("no more")), "links_dropped"),
    ],
)
def test_container_whose_code_raises_costs_itself(field: str, value: Any, counter: str) -> None:
    span = types.SimpleNamespace(**{name: getattr(make_span(), name) for name in PUBLIC_PROPERTIES})
    span.get_span_context = make_span().get_span_context
    setattr(span, field, value)
    before = counted(counter)
    (kept,) = decoded_spans(otlp_fast.encode_spans([span]))
    assert kept.name == "GET /"
    assert counted(counter) == before + 1


def test_span_whose_own_code_raises_is_refused_alone() -> None:
    span = types.SimpleNamespace(**{name: getattr(make_span(), name) for name in PUBLIC_PROPERTIES})
    span.get_span_context = make_span().get_span_context
    span.parent = Truthless()
    encoder = otlp_fast.SpanEncoder()
    with pytest.raises(otlp_fast.EncodeError, match="neither true nor false"):
        encoder.add(span)
    encoder.add(make_span())
    assert len(decoded_spans(bytes(encoder.finish()))) == 1


@pytest.mark.parametrize(("nest", "deepest"), [(nested_lists, 47), (nested_mappings, 31)])
def test_value_is_kept_as_deep_as_a_parser_reads_it(nest: Any, deepest: int, caplog: pytest.LogCaptureFixture) -> None:
    spans = [make_span(attributes=with_value(nest(deepest)))]
    encoded = otlp_fast.encode_spans(spans)
    assert encoded == official_encode_spans(spans).SerializeToString()
    assert len(decoded_spans(encoded)[0].attributes) == 3
    too_deep = [make_span(attributes=with_value(nest(deepest + 1)))]
    assert attributes_of(decoded_spans(otlp_fast.encode_spans(too_deep))[0]) == {"before": 1, "after": 2}
    assert "nested too deeply" in caplog.text


@pytest.mark.parametrize("value", cyclic_values(), ids=["list", "dict", "twofold", "hundred thousand deep"])
def test_cyclic_value_is_a_clear_error_for_that_attribute(value: Any, caplog: pytest.LogCaptureFixture) -> None:
    encoded = otlp_fast.encode_spans([make_span(attributes=with_value(value))])
    assert attributes_of(decoded_spans(encoded)[0]) == {"before": 1, "after": 2}
    assert "nested too deeply (or contains itself)" in caplog.text
    assert "attributes['value']" in caplog.text


def test_value_that_multiplies_is_cut_before_it_fills_the_memory(caplog: pytest.LogCaptureFixture) -> None:
    encoded = otlp_fast.encode_spans([make_span(attributes=with_value(multiplying_value()))])
    assert attributes_of(decoded_spans(encoded)[0]) == {"before": 1, "after": 2}
    assert "more than 64 MiB" in caplog.text


MEBIBYTE = "x" * (1 << 20)


@pytest.mark.parametrize(
    "too_large",
    [
        lambda: {"value": MEBIBYTE * 65},
        lambda: {"value": b"x" * (65 << 20)},
        lambda: {"value": "ä" * (33 << 20)},
        lambda: {"value": "あ" * (22 << 20)},
        lambda: {MEBIBYTE * 65: 1},
        lambda: {"value": [MEBIBYTE] * 65},
        lambda: {"value": (MEBIBYTE,) * 3000},
        lambda: {"value": [MEBIBYTE] * 63 + [{"inner": MEBIBYTE}]},
        lambda: {"value": {"inner": MEBIBYTE * 65}},
        lambda: {"value": {MEBIBYTE * 65: {}}},
        lambda: {"value": type("Text", (str,), {})(MEBIBYTE * 65)},
    ],
    ids=["str", "bytes", "latin-1", "wide", "key", "list", "tuple", "last element", "mapping", "inner key", "subclass"],
)
def test_attribute_above_64_mebibytes_costs_itself(too_large: Any, caplog: pytest.LogCaptureFixture) -> None:
    before = counted("attributes_dropped")
    spans = [make_span(attributes={"before": 1, **too_large(), "after": 2})]
    assert attributes_of(decoded_spans(otlp_fast.encode_spans(spans))[0]) == {"before": 1, "after": 2}
    assert counted("attributes_dropped") == before + 1
    assert "more than 64 MiB" in caplog.text


@pytest.mark.parametrize("value", [lambda: MEBIBYTE * 65, lambda: (MEBIBYTE,) * 65, lambda: (MEBIBYTE,) * 3000])
def test_attribute_of_a_span_of_the_sdk_above_64_mebibytes_costs_itself(value: Any) -> None:
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("tests")
    spans = []
    for attributes in ({"before": 1}, {"before": 1, "value": value(), "after": 2}):
        with tracer.start_as_current_span("s", attributes=attributes) as span:
            spans.append(span)
    assert otlp_fast.encode_spans(spans[:1])  # from here on the fields of its class are read in place
    assert attributes_of(decoded_spans(otlp_fast.encode_spans(spans))[1]) == {"before": 1, "after": 2}


# Tags and lengths around the key and a text of 64 MiB, and the key.
AROUND = 17 + len("value")


@pytest.mark.parametrize("length", [(1 << 20) - 1, 1 << 20, (1 << 20) + 1, (64 << 20) - AROUND])
def test_long_attribute_up_to_64_mebibytes_is_kept(length: int) -> None:
    for value in ("x" * length, b"x" * length, ["x" * (length // 3)] * 2):
        spans = [make_span(attributes={"before": 1, "value": value, "after": 2})]
        assert otlp_fast.encode_spans(spans) == official_encode_spans(spans).SerializeToString()
    too_long = make_span(attributes={"value": "x" * ((64 << 20) - AROUND + 1)})
    assert not decoded_spans(otlp_fast.encode_spans([too_long]))[0].attributes


def test_array_of_many_numbers_is_kept() -> None:
    for count in (65_535, 65_536, 200_000):
        spans = [make_span(attributes={"value": list(range(count)), "after": [True] * count})]
        assert otlp_fast.encode_spans(spans) == official_encode_spans(spans).SerializeToString()


def test_event_and_link_that_are_none_cost_themselves(caplog: pytest.LogCaptureFixture) -> None:
    link = Link(SpanContext(1, 2, is_remote=True))
    span = make_span(events=["not an event", Event("kept", timestamp=5)], links=[link, None])
    assert_official_encoder_loses_the_batch(official_encode_spans, [span])
    (kept,) = decoded_spans(otlp_fast.encode_spans([span]))
    assert [event.name for event in kept.events] == ["kept"]
    assert [item.flags for item in kept.links] == [0x300]
    assert "events dropped: spans[0].events[0]" in caplog.text
    assert "links dropped: spans[0].links[1]" in caplog.text


@pytest.mark.parametrize("encode", [otlp_fast.encode_spans, encode_by_encoder])
def test_scope_that_cannot_say_whether_it_is_one_costs_itself(
    encode: Callable[[list[Any]], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    span = make_span(instrumentation_scope=Truthless())
    assert_official_encoder_loses_the_batch(official_encode_spans, [span])
    kept = decoded_spans(encode([span, make_span(name="next")]))
    assert [item.name for item in kept] == ["GET /", "next"]
    assert "values repaired: spans[0].instrumentation_scope" in caplog.text


def test_span_whose_resource_always_ends_the_request_is_refused_and_not_tried_for_ever() -> None:
    encoder = otlp_fast.SpanEncoder()
    resource = Resource({})
    resource._attributes = Finishing(encoder)  # type: ignore[assignment]
    with pytest.raises(otlp_fast.EncodeError, match="finishes the request") as caught:
        encoder.add(make_span(resource=resource))
    assert caught.value.path == "spans[0]"
    encoder.add(make_span())
    assert bytes(encoder.finish()) == otlp_fast.encode_spans([make_span()])


@pytest.mark.parametrize("item", ["a string", None, 7, object(), Event("e"), SpanKind.SERVER])
def test_item_that_is_no_span_is_an_error_naming_index_and_type(item: Any) -> None:
    with pytest.raises(otlp_fast.EncodeError) as caught:
        otlp_fast.encode_spans([make_span(), item])
    assert caught.value.path == "spans[1]"
    assert type(item).__qualname__ in str(caught.value)
    encoder = otlp_fast.SpanEncoder()
    encoder.add(make_span())
    before = bytes(otlp_fast.encode_spans([make_span()]))
    with pytest.raises(otlp_fast.EncodeError):
        encoder.add(item)
    encoder.add(make_span())
    assert bytes(encoder.finish()) == otlp_fast.encode_spans([make_span()] * 2)
    assert before


def test_no_spans_is_an_empty_request_and_no_iterable_a_type_error() -> None:
    assert otlp_fast.encode_spans([]) == otlp_fast.encode_spans(()) == b""
    assert otlp_fast.encode_spans(iter([make_span()])) == otlp_fast.encode_spans([make_span()])
    with pytest.raises(TypeError):
        otlp_fast.encode_spans(None)  # type: ignore[arg-type]
