"""The native tracezip codec against the reference in plain Python: headers, directories, columns, states, errors.

Only what zstd makes of the text may differ: its bytes, whether that is shorter at all, and so the prefix.
"""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otlp_fast import tracezip
from otlp_fast.errors import CompressionError
from otlp_fast.reference import tracezip as reference
from otlp_fast.reference.tracezip import frame as frames
from otlp_fast.reference.tracezip.hashes import crc32c
from tests.corpora import CORPORA, read_requests
from tests.property.strategies.requests import signals_and_requests
from tests.tracezip_requests import Service

STREAM_ID = bytes(range(16))
DEFAULT = tracezip.Limits()
SMALL = tracezip.Limits(max_state=1 << 16)
SIGNALS = sorted({"traces", "logs", "metrics"})


def layout(frame: bytes) -> tuple[Any, ...]:
    """What two encoders must agree on."""
    read = frames.read(frame, DEFAULT)
    flags, header = read.flags._replace(is_compressed=False), read.header._replace(prefix_len=0)
    return flags, header, read.columns, read.raw_block


class Both:
    """Both implementations of a stream's two ends. Each decoder reads what the other implementation has written."""

    def __init__(self, signal: str, limits: tracezip.Limits = DEFAULT) -> None:
        self.native = tracezip.Encoder(signal, stream_id=STREAM_ID, limits=limits)
        self.plain = reference.Encoder(signal, stream_id=STREAM_ID, limits=limits)
        self.native_decoder = tracezip.Decoder(limits)
        self.plain_decoder = reference.Decoder(limits)

    def encode(self, request: bytes) -> tuple[bytes, bytes]:
        native, plain = self.native.encode(request), self.plain.encode(request)
        assert layout(native) == layout(plain)
        return native, plain

    def decode(self, frames: tuple[bytes, bytes], request: bytes) -> None:
        native, plain = frames
        assert self.native_decoder.decode(plain) == request
        assert self.plain_decoder.decode(native) == request

    def decoders_commit(self) -> None:
        self.native_decoder.commit()
        self.plain_decoder.commit()
        # The hash covers the text as well, so that is equal too.
        assert self.native_decoder.state_hash == self.plain_decoder.state_hash

    def commit(self) -> None:
        self.native.commit()
        self.plain.commit()
        self.decoders_commit()
        assert self.native.state_hash == self.plain.state_hash == self.plain_decoder.state_hash

    def rollback(self) -> None:
        for end in (self.native, self.plain, self.native_decoder, self.plain_decoder):
            end.rollback()

    def reset(self) -> None:
        self.native.reset()
        self.plain.reset()

    def send(self, request: bytes) -> None:
        self.decode(self.encode(request), request)
        self.commit()


@settings(max_examples=100)
@given(st.lists(signals_and_requests, min_size=1, max_size=3), st.lists(st.integers(0, 2), max_size=4))
def test_any_requests(drawn: list[tuple[str, Any]], order: list[int]) -> None:
    both = Both(drawn[0][0], SMALL)
    requests = [request.SerializeToString() for _, request in drawn]
    for request in [*requests, *(requests[number % len(requests)] for number in order)]:
        both.send(request)


@given(st.sampled_from(SIGNALS), st.lists(st.binary(max_size=300), min_size=1, max_size=3))
def test_any_bytes(signal: str, requests: list[bytes]) -> None:
    both = Both(signal)
    for request in requests:
        both.send(request)


@settings(max_examples=100)
@given(
    st.sampled_from(SIGNALS), st.integers(0, 2**32), st.lists(st.tuples(st.integers(0, 2**16), st.binary(max_size=2)))
)
def test_mutated_requests(signal: str, seed: int, changes: list[tuple[int, bytes]]) -> None:
    service = Service(seed)
    both = Both(signal)
    both.send(service.request(signal, 3))
    request = service.request(signal, 3)
    for place, replacement in changes:
        place %= len(request)
        request = request[:place] + replacement + request[place + 1 :]
    both.send(request)


STEPS = st.sampled_from(["commit"] * 4 + ["give up", "lose the answer", "reset", "repeat", "damage"])


