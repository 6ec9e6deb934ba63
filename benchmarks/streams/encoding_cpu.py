"""The CPU time of encoding and decoding a stream, tracezip beside gzip and zstd.

A sample is the whole stream from its first request on, with a new encoder and decoder, as often as it takes to be busy
for `SAMPLE_SECONDS`. The sides take turns in an order shuffled anew each round, and a ratio is formed within a round.
What they give is read back before anything is timed. gzip and zstd are those of `otlp_fast.compression`, which keep
their contexts; that gzip takes about half the time of Python's zlib, which is timed as well.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable
from random import Random
from typing import Any

from otlp_fast import compression, tracezip
from otlp_fast.bench.measure import Work, cpu_seconds, require
from otlp_fast.bench.record import series
from otlp_fast.bench.telemetry import Stream

SAMPLE_SECONDS = 0.1
TRACEZIP, DECODE = "tracezip", "tracezip decode"
RIVALS: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "gzip-6": (
        lambda request: compression.compress(request, "gzip", level=6),
        lambda body: compression.decompress(body, "gzip"),
    ),
    "gzip-6 of zlib": (lambda request: gzip.compress(request, 6, mtime=0), gzip.decompress),
    "zstd-3": (
        lambda request: compression.compress(request, "zstd", level=3),
        lambda body: compression.decompress(body, "zstd"),
    ),
}
"""Each as what compresses a request and what reads it back."""


def measure_cpu(stream: Stream, rounds: int, random: Random) -> dict[str, Any]:
    """Give tracezip's CPU time for encoding in parts of each rival's, and how many MB of OTLP it decodes in a second.

    With them the milliseconds that each side takes for the stream once.
    """
    sides = checked_sides(stream)
    repetitions = {name: math.ceil(SAMPLE_SECONDS / cpu_seconds(work)) for name, work in sides.items()}
    times: dict[str, list[float]] = {name: [] for name in sides}
    order = list(sides)
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            times[name].append(cpu_seconds(repeated(sides[name], repetitions[name])) / repetitions[name])
    megabytes = sum(map(len, stream.requests)) / 1e6
    return {
        "shares": {
            rival: series([ours / theirs for ours, theirs in zip(times[TRACEZIP], times[rival], strict=True)])
            for rival in RIVALS
        },
        "decoded_mb_per_second": series([megabytes / seconds for seconds in times[DECODE]]),
        "ms": {name: series([1e3 * seconds for seconds in taken]) for name, taken in times.items()},
    }


def checked_sides(stream: Stream) -> dict[str, Work]:
    """Read back what every side gives, then give the sides."""
    requests, signal = stream.requests, stream.signal

    def encode() -> list[bytes]:
        with tracezip.Encoder(signal) as encoder:
            return [encoder.encode(request) for request in requests]

    frames = encode()

    def decode() -> None:
        with tracezip.Decoder() as decoder:
            for frame in frames:
                decoder.decode(frame)

    with tracezip.Decoder() as decoder:
        require([decoder.decode(frame) for frame in frames] == requests, f"tracezip, {stream.name}")
    sides: dict[str, Work] = {TRACEZIP: encode, DECODE: decode}
    for name, (compress, decompress) in RIVALS.items():
        require([decompress(compress(request)) for request in requests] == requests, f"{name}, {stream.name}")
        sides[name] = compressing(compress, requests)
    return sides


def compressing(compress: Callable[[bytes], bytes], requests: list[bytes]) -> Work:
    """Give what compresses all requests."""
    return lambda: [compress(request) for request in requests]


def repeated(work: Work, times: int) -> Work:
    """Give `work` so many times."""

    def repeat() -> None:
        for _ in range(times):
            work()

    return repeat
