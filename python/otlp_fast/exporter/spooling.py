"""Delivery with a spool: what could not be sent now is kept on disk and sent later, in order.

A request goes straight to the receiver while nothing waits on disk. What the receiver does not decide about, because
it is away or the exporter is shut down, is appended to the spool; from then on new requests go behind it. Each call
that delivers then also drains: it sends the oldest records, one attempt each, while the receiver answers. Two of them
in any case, so that the backlog shrinks, and more for as long as nobody called before, a second at most: who brings one
request after the other is not held up by what another process, or a night, has left there. After a failed attempt the
next one waits, longer each time up to a minute, or what the receiver asks for up to ten, and meanwhile calls come back
as soon as their request is on disk.

A record leaves the spool after the receiver has answered for good: accepted it, or refused it for a reason that
another try would not change. A process killed between the answer and the removal sends that record again.

Where the disk takes nothing, data goes before order: the request is sent at once, ahead of what waits there, and is
lost only if the receiver is away, too.
"""

from __future__ import annotations

import itertools
import threading
import time

from otlp_fast.exporter.accounting import SPOOL_FAILED, SPOOL_FULL, DeliveryReport
from otlp_fast.exporter.delivery import Delivery, Part
from otlp_fast.exporter.log_lines import RepeatedWarning
from otlp_fast.exporter.outcome import Outcome
from otlp_fast.exporter.retry import backoff_seconds
from otlp_fast.exporter.spool import Spool, SpooledRequest, SpoolError

MAX_PAUSE_SECONDS = 60.0

MAX_RETRY_AFTER_SECONDS = 600.0
"""How long the next attempt waits at most where the receiver asks for more than the pause would be."""

DRAIN_SECONDS = 1.0
"""How long a call that brings a request, or that has no timeout, goes on to begin sending from the spool."""

# More than the one that the call itself may have added.
_LEAST_DRAINED_RECORDS = 2

# The backoff doubles with each failure, and must not grow beyond what a float can hold.
_MAX_DOUBLINGS = 16


