"""Reads archives from the front, without their index: from a pipe, or what is left of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from otlp_fast.errors import CompressionError
from otlp_fast.tracezip.archive import layout
from otlp_fast.tracezip.archive.segments import SegmentDecoder
from otlp_fast.tracezip.archive.source import Source
from otlp_fast.tracezip.archive.writer import MAX_RECORD_SIZE
from otlp_fast.tracezip.limits import DEFAULT_LIMITS, Limits


class StreamedRecord(NamedTuple):
    """A record, and where it stands."""

    offset: int
    """Where its frame's length begins, in bytes from the start of the file."""
    data: bytes


def read_stream(take: Callable[[int], bytes], *, max_record_size: int = MAX_RECORD_SIZE) -> Iterator[StreamedRecord]:
    """Read the records of an archive from its front, and of others that follow it.

    Args:
        take: gives the next bytes, fewer than asked for only at the end: the `read` of a buffered file.
        max_record_size: the longest record to read, in bytes.

    Raises:
        CompressionError: the archive is damaged or has no end. What stands in front of that was given.
    """
    source = Source(take)
    limits = DEFAULT_LIMITS._replace(max_decoded_len=max_record_size)
    while True:
        head = source.take_at_most(len(layout.HEADER))
        if not head and source.offset > 0:
            return
        check_header(head)
        yield from _records(source, limits)


def check_header(head: bytes) -> None:
    """Check what an archive begins with.

    Raises:
        CompressionError: it is none, or of another version.
    """
    if not head.startswith(layout.MAGIC) or len(head) < len(layout.HEADER):
        raise CompressionError("this is no tracezip archive")
    if head != layout.HEADER:
        raise CompressionError(f"version {head[-1]} of tracezip archives is unknown")


def _records(source: Source, limits: Limits) -> Iterator[StreamedRecord]:
    """Read what follows a header, up to the end of the index."""
    start = source.offset - len(layout.HEADER)
    count = segments = 0
    first: int | None = None
    decoder: SegmentDecoder | None = None
    while True:
        offset = source.offset
        mark = source.take_varint("the archive, in front of its index")
        if mark in (layout.RESTART, layout.INDEX) and first == count:
            raise CompressionError("a segment without records")
        if mark == layout.INDEX:
            _check_index(source, segments, layout.RestartPoint(offset - start, count, 0))
            return
        if mark == layout.RESTART:
            first = take_first_record(source, count)
            segments += 1
            decoder = SegmentDecoder(limits)
        elif decoder is None:
            raise CompressionError("a record in front of the first restart point")
        else:
            record = decoder.decode(source, mark)
            count += 1
            yield StreamedRecord(offset, record)


def take_first_record(source: Source, expected: int) -> int:
    """Take the number of a segment's first record behind its mark.

    Raises:
        CompressionError: it is another: there are records too many or too few in front of it.
    """
    (first,) = layout.FIRST_RECORD.unpack(source.take(layout.FIRST_RECORD.size, "a restart point"))
    if first != expected:
        raise CompressionError(f"a restart point for record {first:,}, behind {expected:,}")
    return expected


def _check_index(source: Source, segments: int, end: layout.RestartPoint) -> None:
    """Take the index, and check that it is that of the segments in front of it."""
    if segments > layout.MAX_SEGMENTS:
        raise CompressionError(f"{segments:,} restart points, of at most {layout.MAX_SEGMENTS:,}")
    length = layout.entries_length(segments) + layout.FOOTER_LENGTH
    points = layout.read_index(layout.varint(layout.INDEX) + source.take(length, "the index"))
    if points[-1][:2] != end[:2]:
        raise CompressionError("the index is not that of the records in front of it")
