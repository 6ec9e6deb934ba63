"""The table of contents of a file: the segments of all archives that stand one behind the other in it."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple, Protocol

from otlp_fast.errors import CompressionError
from otlp_fast.tracezip.archive import layout
from otlp_fast.tracezip.archive.layout import RestartPoint
from otlp_fast.tracezip.archive.source import Source
from otlp_fast.tracezip.archive.stream import check_header


class Segment(NamedTuple):
    """A segment of an archive in a file."""

    start: RestartPoint
    """Where it begins in the file, and what stands in front of it there."""
    end: int
    """Where it ends, in bytes from the start of the file."""
    record: int
    """The number of its first record in its own archive, which it knows itself."""
    records: int
    """How many it has."""


class Contents(NamedTuple):
    """All that a file has."""

    segments: list[Segment]
    records: int
    items: int


class _OpenAt(Protocol):
    def __call__(self, offset: int) -> Source:
        """Give the bytes of the file from `offset` on."""


def read_contents(open_at: _OpenAt, file_size: int) -> Contents:
    """Read the indexes of a file, the last one first: where its archive begins, the one before ends.

    Raises:
        CompressionError: this is no archive, it has no index, or one is damaged.
    """
    check_header(open_at(0).take_at_most(len(layout.HEADER)))
    archives: list[tuple[int, list[RestartPoint]]] = []
    end, total = file_size, 0
    while end > 0 or not archives:
        end, points = _read_archive(open_at, end)
        archives.append((end, points))
        total += len(points)
        if total > layout.MAX_SEGMENTS + 1:
            raise CompressionError(f"more than {layout.MAX_SEGMENTS:,} restart points")
    segments: list[Segment] = []
    records = items = 0
    for start, points in reversed(archives):
        for point, following in pairwise(points):
            place = RestartPoint(start + point.offset, records + point.record, items + point.items)
            count = following.record - point.record
            segments.append(Segment(place, start + following.offset, point.record, count))
        records += points[-1].record
        items += points[-1].items
    return Contents(segments, records, items)


def _read_archive(open_at: _OpenAt, end: int) -> tuple[int, list[RestartPoint]]:
    """Give where the archive begins that ends at `end`, and its restart points."""
    shortest = len(layout.HEADER) + layout.entries_length(0) + layout.FOOTER_LENGTH
    if end <= shortest:
        raise CompressionError("the archive has no index: its writer was interrupted, or the file is cut off")
    length = layout.index_length(open_at(end - layout.FOOTER_LENGTH).take(layout.FOOTER_LENGTH, "the index"))
    if length > end:
        raise CompressionError("the index is damaged: it is longer than the file")
    points = layout.read_index(open_at(end - length).take(length, "the index"))
    start = end - length - points[-1].offset
    if start < 0:
        raise CompressionError("the index is damaged: it has places outside the file")
    check_header(open_at(start).take(len(layout.HEADER), "the header"))
    return start, points
