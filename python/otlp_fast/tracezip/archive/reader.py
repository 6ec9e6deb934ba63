"""Reads archives by their index: from any record on, and in several threads."""

from __future__ import annotations

import io
import os
import threading
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from otlp_fast.errors import CompressionError, FileError
from otlp_fast.tracezip.archive import layout
from otlp_fast.tracezip.archive.contents import Segment, read_contents
from otlp_fast.tracezip.archive.layout import RestartPoint
from otlp_fast.tracezip.archive.ordered import in_order
from otlp_fast.tracezip.archive.segments import SegmentDecoder
from otlp_fast.tracezip.archive.source import Source
from otlp_fast.tracezip.archive.stream import take_first_record
from otlp_fast.tracezip.archive.writer import MAX_RECORD_SIZE
from otlp_fast.tracezip.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from typing_extensions import Self

_CHUNK = 64 * 1024


class _Range(NamedTuple):
    """Records of a segment: how many to pass over, and how many to read."""

    segment: Segment
    skipped: int
    wanted: int


class Reader:
    """The records of an archive, or of several that stand one behind the other in a file, by their numbers from 0.

    >>> from otlp_fast.tracezip import archive
    >>> with archive.Reader("capture.otlp.tz") as reader:                               # doctest: +SKIP
    ...     last = reader[-1]
    ...     hundred = list(reader.read_from(1000, 100))
    ...     everything = list(reader)

    One reader can be used by several threads at the same time: a range from each of `restart_points` is decoded by each
    without the others. It reads files on disk, or whatever else is seekable; `read_stream` reads from a pipe.

    Attributes:
        name: of the file, as errors have it.
        items: how many spans, log records and data points all records have.
        file_size: the length of the file, in bytes.
        bytes_read: how much of it was read so far, in bytes.
    """

    def __init__(
        self,
        file: str | os.PathLike[str] | BinaryIO,
        *,
        name: str | None = None,
        max_record_size: int = MAX_RECORD_SIZE,
    ) -> None:
        """Read the index.

        Args:
            file: the path of a file, or a binary file that is open for reading, which is not closed.
            name: how errors call it; None for its path.
            max_record_size: the longest record to read, in bytes.

        Raises:
            FileError: it is no archive, or has no index: its writer was interrupted, or it is cut off or damaged.
            OSError: the file cannot be read.
        """
        self._own: BinaryIO | None = None
        if isinstance(file, (str, os.PathLike)):
            name = name or os.fspath(file)
            file = self._own = Path(file).open("rb")  # noqa: SIM115 (the reader closes it)
        self.name = name or str(getattr(file, "name", "the archive"))
        self.bytes_read = 0
        self._file = file
        self._lock = threading.Lock()
        self._limits = DEFAULT_LIMITS._replace(max_decoded_len=max_record_size)
        try:
            self.file_size = file.seek(0, os.SEEK_END)
            self._segments, self._count, self.items = read_contents(self._open_at, self.file_size)
        except CompressionError as error:
            self.close()
            raise FileError(str(error), name=self.name) from None
        except BaseException:
            self.close()
            raise
        self._first_records = [segment.start.record for segment in self._segments]

    @property
    def restart_points(self) -> list[RestartPoint]:
        """Where reading begins without decoding anything in front, in their order."""
        return [segment.start for segment in self._segments]

    def __len__(self) -> int:
        """How many records there are."""
        return self._count

    def __iter__(self) -> Iterator[bytes]:
        """Give all records."""
        return self.read_from(0)

    def __getitem__(self, number: int) -> bytes:
        """Give one record, for which those from the restart point on are decoded. Negative numbers count from the end.

        Raises:
            FileError: the archive is damaged in front of it.
            IndexError: there is no such record.
            OSError: the file cannot be read.
        """
        place = number + self._count if number < 0 else number
        if not 0 <= place < self._count:
            raise IndexError(f"record {number:,} of an archive with {self._count:,}")
        return next(self.read_from(place, 1))

    def read_from(self, first: int, count: int | None = None, *, jobs: int = 1) -> Iterator[bytes]:
        """Give the records from one on; none behind the last.

        Args:
            first: the number of the first one, from 0.
            count: how many; None for all that follow.
            jobs: how many segments are decoded at the same time, each in a thread, and in the memory of its records: up
                to 16 MiB, or one longer record.

        Raises:
            FileError: the archive is damaged; the records in front of the damage were given.
            OSError: the file cannot be read.
            ValueError: `first` or `count` is negative.
        """
        if first < 0 or (count is not None and count < 0):
            raise ValueError(f"first and count must not be negative: {first}, {count}")
        end = self._count if count is None else min(first + count, self._count)
        ranges = self._ranges(first, end)
        if jobs == 1:
            for part in ranges:
                yield from self._read(part)
            return
        for records, damage in in_order(self._read_whole, ranges, jobs):
            yield from records
            if damage is not None:
                raise damage

    def _ranges(self, first: int, end: int) -> Iterator[_Range]:
        place = max(bisect_right(self._first_records, first) - 1, 0)
        while first < end:
            segment = self._segments[place]
            skipped = first - segment.start.record
            wanted = min(segment.records - skipped, end - first)
            yield _Range(segment, skipped, wanted)
            first += wanted
            place += 1

    def _read(self, part: _Range) -> Iterator[bytes]:
        """Decode a range of a segment."""
        (segment, skipped, wanted) = part
        source = self._open_at(segment.start.offset)
        number, offset = segment.start.record, source.offset
        try:
            if source.take_varint("a restart point") != layout.RESTART:
                raise CompressionError("there is no restart point where the index has one")
            take_first_record(source, segment.record)
            decoder = SegmentDecoder(self._limits)
            for number in range(segment.start.record, segment.start.record + skipped + wanted):
                offset = source.offset
                length = source.take_varint("the length of a frame")
                if source.offset + length > segment.end:
                    raise CompressionError(f"a frame of {length:,} bytes reaches past the end of its segment")
                record = decoder.decode(source, length)
                if number >= segment.start.record + skipped:
                    yield record
            if skipped + wanted == segment.records and source.offset != segment.end:
                raise CompressionError("the segment does not end where the index has its end")
        except CompressionError as error:
            raise FileError(str(error), name=self.name, record=number + 1, offset=offset) from None

    def _read_whole(self, part: _Range) -> tuple[list[bytes], FileError | None]:
        """Decode a range of a segment at once, up to the damage where there is some."""
        records: list[bytes] = []
        try:
            for record in self._read(part):
                records.append(record)
        except FileError as damage:
            return records, damage
        return records, None

    def _open_at(self, offset: int) -> Source:
        return Source(io.BufferedReader(_Section(self, offset), _CHUNK).read, offset)

    def _read_at(self, offset: int, room: memoryview) -> int:
        """Read into `room` from an offset on, whatever other threads read, and say how much."""
        with self._lock:
            self._file.seek(offset)
            piece = self._file.read(len(room))
            self.bytes_read += len(piece)
        room[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        """Close the file; one that was given stays open."""
        if self._own is not None:
            self._own.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class _Section(io.RawIOBase):
    """A file from an offset on, with a place of its own."""

    def __init__(self, reader: Reader, offset: int) -> None:
        super().__init__()
        self._reader = reader
        self._offset = offset

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        length = self._reader._read_at(self._offset, memoryview(room))
        self._offset += length
        return length
