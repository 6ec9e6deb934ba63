"""What both batch processors share: everything but the SDK's interface and the order of arguments.

Each item that a processor is given is in `stats()` exactly once, and so is each one that it accepted:

    given = accepted + dropped_queue_full + refused_by_encoder + after_shutdown
    accepted = handed_to_exporter + queued_items + dropped_at_shutdown

where given are the sampled ones. What became of those that the exporter got, `stats()` of the exporter says.
"""

from __future__ import annotations

import logging
import time
from typing import cast

from opentelemetry.metrics import MeterProvider

from otlp_fast._sdk import LogQueue, SpanQueue
from otlp_fast.exporter.configuration import MAX_TIMEOUT_SECONDS
from otlp_fast.exporter.fork import renew_in_forked_children
from otlp_fast.exporter.self_metrics import enabled
from otlp_fast.exporter.signals import Signal
from otlp_fast.processor.configuration import BatchSettings
from otlp_fast.processor.self_metrics import ProcessorMetrics
from otlp_fast.processor.worker import RequestExporter, Worker

_logger = logging.getLogger("otlp_fast.processor")

DEFAULT_TIMEOUT_MILLIS = 30_000


class BatchProcessor:
    """Encodes items when they are given, and hands requests of them to an exporter in a thread of its own.

    Args:
        signal: What the items are.
        queue_type: What encodes them.
        exporter: What the requests go to; checked with `checked_exporter`.
        settings: Limits and times.
        meter_provider: For the processor's own metrics.
    """

    def __init__(
        self,
        signal: Signal,
        queue_type: type[SpanQueue] | type[LogQueue],
        exporter: RequestExporter,
        settings: BatchSettings,
        meter_provider: MeterProvider | None,
    ) -> None:
        self._exporter = exporter
        self._worker = Worker(queue_type, exporter, settings, signal.items, _logger)
        self._metrics = ProcessorMetrics(self._worker, signal, meter_provider) if enabled() else None
        renew_in_forked_children(self)

    def force_flush(self, timeout_millis: float | None = DEFAULT_TIMEOUT_MILLIS) -> bool:
        """Hand everything that was added before this call to the exporter, and have it empty its spool.

        Gives whether that was done within `timeout_millis`; False after `shutdown`, too. Whether the receiver took it
        is in the exporter's `stats()`. Waits on the calling thread, and does the work in the processor's.
        """
        if self._worker.queue.is_closed:
            return False
        return self._worker.flush(_deadline(DEFAULT_TIMEOUT_MILLIS if timeout_millis is None else timeout_millis))

    def shutdown(self, timeout_millis: float = DEFAULT_TIMEOUT_MILLIS) -> None:
        """Refuse further items, send what is in the queue, and shut the exporter down, all within `timeout_millis`.

        What cannot be sent in that time goes to the exporter's spool, or is dropped, counted and logged. A second call
        does nothing.
        """
        if self._worker.queue.is_closed:
            return
        deadline = _deadline(timeout_millis)
        self._worker.queue.close()
        self._worker.stop(deadline)
        self._exporter.shutdown(timeout_millis=max(deadline - time.monotonic(), 0.0) * 1000)

    def stats(self) -> dict[str, int]:
        """Give what became of the items that this processor was given.

        - `accepted`: encoded into the queue.
        - `dropped_queue_full`: the queue had reached its limit of items or of bytes, or there was no memory for more.
        - `refused_by_encoder`: not items of the signal.
        - `after_shutdown`: given after `shutdown`.
        - `handed_to_exporter`: of those accepted, given to the exporter, whose `stats()` has the rest.
        - `dropped_at_shutdown`: of those accepted, still in the queue at the deadline of `shutdown`.
        - `queued_items`, `queued_bytes`: in the queue now.

        Spans that are not sampled are in none of them. A forked child counts from zero.
        """
        return self._worker.stats()

    def renew_after_fork(self) -> None:
        """Begin with an empty queue and a new thread in a forked child; called by the fork hook."""
        self._worker.renew_after_fork()


def checked_exporter(argument: str, exporter: object, interface: type) -> RequestExporter:
    """Give `exporter` if it takes encoded requests of the signal of `interface`; TypeError if it does not."""
    if isinstance(exporter, interface) and hasattr(exporter, "export_request"):
        return cast(RequestExporter, exporter)
    kind = f"{type(exporter).__module__}.{type(exporter).__qualname__}"
    raise TypeError(
        f"argument {argument}: {kind} is not a {interface.__name__} of otlp_fast.exporter and does not take encoded"
        " requests; give it to the batch processor of opentelemetry.sdk"
    )


def _deadline(timeout_millis: float) -> float:
    return time.monotonic() + min(timeout_millis / 1000, MAX_TIMEOUT_SECONDS)
