"""Counts and names what was lost: one counter per kind, and a log line per kind at most every minute.

A service that puts a Decimal into every span must learn of it, but not a thousand times a second. So the first loss
of a kind is logged at once with its place and reason; further ones are counted, and the next line says how many there
were. `logging` is imported with the first loss: `import otlp_fast` stays cheap, and most processes never need it.
"""

from __future__ import annotations

import time

LOG_INTERVAL_SECONDS = 60.0
"""Least time between two log lines of one kind."""

LOSSES = (
    "attributes_dropped",
    "events_dropped",
    "links_dropped",
    "exemplars_dropped",
    "data_points_dropped",
    "metrics_dropped",
    "items_refused",
    "values_repaired",
)
"""The kinds of loss, as they are counted by `encode_stats`."""

_counters: dict[str, int] = dict.fromkeys(LOSSES, 0)
_next_line_at: dict[str, float] = {}
_unlogged: dict[str, int] = {}


def report(notes: list[tuple[str, str, str]]) -> None:
    """Count what a walk noted, as (kind, path, reason), and log it. Never raises."""
    now = time.monotonic()
    for kind, path, reason in notes:
        _counters[kind] += 1
        if now < _next_line_at.get(kind, 0.0):
            _unlogged[kind] = _unlogged.get(kind, 0) + 1
            continue
        _next_line_at[kind] = now + LOG_INTERVAL_SECONDS
        suppressed = _unlogged.pop(kind, 0)
        _log(kind, path, reason, suppressed)


def _log(kind: str, path: str, reason: str, suppressed: int) -> None:
    try:
        import logging

        more = f" ({suppressed} more since the last such line)" if suppressed else ""
        logging.getLogger("otlp_fast").warning("%s: %s: %s%s", kind.replace("_", " "), path, reason, more)
    except Exception:
        return


def encode_stats() -> dict[str, int]:
    """What encoding has done in this process so far.

    Returns:
        `spans_encoded`, `log_records_encoded`, `data_points_encoded`, and what could not be written as it was:
        `attributes_dropped`, `events_dropped`, `links_dropped`, `exemplars_dropped`, `data_points_dropped`,
        `metrics_dropped`, `items_refused` (by a processor: not a span or log record), `values_repaired`. Counts since
        the process began.
    """
    from otlp_fast._sdk import encoded_counts  # the walker imports this module

    return {**encoded_counts(), **_counters}
