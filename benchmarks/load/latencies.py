"""Latencies as counts in buckets that each are 1.1 % wide, so that a percentile of millions takes a few kilobytes.

All memory is taken and touched at the beginning: the process that counts is one of those whose memory has to be flat.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

PER_DOUBLING = 64
BUCKETS = 40 * PER_DOUBLING
"""Up to 2**40 ns, 18 minutes; what is longer counts as that."""

PERCENTILES = (50.0, 90.0, 99.0, 99.9)
LONGEST = "longest"


class Latencies:
    """Latencies of consecutive windows of time."""

    def __init__(self, windows: int = 1) -> None:
        """Make room for so many windows."""
        self._counts = np.full((windows, BUCKETS), 0, dtype=np.int64)
        self._longest = np.full(windows, 0, dtype=np.int64)

    def add(self, nanoseconds: npt.NDArray[np.int64], windows: npt.NDArray[np.int64]) -> None:
        """Count latencies, each in its window; one beyond the last window is in that one."""
        taken, windows = np.maximum(nanoseconds, 1), np.clip(windows, 0, len(self._longest) - 1)
        buckets = np.minimum((np.log2(taken) * PER_DOUBLING).astype(np.int64), BUCKETS - 1)
        np.add.at(self._counts, (windows, buckets), 1)
        np.maximum.at(self._longest, windows, taken)

    def add_one(self, nanoseconds: int) -> None:
        """Count one latency in the first window."""
        self.add(np.array([nanoseconds]), np.array([0]))

    def merge(self, exported: dict[str, Any]) -> None:
        """Add what another process gave by `export`."""
        np.add.at(self._counts, tuple(np.array(exported["places"], dtype=np.int64).reshape(2, -1)), exported["counts"])
        self._longest = np.maximum(self._longest, exported["longest"])

    def export(self) -> dict[str, Any]:
        """Give the counts for another process."""
        places = np.nonzero(self._counts)
        return {
            "places": [axis.tolist() for axis in places],
            "counts": self._counts[places].tolist(),
            "longest": self._longest.tolist(),
        }

    def whole(self) -> dict[str, float]:
        """Give the percentiles of everything, in milliseconds."""
        return percentiles(self._counts.sum(axis=0), int(self._longest.max()))

    def by_window(self) -> dict[str, list[float]]:
        """Give the percentiles of each window that has any, up to the last that has, in milliseconds."""
        filled = np.flatnonzero(self._counts.any(axis=1))
        rows = [percentiles(self._counts[window], int(self._longest[window])) for window in filled]
        return {"window": filled.tolist()} | {name: [row[name] for row in rows] for name in names()}


def names() -> list[str]:
    """Give what the percentiles are called in records: 50, 90, 99, 99.9, longest."""
    return [*(f"{percentile:g}" for percentile in PERCENTILES), LONGEST]


def percentiles(counts: npt.NDArray[np.int64], longest: int) -> dict[str, float]:
    """Give the percentiles of one row of counts, each the upper end of its bucket; the longest is exact."""
    cumulative = np.cumsum(counts)
    figures = {}
    for percentile in PERCENTILES:
        # The latency of rank k is in the first bucket up to whose end there are k.
        rank = max(1, int(np.ceil(cumulative[-1] * percentile / 100)))
        bucket = int(np.searchsorted(cumulative, rank))
        figures[f"{percentile:g}"] = milliseconds(min(2 ** ((bucket + 1) / PER_DOUBLING), longest))
    return figures | {LONGEST: milliseconds(longest)}


def milliseconds(nanoseconds: float) -> float:
    """Give milliseconds with four digits that say something."""
    return float(f"{nanoseconds / 1e6:.4g}")
