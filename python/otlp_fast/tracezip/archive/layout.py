r"""How an archive is laid out, see docs/tracezip-archive.md.

    Archive := Header Segment* Index
    Header  := "\x89TZA\r\n\x1a\n" version:u8=1
    Segment := 0:uv first_record:u64 ( length:uv frame )+
    Index   := 1:uv ( offset:u64 records:u64 items:u64 )+ entries:u32 crc32:u32 "TZAindex"

`uv` is a varint, all other numbers are little-endian. No frame is shorter than 48 bytes, so 0 and 1 are free to say
that a segment or the index begins.
"""

from __future__ import annotations

import struct
from binascii import crc32
from itertools import pairwise
from typing import NamedTuple

from otlp_fast.errors import CompressionError

MAGIC = b"\x89TZA\r\n\x1a\n"
"""What an archive begins with; as in PNG, a transfer as text shows itself."""
VERSION = 1
HEADER = MAGIC + bytes([VERSION])

RESTART = 0
INDEX = 1
"""The marks that stand where a frame would have its length."""

MAX_SEGMENT_RECORDS = 65_536
MAX_SEGMENT_BYTES = 16 << 20
"""The most bytes that the records of a segment have together, but for one that is longer and alone."""
MAX_SEGMENTS = 1 << 21
"""More are not written: the index takes at most 48 MiB."""
MIN_FRAME_LENGTH = 48
MAX_FRAME_OVERHEAD = 64 << 10
"""A frame is longer than its record by less than that."""

FIRST_RECORD = struct.Struct("<Q")
_ENTRY = struct.Struct("<QQQ")
_FOOTER = struct.Struct("<II8s")
_FOOTER_MAGIC = b"TZAindex"
FOOTER_LENGTH = _FOOTER.size


class RestartPoint(NamedTuple):
    """Where reading can begin."""

    offset: int
    """Where the segment begins, in bytes from the start of the file."""
    record: int
    """The number of its first record, from 0: so many stand in front of it."""
    items: int
    """How many spans, log records and data points stand in front of it."""


def is_full(records: int, size: int, following: int, records_per_restart: int) -> bool:
    """Say whether a segment of so many records and bytes takes no record of `following` bytes any more."""
    return records >= records_per_restart or (records > 0 and size + following > MAX_SEGMENT_BYTES)


def varint(number: int) -> bytes:
    """Give a number as a varint."""
    result = bytearray()
    while number > 0x7F:
        result.append(number & 0x7F | 0x80)
        number >>= 7
    result.append(number)
    return bytes(result)


def write_index(points: list[RestartPoint]) -> bytes:
    """Give the index of an archive; the last point is where the index itself begins."""
    entries = varint(INDEX) + b"".join(_ENTRY.pack(*point) for point in points)
    return entries + _FOOTER.pack(len(points), crc32(entries), _FOOTER_MAGIC)


def index_length(footer: bytes) -> int:
    """Give the length of the index that a footer ends, in bytes with the footer.

    Raises:
        CompressionError: this is no footer, or one that announces more than is ever written.
    """
    entries: int
    entries, _, magic = _FOOTER.unpack(footer)
    if magic != _FOOTER_MAGIC:
        raise CompressionError("the archive has no index: its writer was interrupted, or the file is cut off")
    _check_entries(entries)
    return len(varint(INDEX)) + entries_length(entries - 1) + FOOTER_LENGTH


def entries_length(segments: int) -> int:
    """Give the length of the entries for so many segments, in bytes."""
    return (segments + 1) * _ENTRY.size


def read_index(index: bytes) -> list[RestartPoint]:
    """Read an index, and check that its points can be those of an archive.

    The offsets are those from the start of the archive. What they say is checked once more wherever it is used.

    Raises:
        CompressionError: it is damaged.
    """
    entries, checksum, magic = _FOOTER.unpack(index[-FOOTER_LENGTH:])
    content = index[:-FOOTER_LENGTH]
    if magic != _FOOTER_MAGIC or crc32(content) != checksum:
        raise CompressionError("the index is damaged: its checksum is another")
    _check_entries(entries)
    if content[:1] != varint(INDEX) or len(content) != 1 + entries * _ENTRY.size:
        raise CompressionError("the index is damaged: its length is another than it says")
    points = [RestartPoint(*entry) for entry in _ENTRY.iter_unpack(content[1:])]
    if points[0] != (len(HEADER), 0, 0):
        raise CompressionError("the index is damaged: it does not begin with the first record")
    for point, following in pairwise(points):
        records = following.record - point.record
        if not (1 <= records <= MAX_SEGMENT_RECORDS and point.items <= following.items):
            raise CompressionError(f"the index is damaged: {records:,} records between two restart points")
        if following.offset - point.offset < 1 + FIRST_RECORD.size + records * (1 + MIN_FRAME_LENGTH):
            raise CompressionError("the index is damaged: its restart points overlap")
    return points


def _check_entries(entries: int) -> None:
    if not 1 <= entries <= MAX_SEGMENTS + 1:
        raise CompressionError(f"the index is damaged: {entries:,} entries, of at most {MAX_SEGMENTS + 1:,}")
