"""Where the official encoder loses log records or parts of them, and what we do instead.

Each test shows what the official encoder does with the input, so that a release of it that mends the loss is noticed
here, and then that ours costs the bad value alone, counts it and names it in a log line.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import types
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs as official_encode_logs
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

import otlp_fast
from tests.compat.hostile import (
    HostileMapping,
    HostileSequence,
    Silent,
    cyclic_values,
    multiplying_value,
    nested_lists,
    nested_mappings,
)
from tests.compat.logs import make_log_record
from tests.compat.official import assert_official_encoder_loses_the_batch
from tests.compat.readback import attributes_of, counted, decoded_logs, plain, with_value
from tests.compat.spans import RESOURCE

needs_event_name = pytest.mark.skipif(
    "event_name" not in LogRecord.DESCRIPTOR.fields_by_name, reason="the protocol of this release has no event name"
)


class OtherSeverity(enum.Enum):
    """An enum that is not the API's."""

    HUGE = 2**31
    NAMED = "warn"


def encode_by_encoder(records: list[Any]) -> bytes:
    encoder = otlp_fast.LogEncoder()
    for record in records:
        encoder.add(record)
    return bytes(encoder.finish())


def body_of(body: Any) -> Any:
    """What arrives of a body, which is always there."""
    (record,) = decoded_logs(otlp_fast.encode_logs([make_log_record(body=body)]))
    assert record.HasField("body")
    assert attributes_of(record) == {"before": 1, "after": 2}
    return plain(record.body)