class SpooledDelivery:
    """Delivers through `delivery`, and keeps in `spool` what that could not decide. Safe to use from several threads.

    Never raises for the spool: what a broken disk costs is counted and logged. An error that should not be is raised
    when what could not be sent for it is kept.
    """

    def __init__(self, delivery: Delivery, spool: Spool, warnings: RepeatedWarning) -> None:
        self._delivery = delivery
        self._spool = spool
        self._warnings = warnings
        self._failures = 0
        self._next_attempt_at = 0.0
        self._idle_since = 0.0
        self.renew_after_fork()

    def renew_after_fork(self) -> None:
        """Replace the lock in a forked child. The spool renews itself."""
        # Reentrant, so that a signal handler does not wait for the call that it interrupted; the flag says of that.
        self._draining = threading.RLock()
        self._is_draining = False

    def deliver(self, whole: Part, deadline: float, report: DeliveryReport, drained: DeliveryReport) -> None:
        """Deliver or keep a request, accounted for in `report`; then send what was kept before, into `drained`."""
        idle = time.monotonic() - self._idle_since
        try:
            if self._is_empty():
                self._send_or_keep(whole, deadline, report)
                return
            try:
                self._keep_behind(whole, deadline, report, drained)
            except SpoolError as error:
                # Out of its order, or not at all. Nothing is drained: what was sent could not be removed.
                self._warn(error)
                self._send_or_keep(whole, deadline, report)
            else:
                self._drain(deadline, time.monotonic() + min(idle, DRAIN_SECONDS), drained)
        finally:
            self._idle_since = time.monotonic()

    def drain(self, deadline: float, drained: DeliveryReport, *, at_once: bool = False, is_brief: bool = False) -> bool:
        """Send what is on disk until `deadline`, oldest first, and give whether nothing is left.

        Where `at_once` is set, no pause after a failed attempt and no other thread keeps this call from trying. Where
        `is_brief` is set, no record is begun after a second, except the second one.
        """
        enough_at = time.monotonic() + DRAIN_SECONDS if is_brief else deadline
        return self._drain(deadline, enough_at, drained, at_once=at_once)

    def close(self) -> None:
        """Close the files. A call that is under way still, or comes later, opens them again."""
        try:
            self._spool.close()
        except SpoolError as error:
            self._warn(error)

    def _drain(self, deadline: float, enough_at: float, drained: DeliveryReport, *, at_once: bool = False) -> bool:
        if not at_once and time.monotonic() < self._next_attempt_at:
            return self._is_empty()
        if not self._draining.acquire(timeout=max(deadline - time.monotonic(), 0.0) if at_once else 0.0):
            return False
        try:
            if self._is_draining:
                return False
            self._is_draining = True
            try:
                self._send_records(deadline, enough_at, drained)
            finally:
                self._is_draining = False
        except SpoolError as error:
            self._warn(error)
        finally:
            self._draining.release()
        return self._is_empty()

    def _send_or_keep(self, whole: Part, deadline: float, report: DeliveryReport) -> None:
        undecided = self._delivery.attempt(whole, deadline, report)
        if undecided is None:
            self._reset_pause()
            return
        self._pause_longer(undecided.outcome)
        for part in undecided.parts:
            try:
                if not self._append(part, report):
                    report.lose(SPOOL_FULL, part.item_count, undecided.outcome.explanation, SPOOL_FULL)
            except SpoolError as error:
                report.lose(SPOOL_FAILED, part.item_count, str(error), type(error).__qualname__)
        if undecided.error is not None:
            raise undecided.error

    def _keep_behind(self, whole: Part, deadline: float, report: DeliveryReport, drained: DeliveryReport) -> None:
        """Keep `whole` behind what is on disk. Where that is full, the receiver may be back and make room."""
        while not self._append(whole, report):
            before = drained.accounted
            self._drain(deadline, 0.0, drained)
            if drained.accounted == before:
                report.lose(SPOOL_FULL, whole.item_count, "", SPOOL_FULL)
                return

    def _send_records(self, deadline: float, enough_at: float, drained: DeliveryReport) -> None:
        for sent in itertools.count():
            now = time.monotonic()
            if now >= deadline or (sent >= _LEAST_DRAINED_RECORDS and now >= enough_at):
                return
            if (record := self._spool.claim()) is None or not self._send(record, deadline, drained):
                return

    def _send(self, record: SpooledRequest, deadline: float, drained: DeliveryReport) -> bool:
        """Give whether the receiver answered for the whole record."""
        before = drained.accounted
        whole = Part(record.request, record.item_count)
        try:
            undecided = self._delivery.attempt(whole, deadline, drained, max_rounds=1)
        except BaseException:
            self._spool.release(record)
            raise
        if undecided is None:
            self._spool.remove(record)
            self._reset_pause()
            return True
        self._pause_longer(undecided.outcome)
        if drained.accounted == before:
            self._spool.release(record)
        else:
            # Cut in parts, of which the receiver took some: only the others are for another time. Requests one behind
            # the other are one request, so they take the place of the whole.
            rest = b"".join(bytes(part.request) for part in undecided.parts)
            self._spool.replace(record, rest, sum(part.item_count for part in undecided.parts))
        if undecided.error is not None:
            raise undecided.error
        return False

    def _append(self, part: Part, report: DeliveryReport) -> bool:
        """Give False where the spool is full; otherwise the part is in it and accounted for."""
        is_kept = self._spool.append(part.request, part.item_count)
        if is_kept:
            report.spooled += part.item_count
        return is_kept

    def _is_empty(self) -> bool:
        """Whether nothing waits on disk, as far as can be seen: a broken disk keeps nobody from sending."""
        try:
            return len(self._spool) == 0
        except SpoolError as error:
            self._warn(error)
            return True

    def _reset_pause(self) -> None:
        self._failures = 0
        self._next_attempt_at = 0.0

    def _pause_longer(self, outcome: Outcome) -> None:
        pause = min(backoff_seconds(min(self._failures, _MAX_DOUBLINGS)), MAX_PAUSE_SECONDS)
        if outcome.retry_after is not None:
            pause = max(pause, min(outcome.retry_after, MAX_RETRY_AFTER_SECONDS))
        self._failures += 1
        self._next_attempt_at = time.monotonic() + pause

    def _warn(self, error: SpoolError) -> None:
        self._warnings.log(str(error), "Spooled requests cannot be kept or sent: %s", error)
