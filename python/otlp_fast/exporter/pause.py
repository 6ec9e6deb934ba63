"""How long something that did not work is left alone."""

from __future__ import annotations

import time

FIRST_PAUSE_SECONDS = 300.0
LONGEST_PAUSE_SECONDS = 3600.0

# The pause doubles each time, and must not grow beyond what a float can hold.
_MAX_DOUBLINGS = 16


class GrowingPause:
    """Five minutes, twice as long each time up to an hour, and five minutes again once it has worked."""

    def __init__(self) -> None:
        self.count = 0
        """How many pauses there were since it last worked."""
        self._ends_at = 0.0

    @property
    def is_on(self) -> bool:
        """Whether it is to be left alone."""
        return time.monotonic() < self._ends_at

    def begin(self) -> float:
        """Leave it alone from now on, and give for how many seconds."""
        seconds: float = min(FIRST_PAUSE_SECONDS * 2 ** min(self.count, _MAX_DOUBLINGS), LONGEST_PAUSE_SECONDS)
        self.count += 1
        self._ends_at = time.monotonic() + seconds
        return seconds

    def forget(self) -> None:
        """Begin with five minutes again: it works."""
        self.count = 0
