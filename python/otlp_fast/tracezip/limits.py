"""What the two ends of a stream agree on, and what a decoder refuses."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """What a decoder allows, each checked before memory is taken. An encoder's `max_state`
    must not be larger than its decoder's.

    Further limits are fixed by the format: items are at most half of the request's bytes, columns 4,096; above 1 MiB
    a frame must not be smaller than a thousandth of its request.
    """

    max_decoded_len: int = 20 << 20
    """The longest request, in bytes: 20 MiB, what the Collector takes over HTTP."""
    max_plain_len: int = 16 << 20
    """The most bytes that the columns of a frame may take before compression."""
    max_state: int = 4 << 20
    """The most bytes that the tables of one end of a stream take, 64 KiB to 256 MiB; encoders take a power of two."""


DEFAULT_LIMITS = Limits()
