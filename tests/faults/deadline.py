"""How long a call may take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

SLACK_SECONDS = 10
"""What a call may take over its deadline on a machine that is busy. What hangs takes much longer."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail where the body takes longer than `seconds` and some slack."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds + SLACK_SECONDS