@settings(max_examples=60)
@given(st.sampled_from(SIGNALS), st.integers(0, 2**32), st.lists(STEPS, max_size=12))
def test_streams_in_trouble(signal: str, seed: int, steps: list[str]) -> None:
    service = Service(seed)
    both = Both(signal, SMALL)
    last: tuple[bytes, bytes] | None = None
    for step in steps:
        if step == "reset":
            both.reset()
            continue
        if step == "repeat":
            if last is not None:
                for decoder, frame in ((both.native_decoder, last[1]), (both.plain_decoder, last[0])):
                    with pytest.raises(tracezip.RepeatedFrameError):
                        decoder.decode(frame)
            continue
        request = service.request(signal, 4)
        pair = both.encode(request)
        if step == "damage":
            assert_same_refusal(both, pair[0][:-1])
            both.rollback()
            continue
        both.decode(pair, request)
        if step == "give up":
            both.rollback()
        elif step == "lose the answer":
            # The sender gives up what the receiver has taken; its next frame finds another state.
            both.decoders_commit()
            both.native.rollback()
            both.plain.rollback()
            is_first = frames.read(pair[0], SMALL).flags.is_reset
            if not is_first:
                native, plain = both.encode(request + request)
                for decoder, frame in ((both.native_decoder, plain), (both.plain_decoder, native)):
                    with pytest.raises(tracezip.StateLostError):
                        decoder.decode(frame)
            both.reset()
            both.send(request)
            last = None
        else:
            both.commit()
            last = pair


def refusal(decoder: tracezip.Decoder | reference.Decoder, frame: bytes) -> str | bytes:
    try:
        return decoder.decode(frame)
    except CompressionError as error:
        # What is wrong with a ZBlock, zstd's different faces say in a different order.
        return f"{type(error).__name__}: {re.sub('a .*ZBlock.* at', 'a bad ZBlock at', str(error))}"


def assert_same_refusal(both: Both, frame: bytes) -> str | bytes:
    native, plain = refusal(both.native_decoder, frame), refusal(both.plain_decoder, frame)
    assert native == plain
    return native


@settings(max_examples=150)
@given(
    st.sampled_from(SIGNALS),
    st.integers(0, 2**32),
    st.lists(st.tuples(st.integers(0, 2**16), st.integers(1, 255)), min_size=1, max_size=3),
)
def test_damaged_frames_are_refused_alike(signal: str, seed: int, changes: list[tuple[int, int]]) -> None:
    service = Service(seed)
    both = Both(signal, SMALL)
    both.send(service.request(signal, 3))
    # As the reference writes it and does not compress it, so that the text is hit too.
    _, intact = both.encode(service.request(signal, 2))
    content = bytearray(intact[:-4])
    for place, change in changes:
        content[place % len(content)] ^= change
    assert_same_refusal(both, bytes(content) + crc32c(content).to_bytes(4, "little"))
    assert_same_refusal(both, bytes(content) + intact[-4:])
    both.rollback()
    both.send(service.request(signal, 2))


@pytest.mark.parametrize("signal", SIGNALS)
def test_tables_that_overflow(signal: str) -> None:
    service = Service(5)
    both = Both(signal, SMALL)
    for number in range(12):
        both.send(service.request(signal, 40))
        unique = "".join(service.random.choice("xyz ") for _ in range(1000))
        body = {"traces": _span_named, "logs": _record_saying, "metrics": _metric_named}[signal]
        for part in range(4):
            both.send(body(f"{unique}{number}{part}"))
    codec = both.plain._stream._codec
    # Every kind of table has let something go.
    assert codec.shapes._left > 0
    if signal != "metrics":
        assert any(family.left > 0 for family in codec.families._families)
        assert codec.ids._mentions > 64


def _nested(tag: int, content: bytes) -> bytes:
    return frames.varint(tag) + frames.varint(len(content)) + content


def _request(item: bytes) -> bytes:
    return _nested(0x0A, _nested(0x12, _nested(0x12, item)))


def _span_named(name: str) -> bytes:
    attribute = _nested(0x0A, name.encode()) + _nested(0x12, _nested(0x0A, name[:700].encode()))
    return _request(_nested(0x2A, name.encode()) + _nested(0x4A, attribute))


def _record_saying(text: str) -> bytes:
    return _request(_nested(0x1A, text.encode()) + _nested(0x2A, _nested(0x0A, text.encode())))


def _metric_named(name: str) -> bytes:
    return _request(_nested(0x0A, name.encode()))


def _attribute(value: bytes) -> bytes:
    return _nested(0x4A, _nested(0x0A, b"key") + _nested(0x12, value))


def _arrays(depth: int) -> bytes:
    """A text in arrays, each of which takes two messages, within two of its attribute."""
    value = _nested(0x0A, b"x")
    for _ in range(depth):
        value = _nested(0x2A, _nested(0x0A, value))
    return _request(_attribute(value))


def _buckets(count: int) -> bytes:
    point = _nested(0x32, b"".join(number.to_bytes(8, "little") for number in range(count)))
    return _request(_nested(0x4A, _nested(0x0A, point)))


def _body(text: bytes) -> bytes:
    return _request(_nested(0x2A, _nested(0x0A, text)))


