"""A network and a balancer that do what networks do: drop, repeat, delay, cut, damage; and lose answers."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from tests.simulation.receivers import Answer, Gateway


class Faults(NamedTuple):
    """How often what goes wrong, as probabilities."""

    drop: float = 0.0
    damage: float = 0.0
    late_copy: float = 0.0
    lost_answer: float = 0.0
    move: float = 0.0
    restart: float = 0.0
    next_hop: float = 0.0


class Network:
    """Brings frames to one of the gateways, mostly the same."""

    def __init__(self, random: Random, faults: Faults, gateways: list[Gateway]) -> None:
        self.random = random
        self.faults = faults
        self.gateways = gateways
        self.chosen: dict[bytes, Gateway] = {}
        self.copies: list[tuple[bytes, bytes]] = []
        self.late_copies_taken = 0

    def _happens(self, probability: float) -> bool:
        return self.random.random() < probability

    def gateway_of(self, stream: bytes) -> Gateway:
        """Where the balancer sends a stream, which may change with each frame."""
        if stream not in self.chosen or self._happens(self.faults.move):
            self.chosen[stream] = self.random.choice(self.gateways)
        return self.chosen[stream]

    def send(self, frame: bytes, stream: bytes) -> tuple[Answer | None, Gateway]:
        """Give the answer to a frame, None where none comes back; and the gateway, which only the simulation knows."""
        gateway = self.gateway_of(stream)
        if self._happens(self.faults.late_copy):
            self.copies.append((frame, stream))
        if self._happens(self.faults.drop):
            return None, gateway
        answer = gateway.take(self._damaged(frame), stream)
        return (None if self._happens(self.faults.lost_answer) else answer), gateway

    def send_plain(self, request: bytes, stream: bytes) -> Answer | None:
        """Give the answer to a request that is no frame."""
        if self._happens(self.faults.drop):
            return None
        answer = self.gateway_of(stream).take_plain(request)
        return None if self._happens(self.faults.lost_answer) else answer

    def deliver_late(self) -> None:
        """Bring a copy of an earlier frame to wherever the balancer now thinks it belongs; nobody hears the answer."""
        if self.copies and self._happens(0.3):
            frame, stream = self.copies.pop(self.random.randrange(len(self.copies)))
            answer = self.gateway_of(stream).take(frame, stream)
            self.late_copies_taken += answer.status == 200

    def _damaged(self, frame: bytes) -> bytes:
        if not self._happens(self.faults.damage):
            return frame
        if self._happens(0.5):
            return frame[: self.random.randrange(len(frame))]
        changed = bytearray(frame)
        for _ in range(self.random.randrange(1, 4)):
            changed[self.random.randrange(len(frame))] ^= self.random.randrange(1, 256)
        return bytes(changed)
