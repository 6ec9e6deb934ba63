"""When the official client tries again, for how long it waits, and what a further attempt is given of the timeout.

Time here is that of a clock which only waits and attempts move.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import pytest

from otlp_fast.exporter import client as client_module
from otlp_fast.exporter import retry
from otlp_fast.exporter.body import Body
from otlp_fast.exporter.client import OTLPClient
from otlp_fast.exporter.outcome import Outcome, Problem, accepted

UNAVAILABLE = Problem("503 Service Unavailable", "503", retryable=True)
REFUSED = Problem("400 Bad Request", "400")
STALE = Problem("the connection broke", "ProtocolError", retryable=True, connection_broke=True)
ACCEPTED = accepted(b"")


@dataclass
class Clock:
    """The time, the waits for a retry, and whether the exporter was shut down."""

    now: float = 1000.0
    waits: list[float] = field(default_factory=list)
    stopped: bool = False

    def monotonic(self) -> float:
        return self.now

    def is_set(self) -> bool:
        return self.stopped

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.now += seconds
        return self.stopped


@dataclass
class ScriptedTransport:
    """Gives the next of `answers`, each after `seconds`."""

    clock: Clock
    answers: list[Outcome | Problem]
    seconds: float = 0.0
    timeouts: list[float] = field(default_factory=list)

    def attempt(self, body: Body, timeout: float) -> Outcome | Problem:
        self.timeouts.append(round(timeout, 6))
        self.clock.now += self.seconds
        return self.answers.pop(0)

    def close(self, timeout: float) -> None:
        """Do nothing."""

    def renew_after_fork(self) -> None:
        """Do nothing."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(client_module, "time", clock)
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 1.0)
    monkeypatch.setattr(retry, "BACKOFF_JITTER", 0.0)
    return clock


def send(
    clock: Clock, *answers: Outcome | Problem, timeout: float, seconds: float = 0.0
) -> tuple[Outcome, ScriptedTransport]:
    transport = ScriptedTransport(clock, list(answers), seconds)
    client = OTLPClient(transport, "traces", "collector", logging.getLogger("otlp_fast.exporter.test"))
    client._stopped = clock  # type: ignore[assignment]
    return client.send(Body(b"request", "none"), clock.now + timeout), transport


def test_six_attempts_are_made_with_doubling_waits(clock: Clock) -> None:
    outcome, transport = send(clock, *[UNAVAILABLE] * 7, timeout=1000)
    assert not outcome.delivered
    assert len(transport.timeouts) == 6
    assert clock.waits == [1, 2, 4, 8, 16]


def test_each_attempt_gets_what_is_left_of_the_timeout(clock: Clock) -> None:
    outcome, transport = send(clock, UNAVAILABLE, UNAVAILABLE, ACCEPTED, timeout=10)
    assert outcome.delivered
    assert transport.timeouts == [10, 9, 7]


def test_wait_that_would_pass_the_timeout_is_not_begun(clock: Clock) -> None:
    outcome, transport = send(clock, UNAVAILABLE, UNAVAILABLE, UNAVAILABLE, timeout=1.5)
    assert not outcome.delivered
    assert transport.timeouts == [1.5, 0.5]
    assert clock.waits == [1]


def test_broken_connection_is_tried_again_at_once_with_the_time_that_is_left(clock: Clock) -> None:
    outcome, transport = send(clock, STALE, ACCEPTED, timeout=5, seconds=2)
    assert outcome.delivered
    assert transport.timeouts == [5, 3]
    assert clock.waits == []


def test_connection_that_keeps_breaking_is_waited_for(clock: Clock) -> None:
    outcome, transport = send(clock, *[STALE] * 10, timeout=1000)
    assert not outcome.delivered
    assert len(transport.timeouts) == 7
    assert clock.waits == [1, 2, 4, 8, 16]


@pytest.mark.parametrize(("asked", "waits"), [(5.0, [5]), (0.0, [0]), (30.0, [30]), (None, [1])])
def test_receivers_wish_replaces_the_backoff(clock: Clock, asked: float | None, waits: list[float]) -> None:
    problem = Problem("429 Too Many Requests", "429", retryable=True, retry_after=asked)
    outcome, _ = send(clock, problem, ACCEPTED, timeout=60)
    assert outcome.delivered
    assert clock.waits == waits


def test_receivers_wish_past_the_timeout_ends_the_call(clock: Clock) -> None:
    problem = Problem("503 Service Unavailable", "503", retryable=True, retry_after=10)
    outcome, transport = send(clock, problem, ACCEPTED, timeout=3)
    assert not outcome.delivered
    assert (len(transport.timeouts), clock.waits) == (1, [])


def test_refusal_ends_the_call(clock: Clock) -> None:
    outcome, transport = send(clock, REFUSED, ACCEPTED, timeout=60)
    assert not outcome.delivered
    assert (len(transport.timeouts), clock.waits) == (1, [])


def test_exporter_that_was_shut_down_during_the_attempt_does_not_wait(clock: Clock) -> None:
    clock.stopped = True
    outcome, transport = send(clock, UNAVAILABLE, ACCEPTED, timeout=60)
    assert not outcome.delivered
    assert "the exporter was shut down" in outcome.explanation
    assert (len(transport.timeouts), clock.waits) == (1, [])
