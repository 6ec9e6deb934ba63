"""Sends one request: retries, waits, gives up, and says why.

`OTLPClient.send` makes attempts until one is answered for good or the deadline is reached; what an attempt is, the
transport knows. Each round that ends in a retryable answer or in a connection failure is followed by a wait: what the
receiver asks for, or else exponential backoff. A wait that would pass the deadline is not begun.

A request on a connection that breaks before the answer, as a kept one does when the receiver has closed it meanwhile,
is repeated at once, one time per call. The same bytes are sent every time.

An attempt gets all the time that is left, so a timeout ends the call; the official exporters come to the same end.
The receiver may have taken such a request, and after a broken connection too: OTLP delivers at least once.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Protocol

from otlp_fast.exporter.body import Body
from otlp_fast.exporter.log_lines import RepeatedWarning
from otlp_fast.exporter.outcome import Outcome, Problem
from otlp_fast.exporter.retry import MAX_ROUNDS, backoff_seconds


class Transport(Protocol):
    """One way to a receiver. Safe to use from several threads."""

    def attempt(self, body: Body, timeout: float) -> Outcome | Problem:
        """Send `body` once and give the answer within `timeout` seconds."""

    def close(self) -> None:
        """Give up what is kept for further attempts, and cut off those under way."""

    def renew_after_fork(self) -> None:
        """Replace what a forked child must not share."""


class OTLPClient:
    """One receiver and the rules for sending to it. Safe to use from several threads.

    `signal` and `address` are for log lines.
    """

    def __init__(self, transport: Transport, signal: str, address: str, logger: logging.Logger) -> None:
        self._transport = transport
        self._signal = signal
        self._address = address
        self._stopped = threading.Event()
        self._transient = RepeatedWarning(logger)
        self._receivers_words = RepeatedWarning(logger)
        self._unreadable_response = RepeatedWarning(logger)

    def send(self, body: Body, deadline: float, max_rounds: int = MAX_ROUNDS) -> Outcome:
        """Send `body` and give the outcome before `deadline`, a value of `time.monotonic()`."""
        started = time.monotonic()
        attempts = 0
        rounds = 0
        reconnected = False
        problem = Problem("the deadline had passed", "DeadlineExceeded", retryable=True)
        ending = ""
        while (remaining := deadline - time.monotonic()) > 0:
            attempts += 1
            answer = self._transport.attempt(body, remaining)
            if isinstance(answer, Outcome):
                self._report_acceptance(answer)
                return answer
            problem = answer
            if not problem.retryable:
                break
            if problem.connection_broke and not reconnected:
                reconnected = True
                continue

            pause = backoff_seconds(rounds) if problem.retry_after is None else problem.retry_after
            rounds += 1
            if self._stopped.is_set():
                ending = ", the exporter was shut down"
                break
            if rounds >= max_rounds:
                break
            if pause > deadline - time.monotonic():
                ending = f", a wait of {pause:.1f} s would pass the deadline"
                break
            self._report_transient(problem, pause)
            if self._stopped.wait(pause):
                ending = ", the exporter was shut down during the wait for a retry"
                break
        elapsed = time.monotonic() - started
        return Outcome(
            delivered=False,
            explanation=f"{problem.explanation} ({_times(attempts)}, {elapsed:.1f} s{ending})",
            error_type=problem.error_type,
            status=problem.status,
            retry_after=problem.retry_after,
            receiver_unavailable=problem.retryable,
            too_large=problem.too_large,
            encoding_refused=problem.encoding_refused,
            state_lost=problem.state_lost,
        )

    def stop_waiting(self) -> None:
        """Wake waits for a retry, which fail then, and begin none any more. Attempts under way go on."""
        self._stopped.set()

    def close(self) -> None:
        """Cut off attempts under way, and have further ones fail."""
        self._transport.close()

    def renew_after_fork(self) -> None:
        """Replace connections and locks in a forked child."""
        stopped = self._stopped.is_set()
        self._stopped = threading.Event()
        if stopped:
            self._stopped.set()
        self._transport.renew_after_fork()

    def _report_acceptance(self, outcome: Outcome) -> None:
        self._transient.forget()
        problem, message = outcome.response_problem, outcome.explanation
        if problem:
            self._unreadable_response.log(problem, "%s accepted the request, but its %s", self._address, problem)
        if message and not outcome.rejected:
            self._receivers_words.log(message, "%s accepted the request and says: %s", self._address, message)

    def _report_transient(self, problem: Problem, pause: float) -> None:
        self._transient.log(
            problem.explanation,
            "Transient error while exporting %s to %s: %s; retrying in %.2f s",
            self._signal,
            self._address,
            problem.explanation,
            pause,
        )


def _times(attempts: int) -> str:
    return "1 attempt" if attempts == 1 else f"{attempts} attempts"
