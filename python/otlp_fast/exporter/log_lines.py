"""Log lines that cannot flood: what repeats is said once a minute, with a count of what was held back.

An exporter of logs may be fed by the very logger that it writes to. A line for every failed batch would then be a
failed batch itself; the limit is what ends that circle, so it holds for every line that a batch can cause.
"""

from __future__ import annotations

import logging
import threading
import time

REPEATED_WARNING_SECONDS = 60.0
"""Least time between two warnings that say the same."""

LOSS_LINE_SECONDS = 60.0
"""Least time between two lines about lost items."""

SHOWN_CHARACTERS = 200
"""How much of what others say stands in a line."""


def printable(text: str) -> str:
    """Give the first 200 characters of `text` that can stand in a log line, white space folded."""
    folded = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return folded[:SHOWN_CHARACTERS]


class RepeatedWarning:
    """A warning, which is a debug line where it repeats the one before within a minute."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._last = ("", 0.0)

    def log(self, subject: str, message: str, *arguments: object) -> None:
        """Log `message`, unless the last one had the same `subject` less than a minute ago."""
        last, last_time = self._last
        now = time.monotonic()
        repeated = last == subject and now - last_time < REPEATED_WARNING_SECONDS
        if not repeated:
            self._last = (subject, now)
        self._logger.log(logging.DEBUG if repeated else logging.WARNING, message, *arguments)

    def forget(self) -> None:
        """Make the next line a warning, whatever it is about."""
        self._last = ("", 0.0)


class LossLog:
    """Lines about lost items: the first at once, then one a minute that counts what was lost in between."""

    def __init__(self, logger: logging.Logger, items: str) -> None:
        self._logger = logger
        self._items = items
        self.renew_after_fork()

    def renew_after_fork(self) -> None:
        """Begin anew, with a lock of its own, in a forked child."""
        # Reentrant: a signal handler may lose items while it interrupts a loss.
        self._lock = threading.RLock()
        self._next_line_at = 0.0
        self._unlogged = 0

    def log(self, level: int, lost: int, message: str, *, error: BaseException | None = None) -> None:
        """Log `message` about `lost` items, or only count them if a line was written less than a minute ago."""
        now = time.monotonic()
        with self._lock:
            if now < self._next_line_at:
                self._unlogged += lost
                return
            self._next_line_at = now + LOSS_LINE_SECONDS
            unlogged, self._unlogged = self._unlogged, 0
        more = f" ({unlogged} more {self._items} lost since the last such line)" if unlogged else ""
        self._logger.log(level, "%s%s", message, more, exc_info=error)

    def flush(self, level: int) -> None:
        """Log how many items were lost since the last line, if any were."""
        with self._lock:
            unlogged, self._unlogged = self._unlogged, 0
        if unlogged:
            self._logger.log(level, "%d more %s lost since the last such line", unlogged, self._items)
