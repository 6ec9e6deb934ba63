"""Part "compress": a stream of requests under each encoding, once every body was read back to the very bytes.

gzip, zstd and lz4 compress each request by itself, as exporters send them; tracezip builds on what it has sent before.
The first is gzip as the official exporter has it, Python's at level 9.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TypeAlias

from otlp_fast import compression, tracezip
from otlp_fast.bench.effort import Effort
from otlp_fast.bench.figures import Encodings, Pair
from otlp_fast.bench.measure import require, take_turns
from otlp_fast.bench.steps import OnRound, Step
from otlp_fast.bench.telemetry import Stream, Telemetry

PART = "compress"
OFFICIAL_GZIP, TRACEZIP = "gzip 9 (Python's)", "tracezip"

Bodies: TypeAlias = list[bytes]


def compressing_steps(telemetry: Telemetry, effort: Effort) -> Iterator[Step]:
    """Give a step for each stream."""
    for stream in telemetry.streams:
        yield Step(PART, f"compress {stream.name}", partial(_measure, stream, effort))


def _measure(stream: Stream, effort: Effort, on_round: OnRound) -> list[Pair | Encodings]:
    compressors = _compressors(stream.signal)
    sizes: dict[str, int] = {}
    for name, compress in compressors.items():
        bodies = compress(stream.requests)
        require(_read_back(name, bodies) == stream.requests, f"{stream.name}: {name} does not give the same bytes back")
        sizes[name] = sum(map(len, bodies))
    comparison = take_turns(
        compressors,
        stream.whole(),
        rounds=effort.rounds,
        seconds=effort.seconds,
        sample_seconds=effort.sample_seconds,
        on_round=on_round,
    )
    uncompressed = sum(map(len, stream.requests))
    amounts = (stream.item, comparison.items, len(stream.requests), uncompressed)
    return [Encodings(stream.name, *amounts, sizes, comparison.samples)]


def _compressors(signal: str) -> Mapping[str, Callable[[Bodies], Bodies]]:
    by_request: dict[str, Callable[[Bodies], Bodies]] = {
        encoding: partial(_compress, encoding) for encoding in ("gzip", "zstd", "lz4")
    }
    return {OFFICIAL_GZIP: _compress_officially, **by_request, TRACEZIP: partial(_frames, signal)}


def _compress_officially(requests: Bodies) -> Bodies:
    return [gzip.compress(request, 9, mtime=0) for request in requests]


def _compress(encoding: str, requests: Bodies) -> Bodies:
    return [compression.compress(request, encoding) for request in requests]


def _frames(signal: str, requests: Bodies) -> Bodies:
    with tracezip.Encoder(signal) as encoder:
        return [encoder.encode(request) for request in requests]


def _read_back(name: str, bodies: Bodies) -> Bodies:
    if name == OFFICIAL_GZIP:
        return [gzip.decompress(body) for body in bodies]
    if name == TRACEZIP:
        with tracezip.Decoder() as decoder:
            return [decoder.decode(body) for body in bodies]
    return [compression.decompress(body, name) for body in bodies]
