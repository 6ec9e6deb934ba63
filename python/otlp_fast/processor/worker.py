"""The queue of a processor and the thread that empties it.

The queue encodes: what is in it are requests, the last one still open. The thread sleeps until a request is sealed, or
until it is time to seal the open one; it sends what is sealed, and everything that takes time happens in it: the
network, the spool, log lines. Other threads talk to it by messages, over a `SimpleQueue` because that one may be put
to from anywhere, even from a signal handler or a finalizer that ends a span inside another `put`; an `Event` would
deadlock there.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Protocol

from otlp_fast import Buffer
from otlp_fast._sdk import LogQueue, SpanQueue
from otlp_fast.exporter.log_lines import LossLog
from otlp_fast.exporter.suppression import instrumentation_suppressed
from otlp_fast.processor.configuration import BatchSettings
from otlp_fast.processor.drop_log import DROPPED_AT_SHUTDOWN, DROPPED_QUEUE_FULL, REFUSED_BY_ENCODER, DropLog

AFTER_SHUTDOWN = "after_shutdown"
HANDED_TO_EXPORTER = "handed_to_exporter"

# A request is sealed at this size, however few items are in it: receivers over gRPC take 4 MiB.
_BATCH_BYTES = 3 * 1024 * 1024

# An exporter sends from its spool for a second, and more of it then. One that is back sooner had to stop.
_BRIEF_DRAIN_SECONDS = 0.5


class RequestExporter(Protocol):
    """What a processor needs of an exporter; every exporter of `otlp_fast.exporter` has it."""

    @property
    def has_spool(self) -> bool:
        """Whether what cannot be sent is kept on disk."""

    def export_request(self, request: bytes | Buffer, item_count: int, *, timeout: float | None = None) -> bool:
        """Deliver an encoded request within `timeout` seconds, and account for its items."""

    def drain_spool(self, timeout: float | None = None) -> bool:
        """Send what is in the spool for about a second, and give whether nothing is left there."""

    def force_flush(self, timeout_millis: float = 30_000) -> bool:
        """Send what is in the spool at once, and give whether nothing is left there."""

    def shutdown(self, timeout_millis: float = 30_000) -> None:
        """End within `timeout_millis`."""


class _Flush:
    """A thread that waits until everything that was added so far is sent."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.done = threading.Event()
        self.succeeded = False