@pytest.mark.parametrize(
    ("fields", "field", "kept", "reason"),
    [
        ({"severity_text": "a\ud800"}, "severity_text", "a\ufffd", "lone surrogates"),
        ({"severity_text": 42}, "severity_text", "42", "expected str, got int"),
        ({"severity_text": b"\xff"}, "severity_text", "\ufffd", "not UTF-8"),
        ({"severity_text": Silent()}, "severity_text", "", "nothing to say"),
        pytest.param({"event_name": "a\ud800"}, "event_name", "a\ufffd", "lone surrogates", marks=needs_event_name),
        pytest.param({"event_name": ["a"]}, "event_name", "['a']", "expected str, got list", marks=needs_event_name),
        ({"timestamp": -1}, "time_unix_nano", 0, ".timestamp: left out: -1 is not between 0 and"),
        ({"timestamp": 1.5e18}, "time_unix_nano", 1_500_000_000_000_000_000, "expected int, got float"),
        ({"observed_timestamp": 2**64}, "observed_time_unix_nano", 0, ".observed_timestamp: left out"),
        ({"trace_id": -1}, "trace_id", b"", "expected an int of 128 bits, got -1"),
        ({"trace_id": "abc"}, "trace_id", b"", "expected an int of 128 bits, got 'abc'"),
        ({"span_id": 1 << 64}, "span_id", b"", "expected an int of 64 bits"),
        ({"trace_flags": -1}, "flags", 0, ".trace_flags: left out: -1 is not between 0 and 4294967295"),
        ({"trace_flags": "sampled"}, "flags", 0, ".trace_flags: left out: ValueError: invalid literal"),
        ({"severity_number": OtherSeverity.HUGE}, "severity_number", 0, ".severity_number: left out"),
        ({"severity_number": OtherSeverity.NAMED}, "severity_number", 0, ".severity_number: left out"),
    ],
)
@pytest.mark.parametrize("encode", [otlp_fast.encode_logs, encode_by_encoder])
def test_bad_field_costs_itself_where_official_encoder_loses_the_batch(
    encode: Callable[[list[Any]], bytes],
    fields: dict[str, Any],
    field: str,
    kept: object,
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    records = [make_log_record(), make_log_record(**fields), make_log_record()]
    assert_official_encoder_loses_the_batch(official_encode_logs, records)
    before = counted("values_repaired")
    first, bad, last = decoded_logs(encode(records))
    assert first == last == decoded_logs(official_encode_logs([make_log_record()]).SerializeToString())[0]
    assert getattr(bad, field) == kept
    assert (plain(bad.body), attributes_of(bad)) == ("paid", {"before": 1, "after": 2})
    assert counted("values_repaired") == before + 1
    assert reason in caplog.text
    assert "log_records[1]" in caplog.text


@pytest.mark.parametrize("absent", ["trace_id", "span_id", "trace_flags"])
def test_record_that_belongs_to_no_span_is_as_good_as_any(absent: str) -> None:
    records = [make_log_record(**{absent: None})]
    assert_official_encoder_loses_the_batch(official_encode_logs, records)
    before = counted("values_repaired")
    expected = official_encode_logs([make_log_record(**{absent: 0})]).SerializeToString()
    assert otlp_fast.encode_logs(records) == expected
    assert counted("values_repaired") == before


@pytest.mark.parametrize(
    ("parts", "place"),
    [
        ({"resource": Resource({"key": "a\ud800"})}, "log_records[0].resource:"),
        ({"scope": InstrumentationScope("a\ud800")}, "log_records[0].instrumentation_scope:"),
    ],
)
def test_lone_surrogate_in_resource_or_scope_is_counted_and_named(
    parts: dict[str, Any], place: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = counted("values_repaired")
    assert "a\ufffd".encode() in otlp_fast.encode_logs([make_log_record(**parts)])
    assert counted("values_repaired") == before + 1
    assert f"{place} lone surrogates" in caplog.text


def test_record_without_a_resource_is_kept() -> None:
    records = [make_log_record(resource=None)]
    assert_official_encoder_loses_the_batch(official_encode_logs, records)
    expected = official_encode_logs([make_log_record(resource=Resource({}))]).SerializeToString()
    assert otlp_fast.encode_logs(records) == expected


def test_lone_surrogate_in_attribute_is_kept_as_replacement_character() -> None:
    records = [make_log_record(attributes=with_value("a\ud800b"))]
    assert "value" not in attributes_of(decoded_logs(official_encode_logs(records).SerializeToString())[0])
    before = counted("values_repaired")
    assert attributes_of(decoded_logs(otlp_fast.encode_logs(records))[0]) == with_value("a\ufffdb")
    assert counted("values_repaired") == before + 1


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**40])
def test_integer_beyond_64_bits_becomes_decimal_string(number: int) -> None:
    records = [make_log_record(attributes=with_value(number))]
    assert "value" not in attributes_of(decoded_logs(official_encode_logs(records).SerializeToString())[0])
    assert attributes_of(decoded_logs(otlp_fast.encode_logs(records))[0]) == with_value(str(number))
    assert_official_encoder_loses_the_batch(official_encode_logs, [make_log_record(body=number)])
    assert body_of(number) == str(number)
    assert body_of({"amounts": [1, number]}) == {"amounts": [1, str(number)]}


@pytest.mark.parametrize("value", [object(), {1, 2}, decimal.Decimal(1), [1, {2}], {"inner": (1, object())}])
def test_unsupported_attribute_is_dropped_counted_and_named(value: Any, caplog: pytest.LogCaptureFixture) -> None:
    records = [make_log_record(attributes=with_value(value))]
    official = official_encode_logs(records).SerializeToString()
    caplog.clear()
    before = counted("attributes_dropped")
    assert otlp_fast.encode_logs(records) == official
    assert attributes_of(decoded_logs(official)[0]) == {"before": 1, "after": 2}
    assert counted("attributes_dropped") == before + 1
    assert "log_records[0].attributes['value']" in caplog.text


def test_attributes_whose_code_raises_cost_themselves() -> None:
    records = [make_log_record(attributes=HostileMapping())]
    assert_official_encoder_loses_the_batch(official_encode_logs, records)
    before = counted("attributes_dropped")
    (record,) = decoded_logs(otlp_fast.encode_logs(records))
    assert (plain(record.body), len(record.attributes)) == ("paid", 0)
    assert counted("attributes_dropped") == before + 1


