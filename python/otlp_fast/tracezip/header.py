"""What a frame says of itself, without its stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otlp_fast import _core
from otlp_fast.tracezip.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from otlp_fast._decode import BytesLike


class FrameHeader(NamedTuple):
    """The flags and the header of a frame, see docs/tracezip-format.md."""

    signal: str
    """"traces", "logs" or "metrics"."""
    is_reset: bool
    """The frame starts its stream anew."""
    is_stateless: bool
    """The frame needs no state, and leaves none."""
    is_raw: bool
    """The frame holds the request as it is, compressed by zstd alone."""
    stream_id: bytes
    """16 bytes, chosen at random by the sender; zeros without state."""
    epoch: int
    """How often the stream was reset."""
    seq: int
    """The frame's number since then, from 0."""
    base_hash: int
    """The hash of the state that the frame builds on."""
    decoded_len: int
    """The length of the request, in bytes."""
    items: int
    """How many spans, log records or data points it has; 0 in a raw frame."""
    plain_len: int
    """The length of the columns before compression, in bytes."""
    prefix_len: int
    """How many bytes of earlier text the frame was compressed with."""
    state_size: int
    """The bytes that the tables of the stream may take, a power of two."""
    content_hash: int
    """XXH3 of the request."""


def read_header(frame: BytesLike, limits: Limits = DEFAULT_LIMITS) -> FrameHeader:
    """Read what a frame says of itself: where it belongs, and how long its request is.

    The checksum is checked, the lengths, and every limit that the header can pass; the columns are not looked at.

    Args:
        frame: any bytes-like object.
        limits: what is allowed.

    Raises:
        LimitError: it passes a limit; the message says which.
        CompressionError: it is no frame, or a damaged one; the message says where.
    """
    return FrameHeader(**_core.tracezip_header(frame, limits))
