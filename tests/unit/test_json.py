"""`to_json` and `from_json` on the examples of the protocol, on captured requests, and on what is wrong."""

from __future__ import annotations

import base64
import itertools
import json
from typing import Any

import pytest
from google.protobuf import json_format

import otlp_fast
from tests.corpora import CORPORA, FOLDER, read_requests
from tests.property.test_json import official_json, with_ids
from tests.request_items import MESSAGES

EXAMPLES = {"trace": "traces", "logs": "logs", "events": "logs", "metrics": "metrics"}


def example(name: str) -> str:
    path = FOLDER / "otlp-json" / f"{name}.json"
    if not path.exists():
        pytest.skip(f"example {name} is not in {FOLDER}")
    return path.read_text(encoding="utf-8")


def comparable(value: Any) -> Any:
    """JSON without what OTLP/JSON says in two ways: integers as numbers, capital digits, values that are zero."""
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items() if item not in ("", 0, [], False)}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    return value.lower() if isinstance(value, str) else str(float(value))


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_of_the_protocol_are_read_and_written_again(name: str) -> None:
    text, signal = example(name), EXAMPLES[name]
    request = otlp_fast.from_json(text, signal)
    with_base64 = with_ids(json.loads(text), lambda digits: base64.b64encode(bytes.fromhex(digits)).decode())
    official = json_format.ParseDict(with_base64, MESSAGES[signal][0]())
    assert request == official.SerializeToString()
    assert otlp_fast.count(request, signal) > 0
    written = json.loads(otlp_fast.to_json(request, signal))
    assert written == official_json(official)
    if name in ("logs", "events"):
        assert comparable(written) == comparable(json.loads(text))


@pytest.mark.parametrize("name", CORPORA)
def test_captured_requests_become_the_json_of_protobuf_and_come_back(name: str) -> None:
    signal = CORPORA[name]
    for data in itertools.islice(read_requests(name), 0, 60, 20):
        official = MESSAGES[signal][0].FromString(data)
        text = otlp_fast.to_json(data, signal)
        assert json.loads(text) == official_json(official)
        assert otlp_fast.from_json(text, signal) == official.SerializeToString()


def test_text_is_one_line_of_compact_utf8() -> None:
    request = otlp_fast.from_json('{"resourceSpans": [{"schemaUrl": "zw\\u00f6lf\\n"}]}\n', "traces")
    assert otlp_fast.to_json(request, "traces") == '{"resourceSpans":[{"schemaUrl":"zwölf\\n"}]}'.encode()


def test_every_form_of_input_is_taken() -> None:
    text = '{"resourceLogs":[{"schemaUrl":"für 東京 😀"}]}'
    request = otlp_fast.from_json(text, "logs")
    for form in (text.encode(), bytearray(text.encode()), memoryview(text.encode())):
        assert otlp_fast.from_json(form, "logs") == request
    for data in (bytearray(request), memoryview(request)):
        assert otlp_fast.to_json(data, "logs") == text.encode()
    encoder = otlp_fast.SpanEncoder()
    assert otlp_fast.to_json(encoder.finish(), "traces") == b"{}"
    assert otlp_fast.from_json("{}", "metrics") == b""


@pytest.mark.parametrize(
    ("text", "offset", "path", "message"),
    [
        ("", 0, "", "not JSON: EOF while parsing a value at offset 0"),
        ('{"resourceSpans":[{"scopeSpans":7}]}', 32, "resourceSpans[0].scopeSpans", "expected an array"),
        ('{"resourceSpans":[{},{"schemaUrl":"ü", }]}', 40, "resourceSpans[1]", "trailing comma"),
        ('{"x":"\\ud83d"}', 12, "", "not JSON"),
        ('{"x":"ü\ud83d"}', 8, "", "the text is not valid UTF-8"),
        (b'{"x":"\xff"}', 6, "", "the text is not valid UTF-8"),
        ("\ufeff{}", 0, "", "expected an object"),
    ],
)
def test_wrong_json_is_refused_with_its_place(text: str | bytes, offset: int, path: str, message: str) -> None:
    with pytest.raises(otlp_fast.DecodeError, match=message) as caught:
        otlp_fast.from_json(text, "traces")
    assert (caught.value.offset, caught.value.path) == (offset, path)
    assert path in str(caught.value)


def test_wrong_request_is_refused_with_its_place() -> None:
    with pytest.raises(otlp_fast.DecodeError, match="not valid UTF-8 at offset 7") as caught:
        otlp_fast.to_json(b"\x0a\x07\x12\x05\x12\x03\x2a\x01\xff", "traces")
    assert (caught.value.offset, caught.value.path) == (7, "resource_spans[0].scope_spans[0].spans[0].name")


def test_depth_is_limited_as_asked() -> None:
    text = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"deep"}]}]}]}'
    request = otlp_fast.from_json(text, "traces", max_depth=3)
    assert otlp_fast.to_json(request, "traces", max_depth=3) == text.encode()
    with pytest.raises(otlp_fast.DecodeError, match="too deeply") as caught:
        otlp_fast.from_json(text, "traces", max_depth=2)
    assert caught.value.path == "resourceSpans[0].scopeSpans[0].spans[0]"
    with pytest.raises(otlp_fast.DecodeError, match="too deeply") as caught:
        otlp_fast.to_json(request, "traces", max_depth=2)
    assert caught.value.path == "resource_spans[0].scope_spans[0].spans[0]"


def test_wrong_arguments_are_refused() -> None:
    for call in (otlp_fast.to_json, otlp_fast.from_json):
        with pytest.raises(ValueError, match="unknown signal"):
            call(b"{}", "spans")
        for data in (None, 7, ["{}"]):
            with pytest.raises(TypeError):
                call(data, "traces")  # type: ignore[operator]
        with pytest.raises((TypeError, OverflowError)):
            call(b"{}", "traces", max_depth=-1)
    with pytest.raises(TypeError):
        otlp_fast.to_json("{}", "traces")  # type: ignore[arg-type]
