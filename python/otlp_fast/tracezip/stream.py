"""The two ends of a stream."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from otlp_fast import _core
from otlp_fast.tracezip.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from typing_extensions import Self

    from otlp_fast._decode import BytesLike


class EncoderStats(NamedTuple):
    """What an encoder has done."""

    frames: int
    """Frames made."""
    resets: int
    """Those of them that reset the stream; the first one counts."""
    raw_frames: int
    """Those of them that hold the request as it is, because it was not OTLP as it is usually written."""
    rollbacks: int
    """Frames that were rolled back."""
    bytes_in: int
    """Bytes of the requests."""
    bytes_out: int
    """Bytes of the frames."""


class DecoderStats(NamedTuple):
    """What a decoder has done."""

    frames: int
    """Frames decoded."""
    resets: int
    """Those of them that reset the stream; the first one counts."""
    repeats: int
    """Frames that were committed before (`RepeatedFrameError`)."""
    states_lost: int
    """Frames that built on another state (`StateLostError`)."""
    refused: int
    """Frames that were damaged or passed a limit (`CompressionError`)."""
    bytes_in: int
    """Bytes of the frames decoded."""
    bytes_out: int
    """Bytes of the requests."""


class Encoder:
    """The sending end of a stream: makes a frame of each request.

    A frame is pending until the receiver has answered: `commit` where it took the frame, `rollback` where the request
    is given up. Only then can the next one be encoded. Within `with`, frames are committed at once.

    One thread uses it at a time; another gets a RuntimeError. Work is done without the GIL.
    """

    def __init__(
        self,
        signal: str,
        *,
        stateless: bool = False,
        stream_id: bytes | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """Make the end of a new stream.

        Args:
            signal: "traces", "logs" or "metrics": what the requests are of. Others travel too, only larger.
            stateless: whether each frame stands alone, for queues and cold starts: nothing is ever pending.
            stream_id: 16 random bytes; None for new ones.
            limits: what the receiver allows.

        Raises:
            ValueError: an unknown signal, an id of another length, or a state outside its range.
        """
        self.signal = signal
        self.stream_id = os.urandom(16) if stream_id is None else bytes(stream_id)
        self.limits = limits
        self._end = _core.TracezipEncoder(signal, self.stream_id, stateless, limits)
        self._commits_at_once = False

    def encode(self, data: BytesLike) -> bytes:
        """Give the frame of a request.

        Args:
            data: any bytes-like object, of any content; requests of the stream's signal become small.

        Raises:
            RuntimeError: the last frame is still pending.
            LimitError: `data` is longer than `limits.max_decoded_len`; split it first (`otlp_fast.split`).
        """
        frame = self._end.encode(data)
        if self._commits_at_once:
            self._end.commit()
        return frame

    def commit(self) -> None:
        """Count the last frame as taken. Without a pending one, nothing happens."""
        self._end.commit()

    def rollback(self) -> None:
        """Forget the last frame: its request is encoded again, or given up. Without a pending one, nothing happens."""
        self._end.rollback()

    def reset(self) -> None:
        """Start the stream anew: what is pending is rolled back, and the next frame builds on nothing."""
        self._end.reset()

    @property
    def state_hash(self) -> int:
        """The hash of what is committed: equal to the decoder's where it took the same frames."""
        return self._end.state_hash()

    def stats(self) -> EncoderStats:
        """What was done so far."""
        return EncoderStats(**self._end.stats())

    def __enter__(self) -> Self:
        """Commit each frame at once from here on, as for a file."""
        self._commits_at_once = True
        return self

    def __exit__(self, *error: object) -> None:
        """Frames are pending again until they are committed."""
        self._commits_at_once = False


class Decoder:
    """The receiving end of a stream: makes the same bytes of each frame.

    A frame is pending until the request was handed on: `commit` where the next hop took it, `rollback` where it did not
    and the frame may come again. Within `with`, frames are committed at once.

    One thread uses it at a time; another gets a RuntimeError. Work is done without the GIL.
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        """Make an end that knows no stream yet: the first that begins with a reset becomes its own."""
        self.limits = limits
        self._end = _core.TracezipDecoder(limits)
        self._commits_at_once = False

    def decode(self, frame: BytesLike) -> bytes:
        """Give the request of a frame, byte for byte as it was encoded. What was pending is rolled back first.

        Raises:
            RepeatedFrameError: the frame was committed before: answer as then, and deliver nothing.
            StateLostError: the frame builds on another state: its sender must reset the stream.
            LimitError: the frame passes a limit; the message says which.
            CompressionError: the frame is damaged; the message says where.
        """
        request = self._end.decode(frame)
        if self._commits_at_once:
            self._end.commit()
        return request

    def commit(self) -> None:
        """Count the last frame as delivered. Without a pending one, nothing happens."""
        self._end.commit()

    def rollback(self) -> None:
        """Forget the last frame, which may come again. Without a pending one, nothing happens."""
        self._end.rollback()

    @property
    def state_hash(self) -> int:
        """The hash of what is committed: equal to the encoder's where both have the same frames."""
        return self._end.state_hash()

    def stats(self) -> DecoderStats:
        """What was done so far."""
        return DecoderStats(**self._end.stats())

    def __enter__(self) -> Self:
        """Commit each frame at once from here on, as for a file."""
        self._commits_at_once = True
        return self

    def __exit__(self, *error: object) -> None:
        """Frames are pending again until they are committed."""
        self._commits_at_once = False
