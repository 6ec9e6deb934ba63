"""One log line about everything that a processor had to drop, at most once a minute.

The threads that end spans and emit log records only count; the line is written by the processor's worker, and at the
end by the thread that shuts down. The limit also ends a circle: a processor of log records may be fed by the very
logger that the line goes to.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from otlp_fast.exporter import log_lines

DROPPED_QUEUE_FULL = "dropped_queue_full"
REFUSED_BY_ENCODER = "refused_by_encoder"
DROPPED_AT_SHUTDOWN = "dropped_at_shutdown"

REASONS = {
    DROPPED_QUEUE_FULL: "because the queue was full",
    REFUSED_BY_ENCODER: "refused by the encoder",
    DROPPED_AT_SHUTDOWN: "not sent before the deadline of shutdown",
}
"""Why a processor loses items, by their names in `stats()`, with the words for log lines."""


class DropLog:
    """Writes what the counts of `stats` say that was dropped since its last line."""

    def __init__(self, logger: logging.Logger, items: str, limits: str, stats: Callable[[], Mapping[str, int]]) -> None:
        self._logger = logger
        self._items = items
        self._limits = limits
        self._stats = stats
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget what was logged, because the counts begin at zero again."""
        self._logged = dict.fromkeys(REASONS, 0)
        self._next_line_at = 0.0

    def log(self, *, at_once: bool = False) -> None:
        """Log what was dropped since the last line, if anything was, and a minute has passed or `at_once` is set."""
        now = time.monotonic()
        if now < self._next_line_at and not at_once:
            return
        stats = self._stats()
        counts = {reason: stats[reason] for reason in REASONS}
        dropped = {reason: count - self._logged[reason] for reason, count in counts.items()}
        if not any(dropped.values()):
            return
        self._logged = counts
        self._next_line_at = now + log_lines.LOSS_LINE_SECONDS
        reasons = "; ".join(f"{count} {REASONS[reason]}" for reason, count in dropped.items() if count)
        self._logger.warning("Dropped %d %s: %s (%s)", sum(dropped.values()), self._items, reasons, self._limits)
