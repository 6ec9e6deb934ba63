"""What tracezip promises, and whether a record of benchmarks/tracezip.py keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.streams.wire import RESETTING, TRACEZIP, ZSTD_STREAM

TRACES, METRICS, LOGS = "astronomy-traces", "hostandcollector-metrics", "otel-demo-logs"

STEF = {TRACES: 41.5, METRICS: 1.8}
"""Bytes per item that STEF's authors published for these corpora (splunk/stef): shown, but not measured here."""

BYTES_PER_ITEM = {
    (TRACES, TRACEZIP): 30.0,
    (f"{TRACES}, 100 per request", TRACEZIP): 32.5,
    (f"{TRACES}, 1,000 per request", TRACEZIP): 29.0,
    (f"{TRACES}, 100 per request", RESETTING): 35.0,
    (METRICS, TRACEZIP): 1.4,
}
"""By stream and encoding: all bytes on the wire for each span or data point, at most."""

SHARE_OF_STREAM = {LOGS: 0.7}
"""By stream: the bytes in parts of one zstd-3 stream, at most."""

OTHER_DATA = {"bookshop traces": TRACES, "bookshop metrics without exemplars": METRICS, "bookshop logs": LOGS}
TOLERANCE = 1.15
"""Data that nobody tuned for, each with a corpus: what is promised of the corpus, in parts of one zstd-3 stream, holds
for them within 15 %. Of the bookshop's metrics half the bytes are ids of exemplars, which the corpus has none of."""

CPU_SHARES = {"gzip-6 of zlib": 1 / 3, "zstd-3": 1.5}
"""By rival: the CPU time of encoding in parts of the rival's on the same requests, at most. zlib's gzip is what the
official exporters send; that of otlp_fast.compression, zlib-rs, takes about half of its time and is shown beside it."""

DECODED_MB_PER_SECOND = 300.0
"""OTLP that is decoded in a second of CPU time, at least, in MB."""


@dataclass(frozen=True)
class Judgement:
    """A promise, and what was found."""

    promise: str
    bound: float
    found: float
    is_least: bool = False
    """Whether the figure has to be this at least, not at most."""

    @property
    def is_kept(self) -> bool:
        """Whether what was found is what was promised."""
        return self.found >= self.bound if self.is_least else self.found <= self.bound

    @property
    def words(self) -> str:
        """What was promised, and what was found."""
        return f"{self.promise}: at {'least' if self.is_least else 'most'} {self.bound:.4g} ({self.found:.4g})"

    def __str__(self) -> str:
        return f"{'kept' if self.is_kept else 'NOT KEPT'}: {self.words}"


def judge(record: dict[str, Any]) -> Iterator[Judgement]:
    """Hold a record against every promise."""
    streams = record["streams"]
    for (stream, encoding), most in BYTES_PER_ITEM.items():
        found = streams[stream]["encodings"][encoding]["per_item"]
        yield Judgement(f"{stream}, {encoding}, bytes per {streams[stream]['item']}", most, found)
    for stream, most in SHARE_OF_STREAM.items():
        yield Judgement(f"{stream}, bytes in parts of one zstd-3 stream", most, share_of_stream(streams[stream]))
    for stream, corpus in OTHER_DATA.items():
        most = TOLERANCE * promised_share(corpus, streams[corpus])
        yield Judgement(f"{stream}, bytes in parts of one zstd-3 stream", most, share_of_stream(streams[stream]))
    for stream, figures in record["cpu"].items():
        for rival, most in CPU_SHARES.items():
            share = figures["shares"][rival]["median"]
            yield Judgement(f"{stream}, CPU time of encoding in parts of {rival}", most, share)
        rate = figures["decoded_mb_per_second"]["median"]
        yield Judgement(f"{stream}, decoded MB of OTLP per second", DECODED_MB_PER_SECOND, rate, is_least=True)
    for flood, figures in record["memory"].items():
        for end in ("encoder", "decoder"):
            limit, kept = figures["limit"] / 2**20, figures[end]["state"] / 2**20
            yield Judgement(f"MiB that the {end} keeps of a flood of {flood}", limit, kept)
        # A raw frame leaves nothing in the tables, and a promise about them would be kept by not using them.
        yield Judgement(f"raw frames of a flood of {flood}", 0, figures["raw_frames"])


def promised_share(name: str, corpus: dict[str, Any]) -> float:
    """Give the bytes that are promised for a corpus, in parts of one zstd-3 stream."""
    if name in SHARE_OF_STREAM:
        return SHARE_OF_STREAM[name]
    return float(BYTES_PER_ITEM[name, TRACEZIP] / corpus["encodings"][ZSTD_STREAM]["per_item"])


def share_of_stream(stream: dict[str, Any]) -> float:
    """Give the bytes of tracezip in parts of one zstd-3 stream."""
    encodings = stream["encodings"]
    return float(encodings[TRACEZIP]["bytes"] / encodings[ZSTD_STREAM]["bytes"])