MOMENT = datetime.datetime(2026, 11, 21, tzinfo=datetime.timezone.utc)


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (decimal.Decimal("1.50"), "1.50"),
        (1 + 2j, "(1+2j)"),
        (fractions.Fraction(1, 3), "1/3"),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (ValueError("broken"), "broken"),
        (MOMENT, "2026-11-21 00:00:00+00:00"),
        ({7}, [7]),
        (frozenset(), []),
        ({(1, 2)}, [[1, 2]]),
        ({frozenset({"a"})}, [["a"]]),
        (
            {"at": MOMENT, "tags": {"x"}, "price": [decimal.Decimal(2)]},
            {"at": str(MOMENT), "tags": ["x"], "price": ["2"]},
        ),
        ([{"deep": {"er": {1j}}}], [{"deep": {"er": ["1j"]}}]),
    ],
)
def test_body_of_any_type_follows_the_opentelemetry_mapping(body: Any, kept: Any) -> None:
    assert_official_encoder_loses_the_batch(official_encode_logs, [make_log_record(body=body)])
    before = otlp_fast.encode_stats()
    assert body_of(body) == kept
    assert otlp_fast.encode_stats() == {**before, "log_records_encoded": before["log_records_encoded"] + 1}


def test_mapping_of_types_holds_in_bodies_only_and_not_in_the_attributes_after_them() -> None:
    for body, kept in (([{1}], [[1]]), ([{1}, Silent()], None)):
        (record,) = decoded_logs(otlp_fast.encode_logs([make_log_record(body=body, attributes=with_value({1}))]))
        assert (plain(record.body), attributes_of(record)) == (kept, {"before": 1, "after": 2})


def test_lone_surrogate_in_body_is_kept_as_replacement_character() -> None:
    assert_official_encoder_loses_the_batch(official_encode_logs, [make_log_record(body="a\ud800")])
    before = counted("values_repaired")
    assert body_of("a\ud800") == "a\ufffd"
    assert body_of(ValueError("b\udfff")) == "b\ufffd"
    assert counted("values_repaired") == before + 2


