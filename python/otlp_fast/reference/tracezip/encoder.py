"""The sending end of a stream."""

from __future__ import annotations

import os

from otlp_fast.reference.tracezip import frame
from otlp_fast.reference.tracezip.constants import MAX_STATE_LOG2, MIN_STATE_LOG2
from otlp_fast.reference.tracezip.errors import check
from otlp_fast.reference.tracezip.hashes import hash_of, next_hash
from otlp_fast.reference.tracezip.stream import Stream
from otlp_fast.tracezip.limits import DEFAULT_LIMITS, Limits


class Encoder:
    """The sending end of a stream: makes a frame of each request, as `otlp_fast.tracezip.Encoder`."""

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
            signal: "traces", "logs" or "metrics".
            stateless: whether each frame stands alone: nothing is ever pending.
            stream_id: 16 random bytes; None for new ones.
            limits: what the receiver allows.
        """
        self.stream_id = os.urandom(16) if stream_id is None else stream_id
        self.limits = limits
        self._signal = signal
        self._is_stateless = stateless
        self._state_log2 = min(max(limits.max_state.bit_length() - 1, MIN_STATE_LOG2), MAX_STATE_LOG2)
        self._epoch = 0
        self._start_anew()
        self._pending: tuple[int, Stream] | None = None
        """The hash and the stream behind the frame that is neither committed nor rolled back."""

    def _start_anew(self) -> None:
        self._stream = Stream(self._signal, self._state_log2)
        self._seq = 0
        self._base_hash = 0
        self._is_new = True

    def encode(self, data: bytes) -> bytes:
        """Give the frame of a request.

        Raises:
            RuntimeError: the last frame is still pending.
            CompressionError: `data` is longer than `limits.max_decoded_len`.
        """
        if self._pending is not None:
            raise RuntimeError("the last frame was neither committed nor rolled back")
        check("max_decoded_len", len(data), self.limits.max_decoded_len)
        body, behind = self._stream.encode(data, self.limits.max_plain_len)
        flags = frame.Flags(
            is_reset=self._is_new and not self._is_stateless,
            is_stateless=self._is_stateless,
            is_raw=body.is_raw,
            is_compressed=body.zblock is not None,
            signal=self._signal,
        )
        header = frame.Header(
            stream_id=bytes(16) if self._is_stateless else self.stream_id,
            epoch=self._epoch + flags.is_reset,
            seq=self._seq,
            base_hash=self._base_hash,
            decoded_len=len(data),
            items=body.items,
            plain_len=len(body.raw_block) + len(body.text),
            prefix_len=body.prefix_len,
            state_log2=self._state_log2,
            content_hash=hash_of(data),
        )
        if not self._is_stateless:
            # An epoch is never used for two resets, even where the first of them is rolled back.
            self._epoch = header.epoch
            self._pending = next_hash(self._base_hash, body.raw_block, body.text), behind
        return frame.write(flags, header, body.columns, body.raw_block, body.zblock or body.text)

    def commit(self) -> None:
        """Count the last frame as taken. Without a pending one, nothing happens."""
        if self._pending is not None:
            self._base_hash, self._stream = self._pending
            self._pending = None
            self._seq += 1
            self._is_new = False

    def rollback(self) -> None:
        """Forget the last frame. Without a pending one, nothing happens."""
        self._pending = None

    def reset(self) -> None:
        """Start the stream anew: what is pending is rolled back, and the next frame builds on nothing."""
        self.rollback()
        self._start_anew()

    @property
    def state_hash(self) -> int:
        """The hash of what is committed: equal to the decoder's where it took the same frames."""
        return self._base_hash
