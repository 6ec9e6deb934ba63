"""What a stream takes on the wire under each encoding: bytes of whole bodies, each read back and compared.

A figure is only there when every body of it was decoded, in the order of sending, to the very bytes that went in.
Nothing is left out of it: a body is counted from its first byte to its last, with all headers.

gzip and the zstd stream are those of Python's zlib and of the package `zstandard`, so that anyone can repeat them.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from typing import NamedTuple

import zstandard

from otlp_fast import compression, tracezip
from otlp_fast.bench.measure import require
from otlp_fast.bench.telemetry import Stream

GZIP, ZSTD, ZSTD_STREAM = "gzip-6", "zstd-3", "zstd-3 stream"
TRACEZIP, STATELESS, RESETTING = "tracezip", "tracezip stateless", "tracezip, reset every 50"


class Wire(NamedTuple):
    """What was sent."""

    bytes: int
    bodies: int
    starts: int
    """How many of the bodies build on nothing that was sent before: for a stream the first, and one for each reset."""
    raw: int = 0
    """How many of the frames of tracezip hold their request as it is."""


def by_gzip(stream: Stream) -> Wire:
    """Compress each request by itself."""
    bodies = [gzip.compress(request, 6, mtime=0) for request in stream.requests]
    return by_itself(GZIP, stream, bodies, gzip.decompress)


def by_zstd(stream: Stream) -> Wire:
    """Compress each request by itself."""
    bodies = [compression.compress(request, "zstd", level=3) for request in stream.requests]
    return by_itself(ZSTD, stream, bodies, lambda body: compression.decompress(body, "zstd"))


def by_itself(encoding: str, stream: Stream, bodies: Sequence[bytes], decompress: Callable[[bytes], bytes]) -> Wire:
    """Check bodies that each stand alone."""
    for request, body in zip(stream.requests, bodies, strict=True):
        require(decompress(body) == request, f"{encoding}, {stream.name}")
    return Wire(sum(map(len, bodies)), len(bodies), len(bodies))


def by_zstd_stream(stream: Stream) -> Wire:
    """Compress all requests as one zstd frame, flushed behind each of them. No part can be rolled back or left out."""
    compressor = zstandard.ZstdCompressor(level=3).compressobj()
    decompressor = zstandard.ZstdDecompressor().decompressobj()
    sent = 0
    for request in stream.requests:
        body = compressor.compress(request) + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        require(decompressor.decompress(body) == request, f"{ZSTD_STREAM}, {stream.name}")
        sent += len(body)
    return Wire(sent, len(stream.requests), 1)


def by_tracezip(stream: Stream, *, stateless: bool = False, reset_every: int | None = None) -> Wire:
    """Send each request as a frame, both ends committing at once, with a reset before every so many of them."""
    encoder = tracezip.Encoder(stream.signal, stateless=stateless)
    decoder = tracezip.Decoder()
    for number, request in enumerate(stream.requests):
        if reset_every and number % reset_every == 0:
            encoder.reset()
        require(decoder.decode(encoder.encode(request)) == request, f"{TRACEZIP}, {stream.name}, request {number}")
        decoder.commit()
        encoder.commit()
        same = stateless or encoder.state_hash == decoder.state_hash
        require(same, f"{TRACEZIP}, {stream.name}, state behind request {number}")
    stats = encoder.stats()
    starts = stats.frames if stateless else stats.resets
    return Wire(stats.bytes_out, stats.frames, starts, stats.raw_frames)


ENCODINGS: dict[str, Callable[[Stream], Wire]] = {
    GZIP: by_gzip,
    ZSTD: by_zstd,
    ZSTD_STREAM: by_zstd_stream,
    TRACEZIP: by_tracezip,
    STATELESS: lambda stream: by_tracezip(stream, stateless=True),
}
"""All, in the order in which they are shown."""
