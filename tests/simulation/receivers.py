"""Receivers of tracezip frames behind a balancer, and the next hop that they deliver to."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from otlp_fast.tracezip import CompressionError, Decoder, Limits, RepeatedFrameError, StateLostError

LIMITS = Limits(max_state=64 << 10)


class Answer(NamedTuple):
    """What a sender is told."""

    status: int
    is_damage: bool = False
    """What only the simulation knows: the frame had been damaged on its way."""


class Delivery(NamedTuple):
    """A request that the next hop took."""

    request: bytes
    receiver: tuple[str, int]
    """By whom: a gateway, and how often it had been restarted. A gateway that was restarted is another one."""
    frame: bytes | None
    """The frame that it came in; None for plain OTLP."""
    at: int
    """When, in steps of the simulation."""


class NextHop:
    """Takes requests, but not always."""

    def __init__(self, random: Random, failing: float) -> None:
        self.random = random
        self.failing = failing
        self.deliveries: list[Delivery] = []
        self.now = 0

    def take(self, request: bytes, receiver: tuple[str, int], frame: bytes | None) -> bool:
        if self.random.random() < self.failing:
            return False
        self.deliveries.append(Delivery(request, receiver, frame, self.now))
        return True


class Gateway:
    """A receiver with a table of streams, which does what docs/tracezip-http.md says."""

    def __init__(self, name: str, next_hop: NextHop) -> None:
        self.name = name
        self.next_hop = next_hop
        self.restarts = 0
        self.knows_tracezip = True
        self.decoders: dict[bytes, Decoder] = {}

    @property
    def receiver(self) -> tuple[str, int]:
        return self.name, self.restarts

    def restart(self, knows_tracezip: bool) -> None:
        """Forget all streams, and come back as a version that takes frames or one that does not."""
        self.restarts += 1
        self.knows_tracezip = knows_tracezip
        self.decoders.clear()

    def take(self, frame: bytes, stream: bytes) -> Answer:
        """Answer a frame of a stream, which is known from the connection: damage does not lead to another's state."""
        if not self.knows_tracezip:
            return Answer(415)
        decoder = self.decoders.setdefault(stream, Decoder(LIMITS))
        try:
            request = decoder.decode(frame)
        except RepeatedFrameError:
            return self.answer_repeat()
        except StateLostError:
            return Answer(409)
        except CompressionError:
            return Answer(409, is_damage=True)
        return self.deliver(request, frame, decoder)

    def answer_repeat(self) -> Answer:
        """Only success is committed, so there is only one answer that a repeat can have."""
        return Answer(200)

    def deliver(self, request: bytes, frame: bytes, decoder: Decoder) -> Answer:
        if self.next_hop.take(request, self.receiver, frame):
            decoder.commit()
            return Answer(200)
        decoder.rollback()
        return Answer(503)

    def take_plain(self, request: bytes) -> Answer:
        """Answer a request that is no frame."""
        return Answer(200 if self.next_hop.take(request, self.receiver, None) else 503)
