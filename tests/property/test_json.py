"""OTLP/JSON against protobuf's own `json_format`, which differs in the ids only: it has them in base64."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from random import Random
from typing import Any

from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

import otlp_fast
from tests.property.strategies.requests import signals_and_requests
from tests.request_items import MESSAGES


def with_ids(value: Any, change: Callable[[str], str]) -> Any:
    """JSON with all ids changed. Attributes are no keys in OTLP/JSON, so a key of that name is an id."""
    if isinstance(value, dict):
        return {
            key: change(item) if key in ("traceId", "spanId", "parentSpanId") else with_ids(item, change)
            for key, item in value.items()
        }
    return [with_ids(item, change) for item in value] if isinstance(value, list) else value


def official_json(request: Any) -> Any:
    # The text and not the dict: json_format's doubles are floats there, which json writes and reads without loss.
    text = json_format.MessageToJson(request, use_integers_for_enums=True)
    return with_ids(json.loads(text), lambda digits: base64.b64decode(digits).hex())


def shuffled(value: Any, random: Random) -> Any:
    """JSON with the keys of all objects in another order."""
    if isinstance(value, dict):
        keys = random.sample(list(value), len(value))
        return {key: shuffled(value[key], random) for key in keys}
    return [shuffled(item, random) for item in value] if isinstance(value, list) else value


@given(signals_and_requests)
def test_json_is_that_of_protobuf(drawn: tuple[str, Any]) -> None:
    signal, request = drawn
    assert json.loads(otlp_fast.to_json(request.SerializeToString(), signal)) == official_json(request)


@given(signals_and_requests, st.randoms(use_true_random=False))
def test_request_is_that_of_protobuf_in_any_order_of_keys(drawn: tuple[str, Any], random: Random) -> None:
    signal, request = drawn
    expected = json_format.Parse(json_format.MessageToJson(request), type(request)()).SerializeToString()
    document = official_json(request)
    assert otlp_fast.from_json(json.dumps(document), signal) == expected
    assert otlp_fast.from_json(json.dumps(shuffled(document, random), ensure_ascii=False), signal) == expected
    assert otlp_fast.from_json(otlp_fast.to_json(request.SerializeToString(), signal), signal) == expected


def attempt(call: Callable[[], bytes]) -> bytes | otlp_fast.DecodeError:
    try:
        return call()
    except otlp_fast.DecodeError as error:
        return error


def fields_shuffled(message: Any, random: Random) -> bytes:
    """A message whose fields stand in any order, on every level, with those of a repeated one in theirs."""
    fields: list[bytes] = []
    order: list[int] = []
    for field, value in message.ListFields():
        elements = list(value) if field.is_repeated else [value]
        for element in elements:
            alone = type(message)()
            if field.type == field.TYPE_MESSAGE:
                content = fields_shuffled(element, random)
                fields.append(bytes([field.number << 3 | 2]) + varint(len(content)) + content)
            elif field.is_repeated:
                getattr(alone, field.name).append(element)
                fields.append(alone.SerializeToString())
            else:
                setattr(alone, field.name, element)
                fields.append(alone.SerializeToString())
            order.append(field.number)
    places = random.sample(range(len(fields)), len(fields))
    queues: dict[int, list[bytes]] = {}
    for number, field_bytes in zip(order, fields, strict=True):
        queues.setdefault(number, []).append(field_bytes)
    return b"".join(queues[order[place]].pop(0) for place in places)


def varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


@given(signals_and_requests, st.randoms(use_true_random=False))
def test_json_does_not_depend_on_the_order_on_the_wire(drawn: tuple[str, Any], random: Random) -> None:
    signal, request = drawn
    disordered = fields_shuffled(request, random)
    assert type(request).FromString(disordered) == request or b"nan" in str(request).encode()
    assert otlp_fast.to_json(disordered, signal) == otlp_fast.to_json(request.SerializeToString(), signal)


@given(signals_and_requests, st.data())
def test_damaged_request_is_refused_or_read_as_protobuf_reads_it(drawn: tuple[str, Any], data: st.DataObject) -> None:
    signal, request = drawn
    damaged = bytearray(request.SerializeToString())
    for _ in range(data.draw(st.integers(1, 3))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    text = attempt(lambda: otlp_fast.to_json(damaged, signal))
    if isinstance(text, otlp_fast.DecodeError):
        assert 0 <= text.offset <= len(damaged)
        return
    parsed = type(request).FromString(bytes(damaged))
    parsed.DiscardUnknownFields()
    assert json.loads(text) == official_json(parsed)


@given(signals_and_requests, st.data())
def test_damaged_json_is_refused_where_python_refuses_it(drawn: tuple[str, Any], data: st.DataObject) -> None:
    signal, request = drawn
    text = otlp_fast.to_json(request.SerializeToString(), signal).decode()
    place = data.draw(st.integers(0, len(text)))
    text = text[:place] + data.draw(st.text(max_size=3)) + text[place + data.draw(st.integers(0, 3)) :]
    back = attempt(lambda: otlp_fast.from_json(text, signal))
    if isinstance(back, otlp_fast.DecodeError):
        assert 0 <= back.offset <= len(text.encode("utf-8", "surrogatepass"))
        return
    json.loads(text)
    assert MESSAGES[signal][0].FromString(back).SerializeToString() == back