class Worker:
    """A queue of encoded requests and the thread that hands them to an exporter.

    Args:
        queue_type: The queue of the signal.
        exporter: Takes the requests.
        settings: Of the processor.
        items: What the items are called in log lines.
        logger: Where these go.
    """

    def __init__(
        self,
        queue_type: type[SpanQueue] | type[LogQueue],
        exporter: RequestExporter,
        settings: BatchSettings,
        items: str,
        logger: logging.Logger,
    ) -> None:
        self._exporter = exporter
        self._settings = settings
        self._items = items
        limits = f"at most {settings.max_queue_size} items and {settings.max_queue_bytes} bytes are kept"
        self._drops = DropLog(logger, items, limits, self.stats)
        self._failures = LossLog(logger, items)
        self._handed_to_exporter = 0
        self._dropped_at_shutdown = 0
        self._stop_at: float | None = None
        self.queue = queue_type(
            max_items=settings.max_queue_size,
            max_bytes=settings.max_queue_bytes,
            batch_items=settings.max_export_batch_size,
            batch_bytes=min(_BATCH_BYTES, settings.max_queue_bytes),
            on_sealed=self._wake,
        )
        self._prepare()
        try:
            self._start()
        except RuntimeError as error:
            message = "The worker of a processor cannot be started yet"
            self._failures.log(logging.ERROR, 0, message, error=error)

    def flush(self, deadline: float) -> bool:
        """Wait until everything that was added before is handed over and the spool is empty, or until `deadline`."""
        flush = _Flush(deadline)
        self._messages.put(flush)
        if not self._is_started():
            return False
        flush.done.wait(max(deadline - time.monotonic(), 0.0))
        return flush.succeeded

    def stop(self, deadline: float) -> None:
        """End the thread once everything is sent, or at `deadline`; what is left then is dropped, or spooled.

        The thread may still be in a request at the deadline. It ends after that one, whose exporter accounts for it.
        """
        self._stop_at = deadline
        self._wake()
        if self._is_started() and self._thread is not threading.current_thread():
            self._thread.join(max(deadline - time.monotonic(), 0.0))
        self._abandon_queue()
        self._drops.log(at_once=True)

    def stats(self) -> dict[str, int]:
        """Give how many items became what."""
        queue = self.queue
        return {
            "accepted": queue.accepted_count,
            DROPPED_QUEUE_FULL: queue.dropped_count,
            REFUSED_BY_ENCODER: queue.refused_count,
            AFTER_SHUTDOWN: queue.late_count,
            HANDED_TO_EXPORTER: self._handed_to_exporter,
            DROPPED_AT_SHUTDOWN: self._dropped_at_shutdown,
            "queued_items": queue.item_count,
            "queued_bytes": queue.byte_count,
        }

    def renew_after_fork(self) -> None:
        """Begin with an empty queue and a thread of its own in a forked child: the parent sends what was in it.

        Raises RuntimeError where there can be no thread now. The next request that is sealed, or flush, tries again.
        """
        self.queue.clear()
        self._handed_to_exporter = self._dropped_at_shutdown = 0
        self._drops.begin_anew()
        self._failures.renew_after_fork()
        self._prepare()
        # Of a processor that was shut down the thread ends at once.
        self._start()

    def _prepare(self) -> None:
        self._messages: SimpleQueue[_Flush | None] = SimpleQueue()
        self._next_seal = time.monotonic() + self._settings.schedule_delay
        self._thread = self._new_thread()
        self._starting = threading.Lock()

    def _new_thread(self) -> threading.Thread:
        return threading.Thread(target=self._run, name=f"otlp-fast {self._items}", daemon=True)

    def _start(self) -> None:
        # Nobody waits for the lock: a signal handler may come here where it interrupts a start.
        if self._starting.acquire(blocking=False):
            try:
                if self._thread.ident is None:
                    self._thread.start()
            except RuntimeError:
                self._thread = self._new_thread()
                raise
            finally:
                self._starting.release()

    def _is_started(self) -> bool:
        """Give whether there is a thread, after another try to start it if there was none."""
        if self._thread.ident is None:
            with suppress(RuntimeError):
                self._start()
        return self._thread.ident is not None

    def _wake(self) -> None:
        self._messages.put(None)
        self._is_started()

    def _run(self) -> None:
        with instrumentation_suppressed():
            while self._stop_at is None:
                self._survive(self._serve)
            self._survive(self._send_last)

    def _survive(self, step: Callable[[], None]) -> None:
        try:
            step()
        except BaseException as error:
            # Nothing that user code does in here, a logging handler that exits for example, may end the exports.
            with suppress(BaseException):
                self._failures.log(logging.ERROR, 0, "The worker of a processor failed, and goes on", error=error)

    def _serve(self) -> None:
        """Wait for something to do, and do it."""
        flush = self._next_message()
        is_time_to_seal = time.monotonic() >= self._next_seal
        try:
            if flush is not None or is_time_to_seal:
                self.queue.seal()
                self._next_seal = time.monotonic() + self._settings.schedule_delay
            self._send_sealed()
            if flush is not None:
                remaining = flush.deadline - time.monotonic()
                flush.succeeded = remaining > 0 and self._exporter.force_flush(remaining * 1000)
            elif is_time_to_seal:
                self._drain_while_idle()
        finally:
            if flush is not None:
                flush.done.set()
        self._drops.log()

    def _next_message(self) -> _Flush | None:
        with suppress(Empty):
            return self._messages.get(timeout=max(self._next_seal - time.monotonic(), 0.0))
        return None

    def _drain_while_idle(self) -> None:
        """Send from the spool until it is empty, or the receiver does not answer, or there is something else to do."""
        while self._messages.empty() and (began := time.monotonic()) < self._next_seal:
            if self._exporter.drain_spool() or time.monotonic() - began < _BRIEF_DRAIN_SECONDS:
                break

    def _send_sealed(self) -> None:
        """Hand over what is sealed now.

        What is sealed meanwhile has its own turn: under a load that never lets up a flush would not end otherwise.
        """
        for _ in range(self.queue.sealed_count):
            timeout = self._remaining_timeout()
            if timeout <= 0 or (sealed := self.queue.take()) is None:
                break
            self._hand_over(*sealed, timeout)
            self._drops.log()

    def _remaining_timeout(self) -> float:
        timeout = self._settings.export_timeout
        return timeout if self._stop_at is None else min(timeout, self._stop_at - time.monotonic())

    def _hand_over(self, request: Buffer, item_count: int, timeout: float) -> None:
        self._handed_to_exporter += item_count
        try:
            self._exporter.export_request(request, item_count, timeout=timeout)
        except BaseException as error:
            self._failures.log(logging.ERROR, item_count, f"Failed to export {item_count} {self._items}", error=error)

    def _send_last(self) -> None:
        self.queue.seal()
        self._send_sealed()
        with suppress(Empty):
            while True:
                if (flush := self._messages.get_nowait()) is not None:
                    flush.done.set()

    def _abandon_queue(self) -> None:
        """Take out what is left at the end. An exporter with a spool puts it there without waiting for the receiver."""
        self.queue.seal()
        while (sealed := self.queue.take()) is not None:
            if self._exporter.has_spool:
                self._hand_over(*sealed, timeout=0.0)
            else:
                self._dropped_at_shutdown += sealed[1]
