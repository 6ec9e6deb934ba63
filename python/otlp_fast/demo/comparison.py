"""Encodes the very same batches with the official encoders and with otlp-fast: equal bytes first, time second.

The batches are those that the exporters of a run of the service were given: spans and log records as the SDK's
processors put them together, metrics as its reader collected them. The encoders take turns batch by batch, in changing
order, so a change in the machine's speed meets both.

In its turn an encoder encodes the batch twice. The first time its objects, scattered over the memory of a service,
mostly come from outside the processor's inner caches, as they do when an exporter gets them. The second time they are
in the cache, as in a benchmark that repeats itself. Both times are told: to the official encoder it makes little
difference, to otlp-fast about a factor of two. That it is the cache shows in longer batches: at 2,048 spans, too many
for an L2 cache of 512 KiB, the second time is as slow as the first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs as official_encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics as official_encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans as official_encode_spans

import otlp_fast
from otlp_fast.demo.telemetry import count_items

_CONTEXT_BYTES = 16

Encode = Callable[[Any], bytes]
Samples = dict[str, dict[str, list[float]]]


def _serialized(encode: Callable[[Any], Any]) -> Encode:
    def encode_and_serialize(batch: Any) -> bytes:
        encoded: bytes = encode(batch).SerializeToString()
        return encoded

    return encode_and_serialize


_ENCODERS: Mapping[str, tuple[tuple[str, Encode], ...]] = {
    "traces": (("official", _serialized(official_encode_spans)), ("otlp_fast", otlp_fast.encode_spans)),
    "logs": (("official", _serialized(official_encode_logs)), ("otlp_fast", otlp_fast.encode_logs)),
    "metrics": (("official", _serialized(official_encode_metrics)), ("otlp_fast", otlp_fast.encode_metrics)),
}


class Comparison:
    """Both encoders on the batches of one run, by signal."""

    def __init__(self, batches: Mapping[str, Sequence[Any]]) -> None:
        self._batches = batches
        self._turn = 0

    def check(self) -> dict[str, dict[str, Any]]:
        """Encode every batch with both, and give for each signal how much it was, and the first difference or None."""
        return {signal: _check(signal, batches) for signal, batches in self._batches.items()}

    def measure(self) -> dict[str, Samples]:
        """Encode every batch twice with both.

        Returns:
            By signal `first` and `again`, in each the encoders, and for them the CPU time in ns per item, batch by
            batch.
        """
        self._turn += 1
        return {signal: self._measure(signal, batches) for signal, batches in self._batches.items()}

    def _measure(self, signal: str, batches: Sequence[Any]) -> Samples:
        samples: Samples = {occasion: {name: [] for name, _ in _ENCODERS[signal]} for occasion in ("first", "again")}
        for turn, batch in enumerate(batches, self._turn):
            items = count_items(signal, batch)
            for name, encode in _ENCODERS[signal] if turn % 2 else reversed(_ENCODERS[signal]):
                for by_encoder in samples.values():
                    begin = time.thread_time_ns()
                    encode(batch)
                    by_encoder[name].append((time.thread_time_ns() - begin) / items)
        return samples


def _check(signal: str, batches: Sequence[Any]) -> dict[str, Any]:
    byte_counts = dict.fromkeys((name for name, _ in _ENCODERS[signal]), 0)
    difference = None
    for number, batch in enumerate(batches):
        encoded = {name: encode(batch) for name, encode in _ENCODERS[signal]}
        for name, request in encoded.items():
            byte_counts[name] += len(request)
        if difference is None and encoded["official"] != encoded["otlp_fast"]:
            difference = describe_difference(number, encoded["official"], encoded["otlp_fast"])
    return {
        "items": sum(count_items(signal, batch) for batch in batches),
        "batches": len(batches),
        "bytes": byte_counts,
        "first_difference": difference,
    }


def describe_difference(batch: int, official: bytes, ours: bytes) -> dict[str, Any]:
    """Say where two encodings of one batch differ first, and show the bytes from there on, in hex."""
    shorter = min(len(official), len(ours))
    offset = next((at for at in range(shorter) if official[at] != ours[at]), shorter)
    return {
        "batch": batch,
        "offset": offset,
        "official": official[offset : offset + _CONTEXT_BYTES].hex(),
        "otlp_fast": ours[offset : offset + _CONTEXT_BYTES].hex(),
    }
