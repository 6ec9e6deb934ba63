"""Measures what an exporter costs in the thread that exports.

It takes the place of the `export` of an exporter, whichever signal and whoever made it, and reads the CPU clock of the
calling thread (`time.thread_time_ns`) before and after. That is what encoding, compressing and sending cost of a core;
waiting for the receiver or for the GIL is not in it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any


class MeasuredExport:
    """Forwards every batch to `exporter`, as its `export` from now on; counts, and keeps what it was given."""

    def __init__(self, exporter: Any, count_items: Callable[[Any], int]) -> None:
        self._export = exporter.export
        self._count_items = count_items
        self._lock = threading.Lock()
        self.batches: list[Any] = []
        """Lists of spans or of log records, or `MetricsData`, one per call."""
        self.exported = 0
        """Items in them."""
        self.delivered = 0
        """Items of batches for which the exporter gave SUCCESS."""
        self.cpu_ns = 0
        """Spent in `export`, by whatever thread called it."""
        exporter.export = self

    def __call__(self, batch: Any, *arguments: Any, **options: Any) -> Any:
        """Export `batch`, measured."""
        begin = time.thread_time_ns()
        result = self._export(batch, *arguments, **options)
        cpu_ns = time.thread_time_ns() - begin
        items = self._count_items(batch)
        with self._lock:
            self.cpu_ns += cpu_ns
            self.exported += items
            self.batches.append(batch)
            # An enumeration of its own for each signal, with the same names.
            if result.name == "SUCCESS":
                self.delivered += items
        return result
