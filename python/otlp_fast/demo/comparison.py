"""Encodes the very same spans with the official encoder and with otlp-fast: equal bytes first, time second.

The spans are those that a run of the service recorded, cut into batches as the official BatchSpanProcessor does by
default. The encoders take turns batch by batch, in changing order, so a change in the machine's speed meets both.

In its turn an encoder encodes the batch twice. The first time the spans, scattered over the memory of a service, mostly
come from outside the processor's inner caches, as they do when an exporter gets them. The second time they are in the
cache, as in a benchmark that repeats itself. Both times are told: to the official encoder it makes no difference, to
otlp-fast a factor of two. That it is the cache shows in longer batches: at 2,048 spans, too many for an L2 cache of
512 KiB, the second time is as slow as the first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans as official_encode_spans
from opentelemetry.sdk.trace import ReadableSpan

import otlp_fast

BATCH_LENGTH = 512

_CONTEXT_BYTES = 16

Batch = Sequence[ReadableSpan]


def _encode_officially(batch: Batch) -> bytes:
    encoded: bytes = official_encode_spans(batch).SerializeToString()
    return encoded


_ENCODERS: tuple[tuple[str, Callable[[Batch], bytes]], ...] = (
    ("official", _encode_officially),
    ("otlp_fast", otlp_fast.encode_spans),
)


class Comparison:
    """Both encoders on the recorded spans of one run."""

    def __init__(self, spans: Batch) -> None:
        self._batches = [spans[begin : begin + BATCH_LENGTH] for begin in range(0, len(spans), BATCH_LENGTH)]
        self._turn = 0

    def check(self) -> dict[str, Any]:
        """Encode every batch with both, and give how much was compared, and the first difference or None."""
        byte_count = 0
        for number, batch in enumerate(self._batches):
            official, ours = (encode(batch) for _, encode in _ENCODERS)
            byte_count += len(official)
            if official != ours:
                difference = describe_difference(number, official, ours)
                break
        else:
            difference = None
        return {
            "spans": sum(map(len, self._batches)),
            "batches": len(self._batches),
            "bytes": byte_count,
            "first_difference": difference,
        }

    def measure(self) -> dict[str, dict[str, list[float]]]:
        """Encode every batch twice with both.

        Returns:
            `first` and `again`, in each the encoders, and for them the CPU time in ns per span, batch by batch.
        """
        samples: dict[str, dict[str, list[float]]] = {
            occasion: {name: [] for name, _ in _ENCODERS} for occasion in ("first", "again")
        }
        for batch in self._batches:
            self._turn += 1
            for name, encode in _ENCODERS if self._turn % 2 else reversed(_ENCODERS):
                for by_encoder in samples.values():
                    begin = time.thread_time_ns()
                    encode(batch)
                    by_encoder[name].append((time.thread_time_ns() - begin) / len(batch))
        return samples


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