# What is made of a size, and the size at which an encoder begins to do something else.
EDGES: dict[str, tuple[str, Callable[[int], bytes], int]] = {
    "MAX_VALUE_LEN": ("traces", lambda size: _request(_attribute(_nested(0x0A, b"x" * size))), 8_192),
    "MAX_PACKED": ("metrics", _buckets, 512),
    "MAX_HOLES": ("traces", lambda size: _request(_attribute(b"\x18\x01") * size), 4_096),
    "MAX_DEPTH": ("traces", _arrays, 15),
    "MAX_SKELETON_LEN": ("traces", lambda size: _request(_nested(0x2A, b"x" * (size - 4))), 65_535),
    "MAX_DIGITS": ("logs", lambda size: _body(b"id " + b"7" * size), 18),
    "MAX_TEXT_LEN": ("logs", lambda size: _body(b"7" + b" " * (size - 1)), 2_048),
    "MAX_VARIABLES": ("logs", lambda size: _body(b"7 " * size), 64),
    "MIN_HEX_LEN": ("logs", lambda size: _body(b"a" + b"7" * (size - 1)), 8),
    "MAX_HEX_LEN": ("logs", lambda size: _body(b"a" + b"7" * (size - 1)), 64),
    "MIN_WORD_LEN": ("logs", lambda size: _body(b"X" + b"7" * (size - 1)), 6),
    "MAX_CLASS": ("traces", lambda size: _request(_attribute(b"\x18" + frames.varint((1 << size) - 1))), 62),
    "MAX_SCALE": ("traces", lambda size: _request(_attribute(b"\x21" + struct.pack("<d", 10.0**-size))), 9),
    "MAX_EXACT": ("traces", lambda size: _request(_attribute(b"\x21" + struct.pack("<d", 2.0**size - 1))), 53),
}


@pytest.mark.parametrize("name", EDGES)
def test_edges(name: str) -> None:
    signal, request_of, edge = EDGES[name]
    both = Both(signal)
    for size in [edge - 1, edge, edge + 1] * 2:
        both.send(request_of(size))


def test_shapes_that_are_as_large_as_their_table() -> None:
    budget = (1 << 16) // 8 * 3
    both = Both("traces", SMALL)
    for cost in (budget, budget + 2, budget):
        # The skeleton has a tag and a length of 2 bytes, counts twice, and has no holes.
        request = _request(_nested(0x2A, b"x" * ((cost - 256) // 2 - 3)))
        frame, _ = both.encode(request)
        assert tracezip.read_header(frame).is_raw == (cost > budget)
        both.rollback()
        both.send(request)


def test_families_that_are_full() -> None:
    both = Both("traces")
    # Each value comes three times, so that the family goes on to take them in.
    values = [number for number in range(1, 4_300) for _ in range(3)]
    for start in range(0, len(values), 2_500):
        numbers = values[start : start + 2_500]
        attributes = b"".join(
            _nested(0x4A, _nested(0x0A, b"n") + _nested(0x12, b"\x18" + frames.varint(number * 77777)))
            for number in numbers
        )
        both.send(_request(attributes))
    families = both.plain._stream._codec.families
    assert any(family.left > 0 for family in families._families)
    assert families._cost < families._budget // 2, "it was the family that was full"


def test_templates_that_do_not_recur() -> None:
    """After 64 of them, texts are no longer taken apart."""
    both = Both("logs")
    for length in range(1, 70):
        both.send(_request(_nested(0x2A, _nested(0x0A, b"x" * length + b" %d" % length))))
    families = both.plain._stream._codec.families._families
    assert max(family.new_templates for family in families) == 64


def test_stateless_frames() -> None:
    service = Service(8)
    native, plain = tracezip.Encoder("logs", stateless=True), reference.Encoder("logs", stateless=True)
    for _ in range(3):
        request = service.request("logs", 5)
        pair = native.encode(request), plain.encode(request)
        assert layout(pair[0]) == layout(pair[1])
        assert reference.Decoder().decode(pair[0]) == tracezip.Decoder().decode(pair[1]) == request


def test_large_requests_that_say_little_are_padded() -> None:
    request = _request(b"") * 200_000
    native, plain = tracezip.Encoder("traces"), reference.Encoder("traces")
    assert reference.Decoder().decode(native.encode(request)) == request
    frame = plain.encode(request)
    assert len(frame) >= len(request) // 1000
    assert tracezip.Decoder().decode(frame) == request


@pytest.mark.parametrize("name", CORPORA)
def test_corpora(name: str) -> None:
    both = Both(CORPORA[name])
    # The requests are of very different sizes; the reference takes about 2 seconds for a megabyte.
    requests = (request for request in read_requests(name) if len(request) < 200_000)
    for request in itertools.islice(requests, 4):
        both.send(request)
