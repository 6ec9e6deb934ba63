"""A segment: the records from one restart point to the next, a tracezip stream for each signal.

Streams live no longer than their segment, and their id is the number of its first record: a segment is the same bytes
whoever writes it and whatever was written before, so that several can be written and read at the same time.
"""

from __future__ import annotations

from otlp_fast._core import count_items
from otlp_fast.errors import CompressionError, DecodeError
from otlp_fast.tracezip.archive import layout
from otlp_fast.tracezip.archive.source import Source
from otlp_fast.tracezip.header import read_header
from otlp_fast.tracezip.limits import Limits
from otlp_fast.tracezip.stream import Decoder, Encoder

_STREAM_ID_BYTES = 16
_DEFAULT_SIGNAL = "traces"


class SegmentEncoder:
    """Makes the bytes of a segment, record by record.

    Attributes:
        records: how many it has.
        items: how many spans, log records and data points they have.
        size: how long they are together, in bytes.
    """

    def __init__(self, first_record: int, limits: Limits) -> None:
        """Begin the segment of the record with this number, counted from 0."""
        self.records = self.items = self.size = 0
        self._id = first_record.to_bytes(_STREAM_ID_BYTES, "big")
        self._limits = limits
        self._encoders: dict[str, Encoder] = {}
        self._signal = _DEFAULT_SIGNAL
        self.start = layout.varint(layout.RESTART) + layout.FIRST_RECORD.pack(first_record)

    def encode(self, data: bytes, signal: str | None) -> bytes:
        """Give the bytes of a record; one whose signal nobody knows goes with the record before it.

        Raises:
            CompressionError: it is longer than the limit.
            ValueError: there is no such signal.
        """
        self._signal = signal = signal or self._signal
        encoder = self._encoders.get(signal)
        if encoder is None:
            encoder = self._encoders[signal] = Encoder(signal, stream_id=self._id, limits=self._limits)
        with encoder:
            frame = encoder.encode(data)
        self.records += 1
        self.items += _count(data, signal)
        self.size += len(data)
        return layout.varint(len(frame)) + frame


class SegmentDecoder:
    """Makes the records of a segment, frame by frame."""

    def __init__(self, limits: Limits) -> None:
        """Begin a segment."""
        self._limits = limits
        self._decoders: dict[str, Decoder] = {}
        self._records = self._size = 0

    def decode(self, source: Source, length: int) -> bytes:
        """Take a frame of so many bytes, and give its record.

        Raises:
            CompressionError: it is damaged, or passes a limit.
        """
        if length > self._limits.max_decoded_len + layout.MAX_FRAME_OVERHEAD:
            raise CompressionError(
                f"a frame of {length:,} bytes, for records of at most {self._limits.max_decoded_len:,}"
            )
        frame = source.take(length, "a frame")
        header = read_header(frame, self._limits)
        if layout.is_full(self._records, self._size, header.decoded_len, layout.MAX_SEGMENT_RECORDS):
            raise CompressionError("more records without a restart point than an archive may have")
        decoder = self._decoders.get(header.signal)
        if decoder is None:
            decoder = self._decoders[header.signal] = Decoder(self._limits)
        with decoder:
            record = decoder.decode(frame)
        self._records += 1
        self._size += len(record)
        return record


def _count(data: bytes, signal: str) -> int:
    """Count the items of a record, which may be anything."""
    try:
        return count_items(data, signal)
    except DecodeError:
        return 0
