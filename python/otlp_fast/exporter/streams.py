"""The tracezip streams of one exporter, and when not to use them.

Each frame of a stream builds on the one before, so a stream belongs to one request at a time, from its encoding to its
answer. Requests at the same time take other streams, up to four, as each has tables of its own at both ends; beyond
these a frame stands alone, which is larger and needs none. The stream that was used last is taken first: a processor
has one worker, and so one stream.

Where a receiver keeps losing the state of streams, because its replicas take requests in turn, or because it has more
streams than it keeps, most requests would be sent twice. Then frames stand alone for a while.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from otlp_fast.exporter.pause import GrowingPause
from otlp_fast.tracezip import Encoder

MAX_STREAMS = 4

# A loss costs about what a stream saves on three requests. So what a loss adds, three requests take away, and streams
# are left alone where more than every fourth request is met by a loss, at the earliest after four losses in a row.
_COST_OF_LOSS = 3
_BEARABLE_COST = 12


class Streams:
    """Encoders of one signal for requests that are under way at the same time. Safe to use from several threads."""

    def __init__(self, signal: str) -> None:
        self._signal = signal
        # Waits for no lock: a signal handler may export while it interrupts an export. None is a stream not yet begun.
        self._idle: deque[Encoder | None] = deque([None] * MAX_STREAMS)
        self._lock = threading.RLock()
        self._cost = 0
        self._pause = GrowingPause()

    @contextmanager
    def taken(self) -> Iterator[Encoder]:
        """Give an encoder that is nobody else's in the body, behind which what was not committed is rolled back."""
        stream = None if self._pause.is_on else self._free_stream()
        if stream is None:
            yield Encoder(self._signal, stateless=True)
            return
        # Nothing comes back from a body that ends by an exception: a stream is cheaper to begin than to mend.
        kept = None
        try:
            yield stream
            stream.rollback()
            kept = stream
        finally:
            self._idle.append(kept)

    def state_was_kept(self) -> None:
        """Note that the receiver had the state that a frame built on."""
        with self._lock:
            self._cost = max(self._cost - 1, 0)
            if not self._cost:
                self._pause.forget()

    def state_was_lost(self) -> float:
        """Note that it had not, and give for how many seconds frames stand alone now; 0 where streams go on."""
        with self._lock:
            self._cost += _COST_OF_LOSS
            if self._cost < _BEARABLE_COST:
                return 0.0
            self._cost = 0
            return self._pause.begin()

    def _free_stream(self) -> Encoder | None:
        """Give the stream that was used last, or None where all are in use."""
        try:
            return self._idle.pop() or Encoder(self._signal)
        except IndexError:
            return None
