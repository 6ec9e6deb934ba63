"""How a frame is laid out.

::

    Frame     := "TZ" version:u8 flags:u8 header_len:uv Header Directory RawBlock ZBlock crc32c:u32
    Header    := stream_id:16B epoch:uv seq:uv base_hash:u64 decoded_len:uv items:uv plain_len:uv prefix_len:uv
                 state_log2:uv content_hash:u64
    Directory := n:uv ( column:uv encoding:u8 length:uv )*

`uv` is a varint, `u32` and `u64` are little-endian. `read` looks at everything but the columns' content: after it the
lengths add up, and no limit is passed by what the frame announces.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from otlp_fast.errors import CompressionError
from otlp_fast.reference.tracezip.constants import (
    CHECKSUM_LEN,
    MAGIC,
    MAX_COLUMNS,
    MAX_RATIO,
    MIN_STATE_LOG2,
    RATIO_FREE_LEN,
    VERSION,
)
from otlp_fast.reference.tracezip.errors import check, damaged
from otlp_fast.reference.tracezip.hashes import crc32c
from otlp_fast.reference.wire import varint
from otlp_fast.tracezip.limits import Limits

FIXED_LEN = len(MAGIC) + 2
RESET, STATELESS, RAW, ZSTD = 1, 2, 4, 8
SIGNAL_SHIFT = 4
KNOWN_FLAGS = 0x3F
SIGNALS = ("traces", "logs", "metrics")


class Flags(NamedTuple):
    """What the flags of a frame say."""

    is_reset: bool
    """The frame starts the stream anew."""
    is_stateless: bool
    """The frame needs no state, and leaves none."""
    is_raw: bool
    """The frame holds the request as it is, and has no columns."""
    is_compressed: bool
    """The ZBlock is a zstd frame; without it, the columns' plaintext."""
    signal: str

    def to_byte(self) -> int:
        """Give them as they are written."""
        return (
            RESET * self.is_reset
            | STATELESS * self.is_stateless
            | RAW * self.is_raw
            | ZSTD * self.is_compressed
            | SIGNALS.index(self.signal) << SIGNAL_SHIFT
        )

    @classmethod
    def from_byte(cls, byte: int) -> Flags:
        """Read them."""
        signal = (byte & KNOWN_FLAGS) >> SIGNAL_SHIFT
        if signal >= len(SIGNALS):
            raise damaged("unknown signal", 3)
        if byte & ~KNOWN_FLAGS:
            raise damaged("unknown flag", 3)
        if byte & RESET and byte & STATELESS:
            raise damaged("a frame without state that resets a stream", 3)
        return cls(bool(byte & RESET), bool(byte & STATELESS), bool(byte & RAW), bool(byte & ZSTD), SIGNALS[signal])


class Header(NamedTuple):
    """What a frame says of itself."""

    stream_id: bytes
    epoch: int
    seq: int
    base_hash: int
    decoded_len: int
    items: int
    plain_len: int
    prefix_len: int
    state_log2: int
    content_hash: int


class Encoding(IntEnum):
    """How the bytes of a column are made."""

    BYTES = 0
    """As they are, in the RawBlock."""
    MODELLED = 1
    """Decisions, coded by the range coder; in the RawBlock."""
    BITS = 2
    """Numbers of known widths, bit behind bit; in the RawBlock."""
    TEXT = 3
    """As they are, in the ZBlock."""


class Column(NamedTuple):
    """A column of a frame."""

    number: int
    encoding: Encoding
    length: int


class Frame(NamedTuple):
    """A frame, taken apart."""

    flags: Flags
    header: Header
    columns: list[Column]
    raw_block: bytes
    zblock: bytes
    crc: int

    def text_len(self) -> int:
        """Give the length of the ZBlock's plaintext, in bytes."""
        return self.header.plain_len - len(self.raw_block)


class _Reader:
    """Reads numbers from a part of a frame."""

    def __init__(self, content: bytes, at: int, end: int) -> None:
        self._content = content
        self.at = at
        self.end = end

    def varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            at = self.at + shift // 7
            if at >= self.end:
                break
            value |= (self._content[at] & 0x7F) << shift
            if self._content[at] < 0x80:
                if value >> 64:
                    break
                self.at = at + 1
                return value
        raise damaged("no varint", self.at)

    def take(self, length: int, problem: str) -> bytes:
        if length > self.end - self.at:
            raise damaged(problem, self.at)
        self.at += length
        return self._content[self.at - length : self.at]

    def fixed64(self) -> int:
        return int.from_bytes(self.take(8, "cut off"), "little")


