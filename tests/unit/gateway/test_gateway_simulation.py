"""Seeded runs: senders, gateways, and a network that loses, repeats and damages. What arrives, and how often?"""

from __future__ import annotations

import random
from collections import Counter

import pytest
from aiohttp import web
from gateway_client import Client, Reply, gateway
from scripted_next_hop import NextHop, Received, answer, next_hop

from otlp_fast.reference import wire
from otlp_fast.tracezip import Encoder

pytestmark = pytest.mark.anyio

RUNS = 25
REQUESTS_PER_RUN = 40


def request_of(sender: int, number: int) -> bytes:
    """A request like no other: a resource without spans, and a field that no schema knows."""
    return b"\x0a\x00" + wire.varint_field(1000, sender << 32 | number)


class Sender:
    """Follows docs/tracezip-http.md, over a network that a test makes bad."""

    def __init__(self, number: int, chance: random.Random, replicas: list[Client]) -> None:
        self.number = number
        self.encoder = Encoder("traces")
        self._chance = chance
        self._replicas = replicas
        self.resets = 0

    async def deliver(self, request: bytes) -> None:
        frame = self.encoder.encode(request)
        answer_was_lost = False
        while True:
            reply = await self._send(frame, may_be_damaged=not answer_was_lost)
            if reply is None:
                answer_was_lost = True
            elif reply.status == 200:
                self.encoder.commit()
                return
            elif (reply.status, reply.state) == (409, "reset"):
                self.resets += 1
                self.encoder.reset()
                frame = self.encoder.encode(request)
                answer_was_lost = False
            else:
                assert reply.status in (429, 503), reply

    async def _send(self, frame: bytes, *, may_be_damaged: bool) -> Reply | None:
        client = self._chance.choice(self._replicas) if self._chance.random() < 0.1 else self._replicas[0]
        fate = self._chance.random()
        if fate < 0.1:
            return None  # never arrives
        if fate < 0.2 and may_be_damaged:
            place = self._chance.randrange(len(frame))
            frame = frame[:place] + bytes([frame[place] ^ 1 << self._chance.randrange(8)]) + frame[place + 1 :]
        reply = await client.post("/v1/traces", frame, "tracezip")
        if fate > 0.9:
            return None  # the answer is lost
        if fate > 0.8:
            repeated = await client.post("/v1/traces", frame, "tracezip")
            assert reply.status != 200 or (repeated.status, repeated.body) == (200, reply.body)
            return repeated
        return reply


def fails_now_and_then(hop: NextHop, chance: random.Random) -> None:
    async def answers(received: Received) -> web.StreamResponse:
        if chance.random() < 0.15:
            hop.received.remove(received)  # it did not take it
            return answer(chance.choice([429, 503]))
        return answer()

    hop.answers = answers


@pytest.mark.parametrize("seed", range(RUNS))
async def test_one_gateway_delivers_everything_exactly_once(seed: int) -> None:
    chance = random.Random(seed)
    async with next_hop() as hop, gateway(hop) as client:
        fails_now_and_then(hop, chance)
        sender = Sender(1, chance, [client])
        requests = [request_of(1, number) for number in range(REQUESTS_PER_RUN)]
        for request in requests:
            await sender.deliver(request)
    assert [body for _, body in hop.requests] == requests


@pytest.mark.parametrize("seed", range(RUNS))
async def test_gateways_that_share_nothing_lose_nothing(seed: int) -> None:
    chance = random.Random(seed)
    async with next_hop() as hop, gateway(hop) as here, gateway(hop, max_streams=1) as there:
        fails_now_and_then(hop, chance)
        senders = [Sender(number, chance, [here, there]) for number in range(3)]
        for number in range(REQUESTS_PER_RUN):
            for sender in senders:
                await sender.deliver(request_of(sender.number, number))
    arrived = Counter(body for _, body in hop.requests)
    sent = {request_of(sender.number, number) for sender in senders for number in range(REQUESTS_PER_RUN)}
    assert set(arrived) == sent
    assert sum(sender.resets for sender in senders) > 0
