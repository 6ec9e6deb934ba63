"""Delivers one request: cuts it where it is too large, sends it, and accounts for every item in it.

What is delivered are bytes. A request over the exporter's own size limit is cut before it is sent; one that the
receiver refuses for its size is halved, down to single items. Both cut the bytes of the request: nothing is encoded
a second time, and the SDK's objects are gone by then. What a receiver rejects out of an accepted request is counted.

After a receiver was unavailable the rest of the request is not tried: each part would only wait for the same deadline.
"""

from __future__ import annotations

from typing import NamedTuple

from otlp_fast import Buffer, EncodeError
from otlp_fast._core import split_request
from otlp_fast.exporter.accounting import FAILED, REJECTED_BY_RECEIVER, TOO_LARGE, DeliveryReport
from otlp_fast.exporter.compressing import Sender
from otlp_fast.exporter.outcome import Outcome
from otlp_fast.exporter.retry import MAX_ROUNDS

# The official exporter's exception of this name is what its metrics show as error.type for a request over the limit.
_TOO_LARGE_ERROR_TYPE = "RequestPayloadTooLargeError"


class Part(NamedTuple):
    """A request, or a piece of one, which is a request too."""

    request: bytes | Buffer
    item_count: int


class Undecided(NamedTuple):
    """What the receiver did not decide about, in order, and how the first part of it ended."""

    parts: list[Part]
    outcome: Outcome
    error: BaseException | None = None
    """What should not have been raised in place of an outcome, or an exit of the user's."""


class Delivery:
    """Delivers the requests of one signal through one sender.

    Args:
        sender: What encodes and sends.
        signal: Name of the signal.
        max_bytes: Bytes of a request before compression; 0 is no limit.
        max_items: Items in a request; 0 is no limit.
    """

    def __init__(self, sender: Sender, signal: str, max_bytes: int, max_items: int) -> None:
        self._sender = sender
        self._signal = signal
        self._max_bytes = max_bytes
        self._max_items = max_items

    def deliver(self, whole: Part, deadline: float, report: DeliveryReport) -> None:
        """Deliver a request before `deadline`, a value of `time.monotonic()`, and account for it in `report`."""
        undecided = self.attempt(whole, deadline, report)
        if undecided is not None:
            if undecided.error is not None:
                raise undecided.error
            count = sum(part.item_count for part in undecided.parts)
            report.lose(FAILED, count, undecided.outcome.explanation, undecided.outcome.error_type)

    def attempt(
        self, whole: Part, deadline: float, report: DeliveryReport, max_rounds: int = MAX_ROUNDS
    ) -> Undecided | None:
        """Do as `deliver`, but give back what the receiver did not decide about: that is not in `report`."""
        # A stack of what is still to be sent, first part on top.
        parts = self._cut_to_limits(whole)
        while parts:
            part = parts.pop()
            try:
                outcome = self._send(part, deadline, max_rounds)
            except BaseException as error:
                name = type(error).__qualname__
                outcome = Outcome(delivered=False, explanation=f"{name}: {error}", error_type=name)
                return Undecided([part, *reversed(parts)], outcome, error)
            if outcome.delivered:
                _count_delivered(part.item_count, outcome, report)
                continue
            report.status = report.status or outcome.status
            if outcome.receiver_unavailable:
                return Undecided([part, *reversed(parts)], outcome)
            halves = self._halve(part) if outcome.too_large else [part]
            if len(halves) > 1:
                parts += halves
            else:
                reason = TOO_LARGE if outcome.too_large else FAILED
                report.lose(reason, part.item_count, outcome.explanation, outcome.error_type)
        return None

    def _send(self, part: Part, deadline: float, max_rounds: int) -> Outcome:
        size = len(part.request)
        if 0 < self._max_bytes < size:
            explanation = f"{size} bytes exceed max_request_size {self._max_bytes}"
            return Outcome(delivered=False, explanation=explanation, error_type=_TOO_LARGE_ERROR_TYPE, too_large=True)
        return self._sender.send(part.request, deadline, max_rounds)

    def _cut_to_limits(self, whole: Part) -> list[Part]:
        if not (0 < self._max_bytes < len(whole.request) or 0 < self._max_items < whole.item_count):
            return [whole]
        try:
            return self._cut(whole, max_bytes=self._max_bytes, max_items=self._max_items)
        except EncodeError:
            # A large resource around many small items: repeated in each part it would not fit in memory. Halves do.
            return [whole]

    def _halve(self, part: Part) -> list[Part]:
        """Cut `part` in two, or give it alone where it cannot be cut."""
        return self._cut(part, max_items=(part.item_count + 1) // 2) if part.item_count > 1 else [part]

    def _cut(self, part: Part, *, max_bytes: int = 0, max_items: int = 0) -> list[Part]:
        """Give the pieces of `part`, the first one last."""
        pieces = split_request(part.request, self._signal, max_bytes=max_bytes, max_items=max_items)
        return [Part(*piece) for piece in reversed(pieces)]


def _count_delivered(count: int, outcome: Outcome, report: DeliveryReport) -> None:
    # A receiver may answer any number; no more than was sent can have been rejected.
    rejected = min(outcome.rejected, count)
    report.exported += count - rejected
    if rejected:
        report.lose(REJECTED_BY_RECEIVER, rejected, outcome.explanation, "rejected")
