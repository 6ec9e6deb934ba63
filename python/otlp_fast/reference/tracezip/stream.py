"""What both ends of a stream keep: what was learned, and the text that the ZBlock refers back to."""

from __future__ import annotations

from typing import NamedTuple

from otlp_fast.reference.tracezip import zblock
from otlp_fast.reference.tracezip.codec import Codec
from otlp_fast.reference.tracezip.coder import Reading
from otlp_fast.reference.tracezip.constants import (
    BITS,
    BYTES,
    DECISIONS,
    LEVEL,
    MAX_PREFIX_LEN,
    MAX_RATIO,
    PADDING,
    RATIO_FREE_LEN,
    RAW_LEVEL,
    TEXT,
    Capacity,
)
from otlp_fast.reference.tracezip.decoding import decode
from otlp_fast.reference.tracezip.encoding import encode
from otlp_fast.reference.tracezip.errors import damaged
from otlp_fast.reference.tracezip.frame import Column, Encoding, Frame

ENCODINGS = {
    PADDING: Encoding.BYTES,
    DECISIONS: Encoding.MODELLED,
    BITS: Encoding.BITS,
    BYTES: Encoding.BYTES,
    TEXT: Encoding.TEXT,
}


class Body(NamedTuple):
    """What a frame holds."""

    is_raw: bool
    items: int
    columns: list[Column]
    raw_block: bytes
    text: bytes
    prefix_len: int
    zblock: bytes | None
    """None where the text is not compressed."""


class Stream:
    """What was learned up to some frame. It is never changed: what comes behind a frame is another one."""

    def __init__(self, signal: str, state_log2: int) -> None:
        """Have learned nothing."""
        self.signal = signal
        self.state_log2 = state_log2
        self._codec = Codec(signal, Capacity.of(state_log2))
        self._history = b""
        """The text of the frames so far, the latest last."""

    def _behind(self, codec: Codec, text: bytes) -> Stream:
        stream = Stream.__new__(Stream)
        stream.signal, stream.state_log2 = self.signal, self.state_log2
        stream._codec = codec
        stream._history = self._history + text
        capacity = Capacity.of(self.state_log2).text
        # In steps, so that not each frame moves it all.
        if len(stream._history) > 2 * capacity:
            stream._history = stream._history[-capacity:]
        return stream

    def encode(self, request: bytes, max_plain_len: int) -> tuple[Body, Stream]:
        """Give what a frame of the request holds, and the stream behind it."""
        codec = self._codec.copy()
        encoded = encode(codec, request)
        if encoded is None or encoded.plain_len() > max_plain_len:
            return _raw_body(request), self
        text = encoded.text
        prefix = self._history[-MAX_PREFIX_LEN:]
        block = zblock.compress(prefix, text, LEVEL)
        parts = {DECISIONS: encoded.decisions, BITS: encoded.bits, BYTES: encoded.plain_bytes}
        length = sum(map(len, parts.values())) + len(text if block is None else block)
        parts = {PADDING: bytes(_missing(len(request), length)), **parts}
        columns = [Column(number, ENCODINGS[number], len(part)) for number, part in parts.items() if part]
        if text:
            columns.append(Column(TEXT, ENCODINGS[TEXT], len(text)))
        prefix_len = 0 if block is None else len(prefix)
        raw_block = b"".join(parts.values())
        body = Body(False, encoded.items, columns, raw_block, text, prefix_len, block)
        return body, self._behind(codec, text)

    def decode(self, frame: Frame, offset: int) -> tuple[bytes, bytes, Stream]:
        """Give the request of a frame, whose ZBlock begins at `offset`, its text, and the stream behind it."""
        start = len(self._history) - frame.header.prefix_len
        if start < 0:
            raise damaged("a prefix that is longer than what was sent", offset)
        text = frame.zblock
        if frame.flags.is_compressed:
            text = zblock.decompress(self._history[start:], text, frame.text_len(), offset)
        if frame.flags.is_raw:
            return text, text, self
        parts = dict.fromkeys(ENCODINGS, b"")
        at = 0
        for column in frame.columns:
            if (column.number, column.encoding) == (TEXT, Encoding.TEXT):
                continue
            if column.number not in ENCODINGS or column.number == TEXT:
                raise damaged("unknown column", offset)
            if column.encoding != ENCODINGS[column.number]:
                raise damaged("a column of another encoding", offset)
            parts[column.number] = frame.raw_block[at : at + column.length]
            at += column.length
        if any(parts[PADDING]):
            raise damaged("a padding that is not zero", offset)
        codec = self._codec.copy()
        coder = Reading(parts[DECISIONS], parts[BITS], parts[BYTES], text)
        request = decode(codec, coder, frame.header.decoded_len)
        return request, text, self._behind(codec, text)


def _raw_body(request: bytes) -> Body:
    """Give what a frame of any bytes holds: the bytes."""
    block = zblock.compress(b"", request, RAW_LEVEL)
    if block is not None and _missing(len(request), len(block)) > 0:
        block = None
    return Body(True, 0, [], b"", request, 0, block)


def _missing(request_len: int, length: int) -> int:
    """Give how many bytes are missing to the least that a frame of a request may have."""
    return max(request_len // MAX_RATIO + 1 - length, 0) if request_len > RATIO_FREE_LEN else 0
