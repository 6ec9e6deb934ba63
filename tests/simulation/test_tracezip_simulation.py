"""Thousands of streams over a network that does its worst: nothing is lost, and nothing comes twice that could be told.

Each run is a few senders and two gateways behind a balancer, seeded. Every request must come out byte for byte at the
next hop, or be counted as given up by its sender.

A request may come out twice where nobody can know better. When the answer to a frame is lost, its sender asks again,
and the receiver that took the frame would answer as it did. It cannot where, in between,

- the stream **moved**: the frame, or a late copy of it, came to another gateway or a restarted one;
- a **damaged** repeat arrived: what it repeats cannot be read, so it costs a reset, and the request comes as another
  frame;
- the sender went on without tracezip (**plain**), where repeats cannot be told.

Each delivery past the first must be one of these: they are counted, and any other fails the run. The same frame is
never delivered twice by one receiver.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from random import Random
from typing import NamedTuple

import pytest

from otlp_fast.tracezip import Decoder, read_header
from tests.simulation.network import Faults, Network
from tests.simulation.receivers import Answer, Delivery, Gateway, NextHop
from tests.simulation.senders import Sender, Try
from tests.tracezip_requests import Service

RUNS = 300
"""Runs for each kind of trouble."""


@cache
def requests_of(seed: int) -> list[bytes]:
    """Requests of a few spans that have much in common; each is made once."""
    service = Service(seed)
    return list(dict.fromkeys(service.request("traces", 1 + number % 4) for number in range(10)))


class Outcome(NamedTuple):
    """What became of all requests of a run."""

    sent: int
    given_up: int
    resets: int
    twice: Counter[str]
    """Deliveries past the first, by why nobody could know."""


def simulate(seed: int, faults: Faults, gateway_type: type[Gateway] = Gateway) -> Outcome:
    """Run until every sender is done, and hold what came out against what went in."""
    random = Random(seed)
    next_hop = NextHop(random, faults.next_hop)
    gateways = [gateway_type(name, next_hop) for name in ("one", "other")]
    network = Network(random, faults, gateways)
    senders = [
        Sender(requests_of(random.randrange(40) * 2 + number), random.randbytes(16), network) for number in range(2)
    ]
    while waiting := [sender for sender in senders if not sender.is_done]:
        next_hop.now += 1
        random.choice(waiting).step(next_hop.now)
        network.deliver_late()
        if random.random() < faults.restart:
            random.choice(gateways).restart(knows_tracezip=random.random() < 0.8)

    deliveries: dict[bytes, list[Delivery]] = {}
    for delivery in next_hop.deliveries:
        deliveries.setdefault(delivery.request, []).append(delivery)
    twice: Counter[str] = Counter()
    for sender in senders:
        for request in sender.acknowledged:
            assert request in deliveries, "lost"
        for request, tries in sender.tries.items():
            times = deliveries.pop(request, [])
            assert times or request in sender.given_up, "neither delivered nor counted"
            twice.update(why_again(number, times, tries) for number in range(1, len(times)))
    assert not deliveries, "something came out that nobody sent"
    return Outcome(
        sent=sum(len(sender.tries) for sender in senders),
        given_up=sum(len(sender.given_up) for sender in senders),
        resets=sum(sender.resets for sender in senders),
        twice=twice,
    )


def simulate_all(faults: Faults, gateway_type: type[Gateway] = Gateway) -> list[Outcome]:
    """Run with each seed."""
    return [simulate(seed, faults, gateway_type) for seed in range(RUNS)]


def why_again(number: int, deliveries: list[Delivery], tries: list[Try]) -> str:
    """Why nobody could know that a request had been delivered before."""
    again = deliveries[number]
    before = [delivery for delivery in deliveries[:number] if delivery.receiver == again.receiver]
    if not before:
        return "moved"
    known = "delivered twice by a receiver that could have known"
    assert again.frame is None or again.frame not in [delivery.frame for delivery in before], known
    # It came as another frame: something made the sender encode it again.
    earlier = [attempt for attempt in tries if attempt.at <= again.at]
    if any(attempt.receiver is None for attempt in earlier):
        return "plain"
    if any(attempt.receiver != again.receiver for attempt in earlier):
        return "moved"
    assert any(attempt.is_damage for attempt in earlier), known
    return "damaged"


TROUBLES = {
    "drops": Faults(drop=0.3),
    "lost answers": Faults(lost_answer=0.3),
    "late copies": Faults(late_copy=0.5, lost_answer=0.2, drop=0.2),
    "a failing next hop": Faults(next_hop=0.4, lost_answer=0.2),
    "damage": Faults(damage=0.3, lost_answer=0.2),
    "a restless balancer": Faults(move=0.4, lost_answer=0.2, late_copy=0.2),
    "restarts": Faults(restart=0.2, lost_answer=0.2),
    "all of it": Faults(0.15, 0.15, 0.3, 0.15, 0.2, 0.1, 0.2),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_nothing_is_lost_and_nothing_comes_twice_that_could_be_told(trouble: str) -> None:
    faults = TROUBLES[trouble]
    outcomes = simulate_all(faults)
    twice = sum((outcome.twice for outcome in outcomes), Counter())
    # Where streams neither move nor break, answers are known: then nothing comes twice at all.
    expected = set()
    if faults.move or faults.restart:
        expected.add("moved")
    if faults.restart:
        expected.add("plain")
    if faults.damage:
        expected.add("damaged")
    assert set(twice) == expected
    assert sum(outcome.given_up for outcome in outcomes) < sum(outcome.sent for outcome in outcomes) / 4


def test_without_trouble_every_request_is_one_frame() -> None:
    for seed in range(20):
        outcome = simulate(seed, Faults())
        assert (outcome.given_up, outcome.resets, outcome.twice) == (0, 0, Counter())


class CommitsTooEarly(Gateway):
    """Takes a frame for good before the next hop has its request."""

    def deliver(self, request: bytes, frame: bytes, decoder: Decoder) -> Answer:
        decoder.commit()
        return Answer(200 if self.next_hop.take(request, self.receiver, frame) else 503)


class KnowsNoRepeats(Gateway):
    """Asks for a reset where a frame comes again."""

    def answer_repeat(self) -> Answer:
        return Answer(409)


class ForgetsToCommit(Gateway):
    """Never takes a frame for good."""

    def deliver(self, request: bytes, frame: bytes, decoder: Decoder) -> Answer:
        return Answer(200 if self.next_hop.take(request, self.receiver, frame) else 503)


class TakesEveryReset(Gateway):
    """Begins anew whenever a frame says so, even if it is older than what was taken since."""

    def take(self, frame: bytes, stream: bytes) -> Answer:
        if read_header(frame).is_reset:
            self.decoders.pop(stream, None)
        return super().take(frame, stream)


@pytest.mark.parametrize(
    ("broken", "finding"),
    [
        (CommitsTooEarly, "lost"),
        (KnowsNoRepeats, "could have known"),
        (ForgetsToCommit, "in step"),
        (TakesEveryReset, "could have known"),
    ],
)
def test_receivers_that_break_the_protocol_are_found(broken: type[Gateway], finding: str) -> None:
    faults = Faults(next_hop=0.3, lost_answer=0.3, late_copy=0.3)
    with pytest.raises(AssertionError, match=finding):
        simulate_all(faults, broken)
