"""What all exporters share: from a batch of the SDK's objects, or a request, to a result and its account.

A batch is encoded once. What is delivered from then on are the bytes of the request, so a processor that encodes by
itself hands its requests in by `export_request` and takes the same way.

Loss is never silent and never wider than its cause: an item that the encoder refuses costs itself; everything given
to an exporter is in `stats()` exactly once, and what was lost is in the log, too.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from opentelemetry.metrics import MeterProvider

from otlp_fast import Buffer, EncodeError
from otlp_fast._core import count_items
from otlp_fast.exporter.accounting import FAILED, REASONS, REFUSED_BY_ENCODER, DeliveryReport
from otlp_fast.exporter.calls import CallsUnderWay
from otlp_fast.exporter.client import OTLPClient, Transport
from otlp_fast.exporter.compressing import CompressingSender, Sender
from otlp_fast.exporter.configuration import Compression, Settings
from otlp_fast.exporter.delivery import Delivery, Part
from otlp_fast.exporter.fork import renew_in_forked_children
from otlp_fast.exporter.log_lines import LossLog, RepeatedWarning
from otlp_fast.exporter.self_metrics import ExporterMetrics, enabled
from otlp_fast.exporter.signals import Signal
from otlp_fast.exporter.suppression import instrumentation_suppressed

# How long calls whose requests were cut off have to account for what was in them, or to put it into the spool.
ACCOUNTING_SECONDS = 0.5

_EXPORTED = "exported"
_AFTER_SHUTDOWN = "after_shutdown"
_SPOOLED = "spooled"
_SENT_FROM_SPOOL = "sent_from_spool"
_LOST_FROM_SPOOL = "lost_from_spool"

# The exporters that keep something, and where: directory, signal and endpoint.
_spools: weakref.WeakKeyDictionary[OTLPExporter, tuple[Path, str, str]] = weakref.WeakKeyDictionary()


class OTLPExporter:
    """Delivers telemetry of one signal to one receiver, and accounts for all of it.

    Args:
        settings: What to send and where.
        transport: How.
        compression: How requests are sent; not at all compressed where the transport does that by itself.
        logger: The logger of the transport's package.
        transport_name: `http` or `grpc`, for the exporter's own metrics.
        meter_provider: For these metrics.
        spool_dir: Where to keep what could not be sent, if anywhere.
        spool_max_bytes: How much.
        max_items: Items in a request; 0 is no limit.

    Safe to use from several threads, and in forked children of the process that made it.
    """

    def __init__(
        self,
        settings: Settings,
        transport: Transport,
        *,
        compression: Compression,
        logger: logging.Logger,
        transport_name: str,
        meter_provider: MeterProvider | None,
        spool_dir: str | os.PathLike[str] | None,
        spool_max_bytes: int,
        max_items: int = 0,
    ) -> None:
        signal = settings.signal
        self._settings = settings
        self._logger = logger
        self._client = OTLPClient(transport, signal.name, settings.address, logger)
        self._sender = self._new_sender(compression)
        self._delivery = Delivery(self._sender, signal.name, settings.max_request_size, max_items)
        self._spooled = None
        if spool_dir:
            if sys.platform == "win32":
                raise ValueError("spool_dir: a spool needs the file locks of POSIX, which Windows does not have")
            # SQLite is for those who asked for it.
            from otlp_fast.exporter.spool import Spool
            from otlp_fast.exporter.spooling import SpooledDelivery

            spool = Spool(spool_dir, f"{signal.name} {settings.endpoint}", spool_max_bytes)
            self._spooled = SpooledDelivery(self._delivery, spool, RepeatedWarning(logger))
        self._transport_name = transport_name
        self._metrics: ExporterMetrics | None = None
        self.set_meter_provider(meter_provider)
        self._losses = LossLog(logger, signal.items)
        self._calls = CallsUnderWay()
        self._is_shut_down = False
        self._reset_stats()
        renew_in_forked_children(self)
        if spool_dir:
            self._warn_of_other_headers(Path(spool_dir).resolve())

    @property
    def has_spool(self) -> bool:
        """Whether what cannot be sent is kept on disk."""
        return self._spooled is not None

    def export_request(self, request: bytes | Buffer, item_count: int, *, timeout: float | None = None) -> bool:
        """Deliver a request that is encoded already, of `item_count` items of this exporter's signal.

        Gives True where every item arrived or is safe in the spool. What it does not, it logs and counts. `timeout`
        in seconds shortens the exporter's own. Never raises.
        """
        return self._export(item_count, lambda report: Part(request, item_count), timeout)

    def drain_spool(self, timeout: float | None = None) -> bool:
        """Send what is in the spool, within `timeout` seconds; by default, for about a second.

        For idle times: after a failed attempt it does nothing until it is time for the next one. Gives whether
        nothing is left, which is so where there is no spool. Never raises.
        """
        if self._is_shut_down:
            return True
        if timeout is None:
            return self._drain(time.monotonic() + self._settings.timeout, at_once=False, is_brief=True)
        return self._drain(time.monotonic() + timeout, at_once=False)

    def force_flush(self, timeout_millis: float = 30_000) -> bool:
        """Send what is in the spool within `timeout_millis`, and give whether nothing is left there.

        Nothing else is kept between calls of `export`.
        """
        return self._is_shut_down or self._drain(time.monotonic() + timeout_millis / 1000, at_once=True)

    def shutdown(self, timeout_millis: float = 30_000, **keywords: Any) -> None:
        """Refuse further batches, and end within `timeout_millis` and at most half a second more.

        A call of `export` that waits for a retry is woken and fails, or goes to the spool. The spool is drained. Other
        calls get the time that is left. Then their requests are cut off, and what is in them is counted and logged as
        failed, or goes to the spool, before this returns. Requests over a `session` of the user's cannot be cut off,
        nor can the look-up of a name: how many items are in these is logged.
        """
        if self._is_shut_down:
            self._logger.warning("Exporter already shutdown, ignoring call")
            return
        self._is_shut_down = True
        # The SDK's periodic metric reader names it otherwise.
        deadline = time.monotonic() + keywords.get("timeout", timeout_millis) / 1000
        self._client.stop_waiting()
        self._drain(deadline, at_once=True)
        self._calls.wait(deadline - time.monotonic())
        self._client.close()
        unaccounted = self._calls.wait(ACCOUNTING_SECONDS)
        if self._spooled is not None:
            self._spooled.close()
        self._losses.flush(logging.ERROR)
        if unaccounted:
            message = "Shut down while requests to %s with %d %s are under way; they are counted when these end"
            self._logger.error(message, self._settings.address, unaccounted, self._settings.signal.items)

    def stats(self) -> dict[str, int]:
        """Give how many items this exporter was given, by what became of them; the first nine are all of them.

        - `exported`: taken by the receiver.
        - `refused_by_encoder`: not items of the signal.
        - `too_large`: a single item over `max_request_size`, or refused by the receiver for its size when sent alone.
        - `rejected_by_receiver`: rejected in a partial success.
        - `failed`: not delivered: refused, no answer until the deadline, or shut down while waiting.
        - `spool_full`, `spool_failed`: not delivered, and not kept.
        - `after_shutdown`: given to the exporter after `shutdown`.
        - `spooled`: not delivered, and kept on disk.
        - `sent_from_spool`, `lost_from_spool`: kept before, maybe by another process, and what became of them since.

        Items are spans, log records or data points. With tracezip, these follow:

        - `tracezip_frames`: frames made, each sent as often as retries needed it, and of these:
        - `tracezip_resets`: began a stream, for the first time, or because the receiver had lost its state.
        - `tracezip_raw_frames`: hold a request as it is, as that was not OTLP as it is usually written.
        - `tracezip_stateless_frames`: stand alone, beside too many others, or where states were lost too often.
        - `tracezip_fallbacks`: requests that were sent with zstd or gzip instead.
        - `tracezip_bytes_in`, `tracezip_bytes_out`: bytes of the requests of all frames, and of the frames.

        A forked child counts from zero.
        """
        with self._stats_lock:
            items = dict(self._stats)
        return items | self._sender.stats()

    def set_meter_provider(self, meter_provider: MeterProvider | None) -> None:
        """Take the exporter's own metrics from `meter_provider`, or the global one, if the user asked for them."""
        if enabled():
            self._metrics = ExporterMetrics(self._transport_name, self._settings, meter_provider)

    def renew_after_fork(self) -> None:
        """Replace connections, locks and counts in a forked child; called by the fork hook."""
        self._reset_stats()
        self._calls = CallsUnderWay()
        self._losses.renew_after_fork()
        if self._spooled is not None:
            self._spooled.renew_after_fork()
        self._client.renew_after_fork()

    def _new_sender(self, compression: Compression) -> Sender:
        if compression is not Compression.Tracezip:
            return CompressingSender(self._client, compression.value)
        # The codec is for those who asked for it.
        from otlp_fast.exporter.framing import FramingSender

        return FramingSender(self._client, self._settings.signal.name, self._settings.address, self._logger)

    def _warn_of_other_headers(self, spool_dir: Path) -> None:
        """Warn where another exporter of this process would send with its own headers what this one keeps."""
        spool = (spool_dir, self._settings.signal.name, self._settings.endpoint)
        for other, others_spool in list(_spools.items()):
            if others_spool == spool and not other._is_shut_down and other._settings.headers != self._settings.headers:
                message = (
                    "Exporters with different headers share the spool in %s: each sends with its own what others keep"
                )
                self._logger.warning(message, spool_dir)
                break
        _spools[self] = spool

    def _export_batch(self, batch: Iterable[Any]) -> bool:
        """Encode a batch of spans or log records and deliver it. Never raises."""
        try:
            items = tuple(batch)
        except Exception:
            self._logger.exception("Failed to export %s to %s", self._settings.signal.items, self._settings.address)
            return False
        return self._export(len(items), lambda report: _encode(self._settings.signal, items, report), None)

    def _export_metrics(self, metrics_data: Any, timeout: float | None) -> bool:
        """Encode metrics and deliver them. The encoder leaves out and counts what it cannot take. Never raises."""
        try:
            request = self._settings.signal.encode(metrics_data)
            data_points = count_items(request, self._settings.signal.name)
        except Exception:
            self._logger.exception("Failed to export %s to %s", self._settings.signal.items, self._settings.address)
            return False
        return self.export_request(request, data_points, timeout=timeout)

    def _export(self, given: int, encode: Callable[[DeliveryReport], Part], timeout: float | None) -> bool:
        try:
            # Under way before it looks whether there was a shutdown: one that it does not see waits for it.
            with self._calls.call(given):
                if self._is_shut_down:
                    self._add_to_stats({_AFTER_SHUTDOWN: given})
                    self._losses.log(logging.WARNING, given, "Exporter already shutdown, ignoring batch")
                    return False
                if not given:
                    return True
                return self._deliver(given, encode, timeout)
        except Exception:
            self._logger.exception("Failed to export %s to %s", self._settings.signal.items, self._settings.address)
            return False

    def _deliver(self, given: int, encode: Callable[[DeliveryReport], Part], timeout: float | None) -> bool:
        started = time.monotonic()
        seconds = self._settings.timeout if timeout is None else min(timeout, self._settings.timeout)
        report, drained = DeliveryReport(), DeliveryReport()
        unexpected: BaseException | None = None
        try:
            if self._metrics is not None:
                self._metrics.started(given)
            with instrumentation_suppressed():
                part = encode(report)
                if part.item_count and self._spooled is None:
                    self._delivery.deliver(part, started + seconds, report)
                elif part.item_count and self._spooled is not None:
                    self._spooled.deliver(part, started + seconds, report, drained)
        except BaseException as error:
            unexpected = error
            if unaccounted := max(given - report.accounted, 0):
                name = type(error).__qualname__
                report.lose(FAILED, unaccounted, f"{name}: {error}", name)
        try:
            self._account_for(given, report, drained, unexpected, time.monotonic() - started)
        finally:
            if unexpected is not None and not isinstance(unexpected, Exception):
                # An exit or an interrupt is the user's.
                raise unexpected
        return not report.lost

    def _account_for(
        self,
        given: int,
        report: DeliveryReport,
        drained: DeliveryReport,
        unexpected: BaseException | None,
        seconds: float,
    ) -> None:
        counts = {_EXPORTED: report.exported, _SPOOLED: report.spooled}
        counts.update((reason, loss.count) for reason, loss in report.losses.items())
        self._add_to_stats(counts)
        if self._metrics is not None:
            self._metrics.finished(given, report, seconds)
        self._account_for_drained(drained)
        if report.lost:
            self._log_loss(report, f"{report.lost} of {given}", unexpected)
        elif isinstance(unexpected, Exception):
            message = f"Failed to send from the spool to {self._settings.address}"
            self._losses.log(logging.ERROR, 0, message, error=unexpected)

    def _drain(self, deadline: float, *, at_once: bool, is_brief: bool = False) -> bool:
        if self._spooled is None:
            return True
        drained = DeliveryReport()
        try:
            with self._calls.call(0):
                try:
                    with instrumentation_suppressed():
                        is_empty = self._spooled.drain(deadline, drained, at_once=at_once, is_brief=is_brief)
                finally:
                    self._account_for_drained(drained)
        except Exception:
            self._logger.exception("Failed to send from the spool to %s", self._settings.address)
            return False
        return is_empty

    def _account_for_drained(self, drained: DeliveryReport) -> None:
        self._add_to_stats({_SENT_FROM_SPOOL: drained.exported, _LOST_FROM_SPOOL: drained.lost})
        if self._metrics is not None:
            self._metrics.exported(drained)
        if drained.lost:
            self._log_loss(drained, f"{drained.lost} spooled", None)

    def _log_loss(self, report: DeliveryReport, lost: str, error: BaseException | None) -> None:
        items, address = self._settings.signal.items, self._settings.address
        message = f"Failed to export {lost} {items} to {address}: {report.describe()}"
        self._losses.log(logging.ERROR, report.lost, message, error=error)

    def _reset_stats(self) -> None:
        # Reentrant: a signal handler may export, or ask for this, while it interrupts an export.
        self._stats_lock = threading.RLock()
        names = (_EXPORTED, *REASONS, _AFTER_SHUTDOWN, _SPOOLED, _SENT_FROM_SPOOL, _LOST_FROM_SPOOL)
        self._stats = dict.fromkeys(names, 0)

    def _add_to_stats(self, counts: Mapping[str, int]) -> None:
        with self._stats_lock:
            for name, count in counts.items():
                self._stats[name] += count


def _encode(signal: Signal, items: Sequence[Any], report: DeliveryReport) -> Part:
    try:
        return Part(signal.encode(items), len(items))
    except EncodeError:
        if signal.new_encoder is None:
            raise
    encoder = signal.new_encoder()
    encoded = 0
    for item in items:
        try:
            encoder.add(item)
            encoded += 1
        except EncodeError as error:
            # The encoder names the index: its own, which is that of the batch for the first refusal, and only the
            # first explanation is kept.
            report.lose(REFUSED_BY_ENCODER, 1, str(error), type(error).__qualname__)
    return Part(encoder.finish(), encoded)
