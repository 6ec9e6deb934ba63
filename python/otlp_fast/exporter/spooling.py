"""Delivery with a spool: what could not be sent now is kept on disk and sent later, in order.

A request goes straight to the receiver while nothing waits on disk. What the receiver does not decide about, because
it is away or the exporter is shut down, is appended to the spool; from then on new requests go behind it. Each call
that delivers then also drains: it sends the oldest record, one attempt each, while the receiver answers and until the
call's deadline. After a failed attempt the next one waits, longer each time up to a minute, and meanwhile calls come
back as soon as their request is on disk.

A record leaves the spool after the receiver has answered for good: accepted it, or refused it for a reason that
another try would not change. A process killed between the answer and the removal sends that record again.
"""

from __future__ import annotations

import threading
import time

from otlp_fast.exporter.accounting import SPOOL_FAILED, SPOOL_FULL, DeliveryReport
from otlp_fast.exporter.delivery import Delivery, Part, Undecided
from otlp_fast.exporter.log_lines import RepeatedWarning
from otlp_fast.exporter.retry import backoff_seconds
from otlp_fast.exporter.spool import Spool, SpooledRequest, SpoolError

MAX_PAUSE_SECONDS = 60.0

# The backoff doubles with each failure, and must not grow beyond what a float can hold.
_MAX_DOUBLINGS = 16


class SpooledDelivery:
    """Delivers through `delivery`, and keeps in `spool` what that could not decide. Safe to use from several threads.

    Never raises for the spool: what a broken disk costs is counted and logged.
    """

    def __init__(self, delivery: Delivery, spool: Spool, warnings: RepeatedWarning) -> None:
        self._delivery = delivery
        self._spool = spool
        self._warnings = warnings
        self._failures = 0
        self._next_attempt_at = 0.0
        self._draining = threading.Lock()

    def renew_after_fork(self) -> None:
        """Replace the lock in a forked child. The spool renews itself."""
        self._draining = threading.Lock()

    def deliver(self, whole: Part, deadline: float, report: DeliveryReport, drained: DeliveryReport) -> None:
        """Deliver or keep a request, accounted for in `report`; then send what was kept before, into `drained`."""
        if self._is_empty():
            undecided = self._delivery.attempt(whole, deadline, report)
            if undecided is None:
                self._reset_pause()
                return
            self._pause_longer()
            for part in undecided.parts:
                self._keep(part, undecided, report)
            return
        if not self._append(whole, report):
            # The receiver may be back and make room.
            self.drain(deadline, drained)
            self._keep(whole, None, report)
        self.drain(deadline, drained)

    def drain(self, deadline: float, drained: DeliveryReport, *, at_once: bool = False) -> bool:
        """Send what is on disk until `deadline`, oldest first, and give whether nothing is left.

        Where `at_once` is set, no pause after a failed attempt and no other thread keeps this call from trying.
        """
        if not at_once and time.monotonic() < self._next_attempt_at:
            return self._is_empty()
        if not self._draining.acquire(timeout=max(deadline - time.monotonic(), 0.0) if at_once else 0.0):
            return False
        try:
            while time.monotonic() < deadline and (record := self._spool.claim()) is not None:
                if not self._send(record, deadline, drained):
                    break
        except SpoolError as error:
            self._warn(error)
        finally:
            self._draining.release()
        return self._is_empty()

    def close(self) -> None:
        """Close the files. A call that is under way still, or comes later, opens them again."""
        try:
            self._spool.close()
        except SpoolError as error:
            self._warn(error)

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
        self._pause_longer()
        if drained.accounted == before:
            self._spool.release(record)
        else:
            # Cut in parts, of which the receiver took some: only the others are for another time. Requests one behind
            # the other are one request, so they take the place of the whole.
            rest = b"".join(bytes(part.request) for part in undecided.parts)
            self._spool.replace(record, rest, sum(part.item_count for part in undecided.parts))
        return False

    def _keep(self, part: Part, undecided: Undecided | None, report: DeliveryReport) -> None:
        if not self._append(part, report):
            explanation = undecided.outcome.explanation if undecided else ""
            report.lose(SPOOL_FULL, part.item_count, explanation, SPOOL_FULL)

    def _append(self, part: Part, report: DeliveryReport) -> bool:
        """Give False where the spool is full, and account for the part in all other cases."""
        try:
            if not self._spool.append(part.request, part.item_count):
                return False
            report.spooled += part.item_count
        except SpoolError as error:
            report.lose(SPOOL_FAILED, part.item_count, str(error), type(error).__qualname__)
        return True

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

    def _pause_longer(self) -> None:
        pause = min(backoff_seconds(min(self._failures, _MAX_DOUBLINGS)), MAX_PAUSE_SECONDS)
        self._failures += 1
        self._next_attempt_at = time.monotonic() + pause

    def _warn(self, error: SpoolError) -> None:
        self._warnings.log(str(error), "Spooled requests cannot be sent: %s", error)
