"""What must hold at the Python border: bytes and objects of any kind, and only the documented errors.

An input begins with the head of fuzz/src/targets.rs, so that inputs for those targets are inputs here too. A second
byte of 1 makes objects of what follows, every other gives it to whatever takes bytes. Two programs and a test share
this: `border.py` (atheris), `walk.py` (valgrind) and tests/unit/test_border.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import islice
from typing import Any

import otlp_fast
import otlp_fast.columns
from fuzz.python.objects import Objects, Provider
from otlp_fast import _core, compression, tracezip

SIGNALS = ("traces", "logs", "metrics", "traces")
DECODERS: dict[str, Callable[[bytes], Any]] = {
    "traces": otlp_fast.decode_traces,
    "logs": otlp_fast.decode_logs,
    "metrics": otlp_fast.decode_metrics,
}
# The keys of OTLP/JSON that lead from a request down to its items.
LEVELS: dict[str, tuple[tuple[str, ...], ...]] = {
    "traces": (("resourceSpans",), ("scopeSpans",), ("spans",)),
    "logs": (("resourceLogs",), ("scopeLogs",), ("logRecords",)),
    "metrics": (
        ("resourceMetrics",),
        ("scopeMetrics",),
        ("metrics",),
        ("gauge", "sum", "histogram", "exponentialHistogram", "summary"),
        ("dataPoints",),
    ),
}
HEAD = 5
OBJECTS = 1
ENCODINGS = ("gzip", "zstd", "lz4")
LIMITS = tracezip.Limits(max_decoded_len=1 << 20, max_plain_len=1 << 20, max_state=1 << 18)
# Why an encoder refuses an item that is one.
ENDS_ITS_REQUEST = "finishes the request whenever its resource or scope is read"
# Items that are looked at one by one.
FEW = 3


def accepts(action: Callable[[], Any], *errors: type[Exception]) -> Any:
    """What an action gives, or None where it raises one of its documented errors. Any other goes on to the fuzzer."""
    try:
        return action()
    except errors:
        return None


def items_of(text: bytes, signal: str) -> list[tuple[Any, ...]]:
    """Each item of OTLP/JSON: its own fields, and those of all that is around it."""
    return inner_items(json.loads(text), LEVELS[signal])


def inner_items(message: dict[str, Any], levels: tuple[tuple[str, ...], ...]) -> list[tuple[Any, ...]]:
    """Each item of a message, which is one itself where there are no levels below."""
    if not levels:
        return [(message,)]
    around = {key: value for key, value in message.items() if key not in levels[0]}
    below = [message[key] for key in levels[0] if key in message]
    inner = [one for some in below for one in (some if isinstance(some, list) else [some])]
    return [(around, *item) for one in inner for item in inner_items(one, levels[1:])]


def check_request(data: bytes, signal: str) -> None:
    """Reads a request in every way that there is; what was read is given out and read again."""
    decoded = accepts(lambda: DECODERS[signal](data), otlp_fast.DecodeError)
    text = accepts(lambda: otlp_fast.to_json(data, signal), otlp_fast.DecodeError)
    parts = accepts(lambda: otlp_fast.split(data, signal, max_bytes=100), otlp_fast.DecodeError)
    merged = accepts(lambda: otlp_fast.merge([data, data], signal), otlp_fast.DecodeError)
    counted = accepts(lambda: otlp_fast.count(data, signal), otlp_fast.DecodeError)
    if decoded is None:
        return
    assert counted == len(decoded), f"{counted} items counted, {len(decoded)} decoded"
    assert text is not None, "decoded, and no JSON"
    items = items_of(text, signal)
    assert len(items) == len(decoded), f"{len(items)} items in JSON, {len(decoded)} decoded"
    assert merged is not None, "decoded, and not merged"
    again = items_of(otlp_fast.to_json(merged, signal), signal)
    assert sorted(map(repr, again)) == sorted(map(repr, 2 * items)), "merged with itself"
    assert parts is not None, "decoded, and not split"
    again = [item for part in parts for item in items_of(otlp_fast.to_json(part, signal), signal)]
    assert again == items, "items of all parts"
    assert len(DECODERS[signal](otlp_fast.from_json(text, signal))) == len(decoded), "items of the JSON"
    decoded.to_dict()
    repr(decoded)
    for item in islice(decoded, FEW):
        repr(item)
        dict(item.attributes)
        dict(item.resource.attributes)
    for key in list(decoded.resource):
        repr(decoded.resource[key])


def check_text(data: bytes, signal: str) -> None:
    """Text is a request, or refused."""
    request = accepts(lambda: otlp_fast.from_json(data, signal), otlp_fast.DecodeError)
    if request is not None:
        assert otlp_fast.from_json(otlp_fast.to_json(request, signal), signal) == request, "JSON of JSON"


def check_compressed(data: bytes) -> None:
    """Any bytes are decompressed within the limit, or refused; they come back from each encoding."""
    for encoding in ENCODINGS:
        content = accepts(
            lambda encoding=encoding: compression.decompress(data, encoding, max_size=1 << 16), otlp_fast.OtlpError
        )
        assert content is None or len(content) <= 1 << 16, f"{encoding}: {len(content)} bytes"
        packed = compression.compress(data, encoding)
        assert compression.decompress(packed, encoding) == data, encoding


def check_tracezip(data: bytes, signal: str) -> None:
    """Any frame is decoded or refused, and the decoder goes on; any request comes back."""
    decoder = tracezip.Decoder(limits=LIMITS)
    accepts(lambda: tracezip.read_header(data, limits=LIMITS), otlp_fast.OtlpError)
    accepts(lambda: decoder.decode(data), otlp_fast.OtlpError)
    decoder.rollback()
    encoder = tracezip.Encoder(signal, limits=LIMITS)
    for _ in range(2):
        assert decoder.decode(encoder.encode(data)) == data, "another request came back"
        encoder.commit()
        decoder.commit()


def check_responses(data: bytes) -> None:
    """What a receiver answers is read or refused, and bytes that may be of any signal are told apart."""
    for read in (_core.read_export_response, _core.read_retry_delay, _core.read_status_message, _core.detect_signals):
        accepts(lambda read=read: read(data), otlp_fast.DecodeError)


def check_objects(objects: Objects) -> None:
    """Objects of any kind become a request that can be read. An EncodeError comes only where one of them is no item."""
    signal = objects.signal
    refusals = () if objects.are_items else (otlp_fast.EncodeError,)
    given = objects.many(objects.make_item)
    if signal == "metrics":
        for metrics in given:
            encoded = accepts(lambda metrics=metrics: otlp_fast.encode_metrics(metrics), *refusals)
            if encoded is not None:
                otlp_fast.decode_metrics(encoded)
    else:
        encode = otlp_fast.encode_spans if signal == "traces" else otlp_fast.encode_logs
        encoded = accepts(lambda: encode(given), *refusals)
        if encoded is not None:
            decoded = DECODERS[signal](encoded)
            assert len(decoded) == len(given), f"{len(decoded)} of {len(given)} items"
    for item in given:
        try:
            objects.encoder.add(item)
        except otlp_fast.EncodeError as error:
            if objects.are_items and ENDS_ITS_REQUEST not in str(error):
                raise
    DECODERS[signal](bytes(objects.encoder.finish()))


def check(data: bytes, provider: Callable[[bytes], Provider]) -> None:
    """One input; `provider` makes choices of bytes."""
    if len(data) < HEAD:
        return
    signal, content = SIGNALS[data[0] & 3], data[HEAD:]
    if data[1] == OBJECTS:
        check_objects(Objects(provider(content), signal))
        return
    check_request(content, signal)
    check_text(content, signal)
    check_compressed(content)
    check_tracezip(content, signal)
    check_responses(content)
