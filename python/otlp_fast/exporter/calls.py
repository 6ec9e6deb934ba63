"""The calls of an exporter that are under way, for its shutdown to wait until they are accounted for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class CallsUnderWay:
    """Knows the calls that have not ended. Safe to use from several threads, and from a signal handler."""

    def __init__(self) -> None:
        # Its lock is reentrant: the handler of a signal may shut down where it interrupted the beginning of a call.
        self._changed = threading.Condition()
        self._calls: list[tuple[int, int]] = []

    @contextmanager
    def call(self, item_count: int) -> Iterator[None]:
        """Be under way with `item_count` items during the body."""
        call = (threading.get_ident(), item_count)
        with self._changed:
            self._calls.append(call)
        try:
            yield
        finally:
            with self._changed:
                self._calls.remove(call)
                self._changed.notify_all()

    def wait(self, timeout: float) -> int:
        """Wait at most `timeout` seconds until no other thread is in a call, and give the items of those that are.

        The calls of this thread are not waited for: it is a signal handler that interrupted them, or a log handler.
        """
        own = threading.get_ident()
        with self._changed:
            self._changed.wait_for(lambda: all(thread == own for thread, _ in self._calls), max(timeout, 0.0))
            return sum(item_count for thread, item_count in self._calls if thread != own)
