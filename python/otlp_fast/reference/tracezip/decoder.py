"""The receiving end of a stream."""

from __future__ import annotations

from typing import NamedTuple

from otlp_fast.reference.tracezip import frame
from otlp_fast.reference.tracezip.constants import CHECKSUM_LEN
from otlp_fast.reference.tracezip.errors import damaged, repeated, state_lost
from otlp_fast.reference.tracezip.hashes import hash_of, next_hash
from otlp_fast.reference.tracezip.stream import Stream
from otlp_fast.tracezip.limits import DEFAULT_LIMITS, Limits


class Position(NamedTuple):
    """Where a stream stands behind a frame."""

    stream_id: bytes
    epoch: int
    seq: int
    crc: int
    """The frame's checksum."""
    hash: int
    """The hash of the state behind it."""
    stream: Stream


class Decoder:
    """The receiving end of a stream: makes the same bytes of each frame, as `otlp_fast.tracezip.Decoder`."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        """Make an end that knows no stream yet: the first that begins with a reset becomes its own."""
        self.limits = limits
        self._last: Position | None = None
        self._pending: Position | None = None

    def decode(self, data: bytes) -> bytes:
        """Give the request of a frame. What was pending is rolled back first.

        Raises:
            RepeatedFrameError: the frame was committed before.
            StateLostError: the frame builds on another state.
            CompressionError: the frame is damaged or passes a limit.
        """
        self.rollback()
        received = frame.read(data, self.limits)
        flags, header = received.flags, received.header
        if not flags.is_stateless:
            self._check_position(received)
        offset = len(data) - CHECKSUM_LEN - len(received.zblock)
        if flags.is_stateless or flags.is_reset:
            stream = Stream(flags.signal, header.state_log2)
        elif self._last is None or (self._last.stream.signal, self._last.stream.state_log2) != (
            flags.signal,
            header.state_log2,
        ):
            raise state_lost()
        else:
            stream = self._last.stream
        request, text, behind = stream.decode(received, offset)
        if len(request) != header.decoded_len:
            raise damaged("a request of another length than announced", offset)
        if hash_of(request) != header.content_hash:
            raise damaged("a request of another hash than announced", offset)
        if not flags.is_stateless:
            state_hash = next_hash(header.base_hash, received.raw_block, text)
            self._pending = Position(header.stream_id, header.epoch, header.seq, received.crc, state_hash, behind)
        return request

    def _check_position(self, received: frame.Frame) -> None:
        """Refuse a frame that is not the next of its stream."""
        flags, header, last = received.flags, received.header, self._last
        if last is None or last.stream_id != header.stream_id:
            if not flags.is_reset:
                raise state_lost()
            return
        if (header.epoch, header.seq, received.crc) == (last.epoch, last.seq, last.crc):
            raise repeated()
        if flags.is_reset:
            # An epoch is never used for two resets, so one that is not newer was overtaken by another.
            is_next = header.epoch > last.epoch
        else:
            is_next = (header.epoch, header.seq, header.base_hash) == (last.epoch, last.seq + 1, last.hash)
        if not is_next:
            raise state_lost()

    def commit(self) -> None:
        """Count the last frame as delivered. Without a pending one, nothing happens."""
        if self._pending is not None:
            self._last, self._pending = self._pending, None

    def rollback(self) -> None:
        """Forget the last frame, which may come again. Without a pending one, nothing happens."""
        self._pending = None

    @property
    def state_hash(self) -> int:
        """The hash of what is committed: equal to the encoder's where both have the same frames."""
        return 0 if self._last is None else self._last.hash