def read(content: bytes, limits: Limits) -> Frame:
    """Read a frame whose checksum is right and whose lengths add up.

    Raises:
        CompressionError: it is none, it is damaged, or it passes a limit.
    """
    if content[: len(MAGIC)] != MAGIC:
        raise damaged("no tracezip frame", 0)
    if len(content) > 2 and content[2] != VERSION:
        raise damaged("unknown version", 2)
    end = len(content) - CHECKSUM_LEN
    if end <= FIXED_LEN:
        raise damaged("frame cut off", len(content))
    crc = int.from_bytes(content[end:], "little")
    if crc32c(content[:end]) != crc:
        raise damaged("wrong checksum", end)
    flags = Flags.from_byte(content[3])
    reader = _Reader(content, FIXED_LEN, end)
    header = _read_header(reader)
    _check_header(flags, header, len(content), limits)
    columns = _read_directory(reader)
    raw_len = _check_lengths(flags, header, columns, reader.at)
    raw_block = reader.take(raw_len, "RawBlock cut off")
    zblock = content[reader.at : end]
    if not flags.is_compressed and len(zblock) != header.plain_len - raw_len:
        raise damaged("columns that do not fill the frame", reader.at)
    return Frame(flags, header, columns, raw_block, zblock, crc)


def _read_header(reader: _Reader) -> Header:
    start = reader.at
    try:
        length = reader.varint()
        header_start = reader.at
        content = reader.take(length, "header cut off")
    except CompressionError:
        raise damaged("header cut off", start) from None
    header = _Reader(reader._content, header_start, header_start + len(content))
    result = Header(
        stream_id=header.take(16, "header cut off"),
        epoch=header.varint(),
        seq=header.varint(),
        base_hash=header.fixed64(),
        decoded_len=header.varint(),
        items=header.varint(),
        plain_len=header.varint(),
        prefix_len=header.varint(),
        state_log2=header.varint(),
        content_hash=header.fixed64(),
    )
    if header.at != header.end:
        raise damaged("header too long", header.at)
    return result


def _check_header(flags: Flags, header: Header, frame_len: int, limits: Limits) -> None:
    check("max_decoded_len", header.decoded_len, limits.max_decoded_len)
    check("items", header.items, header.decoded_len // 2)
    check("max_plain_len", header.plain_len, limits.max_decoded_len if flags.is_raw else limits.max_plain_len)
    if header.state_log2 < MIN_STATE_LOG2:
        raise damaged("a state that is too small", FIXED_LEN)
    check("max_state", 1 << min(header.state_log2, 63), limits.max_state)
    check("prefix_len", header.prefix_len, limits.max_state)
    if header.decoded_len > RATIO_FREE_LEN:
        check("decoded_len / frame length", header.decoded_len // frame_len, MAX_RATIO)
    starts_anew = flags.is_reset or flags.is_stateless
    if starts_anew and (header.seq, header.base_hash, header.prefix_len) != (0, 0, 0):
        raise damaged("a first frame that builds on another", FIXED_LEN)
    if flags.is_stateless and (header.stream_id, header.epoch) != (bytes(16), 0):
        raise damaged("a frame without state that names a stream", FIXED_LEN)
    if flags.is_raw and (header.plain_len, header.prefix_len, header.items) != (header.decoded_len, 0, 0):
        raise damaged("a raw frame that announces columns", FIXED_LEN)


def _read_directory(reader: _Reader) -> list[Column]:
    count = reader.varint()
    check("columns", count, MAX_COLUMNS)
    columns: list[Column] = []
    for _ in range(count):
        offset = reader.at
        number = reader.varint()
        if reader.at >= reader.end or reader._content[reader.at] > max(Encoding):
            raise damaged("unknown encoding", reader.at)
        encoding = Encoding(reader.take(1, "")[0])
        length = reader.varint()
        if columns and columns[-1].number >= number:
            raise damaged("columns out of order", offset)
        columns.append(Column(number, encoding, length))
    return columns


def _check_lengths(flags: Flags, header: Header, columns: list[Column], offset: int) -> int:
    """Give the length of the RawBlock."""
    if flags.is_raw:
        if columns:
            raise damaged("a raw frame with columns", offset)
        return 0
    if sum(column.length for column in columns) != header.plain_len:
        raise damaged("lengths of columns that do not add up", offset)
    return sum(column.length for column in columns if column.encoding != Encoding.TEXT)


def write(flags: Flags, header: Header, columns: list[Column], raw_block: bytes, zblock: bytes) -> bytes:
    """Write a frame."""
    head = (
        header.stream_id
        + varint(header.epoch)
        + varint(header.seq)
        + header.base_hash.to_bytes(8, "little")
        + varint(header.decoded_len)
        + varint(header.items)
        + varint(header.plain_len)
        + varint(header.prefix_len)
        + varint(header.state_log2)
        + header.content_hash.to_bytes(8, "little")
    )
    directory = varint(len(columns)) + b"".join(
        varint(column.number) + bytes([column.encoding]) + varint(column.length) for column in columns
    )
    frame = MAGIC + bytes([VERSION, flags.to_byte()]) + varint(len(head)) + head + directory + raw_block + zblock
    return frame + crc32c(frame).to_bytes(4, "little")
