"""Back-pressure: how many requests, and how many bytes of them, the gateway holds at the same time.

What comes beyond is refused with 429 at once, which costs nothing here and which every sender of OTLP retries. Nothing
is queued: a queue would hold requests whose clients have given up.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from otlp_fast.gateway.answers import Answer, Refused, error

_RETRY_AFTER_SECONDS = 1


class Reservation:
    """The bytes that one request holds."""

    def __init__(self, admission: Admission) -> None:
        """Begin with none."""
        self._admission = admission
        self.size = 0

    def grow(self, count: int) -> None:
        """Hold `count` bytes more.

        Raises:
            Refused: all requests together would hold more than is allowed.
        """
        self._admission.hold(count)
        self.size += count


class Admission:
    """What is held, and the bounds on it."""

    def __init__(self, max_requests: int, max_bytes: int) -> None:
        """Begin with nothing held."""
        self._max_requests = max_requests
        self._max_bytes = max_bytes
        self.requests = 0
        self.bytes = 0

    @contextmanager
    def admit(self) -> Iterator[Reservation]:
        """Count one request for as long as it is in the context.

        Raises:
            Refused: there are as many as are allowed.
        """
        if self.requests >= self._max_requests:
            raise Refused(_overloaded(f"{self.requests} requests are in flight, as many as are allowed"))
        self.requests += 1
        reservation = Reservation(self)
        try:
            yield reservation
        finally:
            self.requests -= 1
            self.bytes -= reservation.size

    def hold(self, count: int) -> None:
        """Hold `count` bytes more, see `Reservation.grow`."""
        if self.bytes + count > self._max_bytes:
            raise Refused(_overloaded(f"requests in flight hold {self.bytes:,} bytes of {self._max_bytes:,} allowed"))
        self.bytes += count


def _overloaded(message: str) -> Answer:
    return error(429, "overloaded", message, retry_after=_RETRY_AFTER_SECONDS, closes=True)
