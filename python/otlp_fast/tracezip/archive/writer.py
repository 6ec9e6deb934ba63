"""Writes archives."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol

from otlp_fast.errors import CompressionError
from otlp_fast.tracezip.archive import layout
from otlp_fast.tracezip.archive.layout import RestartPoint
from otlp_fast.tracezip.archive.ordered import in_order
from otlp_fast.tracezip.archive.segments import SegmentEncoder
from otlp_fast.tracezip.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from typing_extensions import Self

MAX_RECORD_SIZE = 256 * 1024 * 1024
"""The longest record that is written and read by default, in bytes."""

RECORDS_PER_RESTART = 1024
"""How many records there are at most from one restart point to the next where nobody says."""


class Sink(Protocol):
    """What an archive is written to: all that it needs of a binary file."""

    def write(self, data: bytes, /) -> object:
        """Write all of `data`."""


_Records = list[tuple[bytes, "str | None"]]


class _Encoded(NamedTuple):
    segment: SegmentEncoder
    content: bytes


class Writer:
    """Writes requests to an archive.

    >>> from otlp_fast.tracezip import archive
    >>> with archive.Writer("packed.otlp.tz") as writer:                               # doctest: +SKIP
    ...     writer.write(request, "traces")

    Records go to the file as they come: of an archive whose writer was killed, those that reached the file are read
    from the front (`read_stream`). `close` writes the index, and the end of `with`, but not after an error in it.

    Attributes:
        count: how many records were written.
        items: how many spans, log records and data points they have.
        content_size: how long they are together, in bytes.
        file_size: how long the archive is so far, in bytes.
    """

    def __init__(
        self,
        file: str | os.PathLike[str] | Sink,
        *,
        records_per_restart: int = RECORDS_PER_RESTART,
        max_record_size: int = MAX_RECORD_SIZE,
    ) -> None:
        """Begin an archive.

        Args:
            file: the path of a file, which must not be there yet, or an open binary file, which is not closed. Behind
                another archive (``open(path, "ab")``) this one adds to it.
            records_per_restart: how many records there are from one restart point to the next, 1 to 65,536: reading a
                record means decoding those in front of it up to there, and each restart point costs what the tables
                held. Where they have 16 MiB together, there are fewer.
            max_record_size: the longest record that is taken, in bytes; whoever reads needs to allow as much.

        Raises:
            OSError: the file is there, or cannot be written.
            ValueError: `records_per_restart` is outside its range.
        """
        if not 1 <= records_per_restart <= layout.MAX_SEGMENT_RECORDS:
            raise ValueError(
                f"records_per_restart must be 1 to {layout.MAX_SEGMENT_RECORDS:,}, not {records_per_restart:,}"
            )
        self.count = self.items = self.content_size = self.file_size = 0
        self._records_per_restart = records_per_restart
        self._limits = DEFAULT_LIMITS._replace(max_decoded_len=max_record_size)
        self._points: list[RestartPoint] = []
        self._segment: SegmentEncoder | None = None
        self._own: BinaryIO | None = None
        if isinstance(file, (str, os.PathLike)):
            file = self._own = Path(file).open("xb")  # noqa: SIM115 (the writer closes it)
        self._file: Sink = file
        self._write(layout.HEADER)

    def write(self, data: bytes, signal: str | None) -> None:
        """Write a record.

        Args:
            data: a serialized request, or anything else: it comes back as it is.
            signal: "traces", "logs" or "metrics"; None where nobody knows.

        Raises:
            CompressionError: it is longer than `max_record_size`.
            OSError: the file cannot be written.
            ValueError: there is no such signal.
        """
        segment = self._segment
        if segment is None or self._is_full(segment.records, segment.size, len(data)):
            segment = SegmentEncoder(self.count, self._limits)
        items = segment.items
        encoded = segment.encode(data, signal)
        if segment is not self._segment:
            self._begin(segment)
        self._write(encoded)
        self._count(1, segment.items - items, len(data))

    def write_all(self, records: Iterable[tuple[bytes, str | None]], *, jobs: int = 1) -> None:
        """Write many records, as `write` does: the same bytes, but that the first one begins a segment.

        Args:
            records: each with its signal; they are taken in the thread of the caller.
            jobs: how many segments are encoded at the same time, each in a thread. Each takes up to 16 MiB and its
                frames.

        Raises:
            CompressionError: one is longer than `max_record_size`.
            OSError: the file cannot be written.
            ValueError: there is no such signal.
        """
        for segment, content in in_order(self._encode, self._segments(records), jobs):
            self._begin(segment)
            self._write(content)
            self._count(segment.records, segment.items, segment.size)

    def _segments(self, records: Iterable[tuple[bytes, str | None]]) -> Iterator[tuple[int, _Records]]:
        """Give the records in groups that become segments, each with the number of its first record."""
        first, size = self.count, 0
        held: _Records = []
        for data, signal in records:
            if self._is_full(len(held), size, len(data)):
                yield first, held
                first, size, held = first + len(held), 0, []
            held.append((data, signal))
            size += len(data)
        if held:
            yield first, held

    def _encode(self, task: tuple[int, _Records]) -> _Encoded:
        first, records = task
        segment = SegmentEncoder(first, self._limits)
        return _Encoded(segment, b"".join([segment.encode(data, signal) for data, signal in records]))

    def _is_full(self, records: int, size: int, following: int) -> bool:
        return layout.is_full(records, size, following, self._records_per_restart)

    def _begin(self, segment: SegmentEncoder) -> None:
        if len(self._points) == layout.MAX_SEGMENTS:
            raise CompressionError(
                f"an archive has at most {layout.MAX_SEGMENTS:,} restart points: choose a larger records_per_restart"
            )
        self._points.append(RestartPoint(self.file_size, self.count, self.items))
        self._write(segment.start)
        self._segment = segment

    def _count(self, records: int, items: int, size: int) -> None:
        self.count += records
        self.items += items
        self.content_size += size

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self.file_size += len(data)

    def close(self) -> None:
        """Write the index; an archive without one is not whole. A file that was given stays open."""
        self._write(layout.write_index([*self._points, RestartPoint(self.file_size, self.count, self.items)]))
        if self._own is not None:
            self._own.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        elif self._own is not None:
            self._own.close()
