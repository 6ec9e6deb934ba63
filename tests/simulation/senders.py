"""A sender of tracezip frames, which does what docs/tracezip-http.md says."""

from __future__ import annotations

from collections import deque

from otlp_fast.tracezip import Encoder
from tests.simulation.network import Network
from tests.simulation.receivers import LIMITS

MAX_TRIES = 6
"""After so many tries a request is given up, and counted."""

PLAIN_REQUESTS = 3
"""So many requests go without tracezip where a receiver did not know it."""


class Try:
    """What became of one try, as far as the simulation knows."""

    def __init__(self, at: int, receiver: tuple[str, int] | None, is_damage: bool = False) -> None:
        self.at = at
        self.receiver = receiver
        """None: it went as plain OTLP, which nobody can tell from a repeat."""
        self.is_damage = is_damage


class Sender:
    """Sends requests one by one. Each step is one try."""

    def __init__(self, requests: list[bytes], stream_id: bytes, network: Network) -> None:
        self.network = network
        self.encoder = Encoder("traces", stream_id=stream_id, limits=LIMITS)
        self.waiting = deque(requests)
        self.frame: bytes | None = None
        self.tries: dict[bytes, list[Try]] = {request: [] for request in requests}
        self.acknowledged: set[bytes] = set()
        self.given_up: set[bytes] = set()
        self.plain_left = 0
        self.resets = 0

    @property
    def is_done(self) -> bool:
        return not self.waiting

    def step(self, now: int) -> None:
        """Try to send the request at hand."""
        request = self.waiting[0]
        if len(self.tries[request]) >= MAX_TRIES:
            self._end(self.given_up)
        elif self.plain_left:
            self.tries[request].append(Try(now, None))
            answer = self.network.send_plain(request, self.encoder.stream_id)
            if answer is not None and answer.status == 200:
                self.plain_left -= 1
                self._end(self.acknowledged)
        else:
            self._send_frame(request, now)

    def _send_frame(self, request: bytes, now: int) -> None:
        if self.frame is None:
            self.frame = self.encoder.encode(request)
        answer, gateway = self.network.send(self.frame, self.encoder.stream_id)
        self.tries[request].append(Try(now, gateway.receiver, answer is not None and answer.is_damage))
        if answer is None or answer.status == 503:
            return  # the same bytes again
        if answer.status == 409:
            self.encoder.reset()
            self.frame = None
            self.resets += 1
        elif answer.status == 415:
            self.encoder.reset()
            self.frame = None
            self.plain_left = PLAIN_REQUESTS
        else:
            self.encoder.commit()
            decoder = gateway.decoders[self.encoder.stream_id]
            assert self.encoder.state_hash == decoder.state_hash, "both think that they are in step"
            self._end(self.acknowledged)

    def _end(self, outcome: set[bytes]) -> None:
        """Be done with the request at hand, for good or ill."""
        self.encoder.rollback()
        self.frame = None
        outcome.add(self.waiting.popleft())