@pytest.mark.parametrize(
    "body",
    [Silent(), [1, {"k": Silent()}], {Silent(): 1}, HostileSequence(RuntimeError("no more")), HostileMapping()],
    ids=["silent", "nested", "key", "sequence", "mapping"],
)
def test_body_whose_code_raises_is_left_out_and_counted(body: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert_official_encoder_loses_the_batch(official_encode_logs, [make_log_record(body=body)])
    before = counted("values_repaired")
    assert body_of(body) is None
    assert counted("values_repaired") == before + 1
    assert "log_records[0].body: left out: RuntimeError" in caplog.text


@pytest.mark.parametrize(("nest", "deepest"), [(nested_lists, 48), (nested_mappings, 32)])
def test_body_is_kept_as_deep_as_a_parser_reads_it(nest: Any, deepest: int, caplog: pytest.LogCaptureFixture) -> None:
    records = [make_log_record(body=nest(deepest))]
    encoded = otlp_fast.encode_logs(records)
    assert encoded == official_encode_logs(records).SerializeToString()
    assert decoded_logs(encoded)[0].body.ByteSize() > 2 * deepest
    assert body_of(nest(deepest + 1)) is None
    assert "nested too deeply" in caplog.text


def test_object_in_the_deepest_place_is_kept() -> None:
    value: Any = 1j
    for _ in range(48):
        value = [value]
    assert str(body_of(value)) == "[" * 48 + "'1j'" + "]" * 48


@pytest.mark.parametrize("body", cyclic_values(), ids=["list", "dict", "twofold", "hundred thousand deep"])
def test_cyclic_body_is_left_out(body: Any, caplog: pytest.LogCaptureFixture) -> None:
    before = counted("values_repaired")
    assert body_of(body) is None
    assert counted("values_repaired") == before + 1
    assert "nested too deeply (or contains itself)" in caplog.text


def test_body_that_multiplies_is_cut_before_it_fills_the_memory(caplog: pytest.LogCaptureFixture) -> None:
    assert body_of(multiplying_value()) is None
    assert "more than 64 MiB" in caplog.text


@pytest.mark.parametrize("text", ["x", "ä", b"x"])
def test_body_above_64_mebibytes_is_left_out(text: Any, caplog: pytest.LogCaptureFixture) -> None:
    for body in (text * (65 << 20), [text * (1 << 20)] * 65):
        caplog.clear()
        assert body_of(body) is None
        assert "more than 64 MiB" in caplog.text


def test_long_body_up_to_64_mebibytes_is_kept() -> None:
    for body in ("x" * (1 << 20), "x" * (63 << 20), ["x" * (1 << 20)] * 63):
        assert body_of(body) == body


def test_interrupt_in_a_body_is_the_users_and_passes_through() -> None:
    encoder = otlp_fast.LogEncoder()
    encoder.add(make_log_record())
    size = encoder.byte_count
    hostile = make_log_record(body=HostileSequence(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        encoder.add(hostile)
    assert (encoder.item_count, encoder.byte_count) == (1, size)
    with pytest.raises(KeyboardInterrupt):
        otlp_fast.encode_logs([hostile])
    # Nothing of the body that was broken off reaches the next record.
    encoder.add(make_log_record(attributes=with_value({1})))
    assert attributes_of(decoded_logs(bytes(encoder.finish()))[1]) == {"before": 1, "after": 2}


def test_older_record_whose_attributes_were_replaced_by_a_dict_is_kept() -> None:
    class OlderRecord:
        """As the LogRecord of SDKs before 1.39 counts what it dropped."""

        def __init__(self) -> None:
            fields = {"resource": RESOURCE, "attributes": {"before": 1, "after": 2}}
            self.__dict__.update(make_log_record().log_record.__dict__, **fields)

        @property
        def dropped_attributes(self) -> int:
            dropped: int = self.attributes.dropped  # type: ignore[attr-defined]
            return dropped

    older = types.SimpleNamespace(
        log_record=OlderRecord(), instrumentation_scope=make_log_record().instrumentation_scope
    )
    assert otlp_fast.encode_logs([older]) == otlp_fast.encode_logs([make_log_record()])


@pytest.mark.parametrize("item", ["a string", None, 7, object(), make_log_record().log_record])
def test_item_that_is_no_record_is_an_error_naming_index_and_type(item: Any) -> None:
    with pytest.raises(otlp_fast.EncodeError) as caught:
        otlp_fast.encode_logs([make_log_record(), item])
    assert caught.value.path == "log_records[1]"
    assert type(item).__qualname__ in str(caught.value)
    encoder = otlp_fast.LogEncoder()
    encoder.add(make_log_record())
    with pytest.raises(otlp_fast.EncodeError):
        encoder.add(item)
    encoder.add(make_log_record())
    assert bytes(encoder.finish()) == otlp_fast.encode_logs([make_log_record()] * 2)


def test_no_records_is_an_empty_request_and_no_iterable_a_type_error() -> None:
    assert otlp_fast.encode_logs([]) == otlp_fast.encode_logs(()) == b""
    assert otlp_fast.encode_logs(iter([make_log_record()])) == otlp_fast.encode_logs([make_log_record()])
    with pytest.raises(TypeError):
        otlp_fast.encode_logs(None)  # type: ignore[arg-type]


def test_records_are_counted() -> None:
    before = counted("log_records_encoded")
    otlp_fast.encode_logs([make_log_record()] * 3)
    encode_by_encoder([make_log_record()] * 2)
    assert counted("log_records_encoded") == before + 5
