"""OTLP over HTTP: exporters with the constructors of the official ones, on urllib3.

Nothing here imports protobuf, requests or an official exporter. Select it with `OTEL_TRACES_EXPORTER=otlp_fast_http`
or by hand:

    from otlp_fast.exporter.http import OTLPSpanExporter

    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))

Specification: https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from enum import Enum

import urllib3
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

import otlp_fast
from otlp_fast.exporter.client import OTLPClient
from otlp_fast.exporter.compression import Compression
from otlp_fast.exporter.configuration import resolve_settings
from otlp_fast.exporter.delivery import (
    FAILED,
    REFUSED_BY_ENCODER,
    REJECTED_BY_RECEIVER,
    TOO_LARGE,
    BatchDelivery,
    DeliveryReport,
)
from otlp_fast.exporter.fork import renew_in_forked_children
from otlp_fast.exporter.self_metrics import ExporterMetrics, enabled
from otlp_fast.exporter.suppression import instrumentation_suppressed

__all__ = ["Compression", "OTLPSpanExporter"]

_logger = logging.getLogger(__name__)

_EXPORTED = "exported"
_AFTER_SHUTDOWN = "after_shutdown"

# Entry points that give the official exporter a requests.Session; there is none here to give them.
_CREDENTIAL_PROVIDER_VARIABLES = (
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER",
)


class OTLPSpanExporter(SpanExporter):
    """Sends spans to an OTLP/HTTP receiver.

    Args:
        endpoint: Full URL including the path, such as `http://collector:4318/v1/traces`. The default is
            `http://localhost:4318/v1/traces`; OTEL_EXPORTER_OTLP_ENDPOINT is a base to which `v1/traces` is appended.
        certificate_file: File or directory of CA certificates; the system's by default.
        client_key_file: Key of the client certificate, where that file does not hold it.
        client_certificate_file: Client certificate for mutual TLS.
        headers: Headers for every request, merged over those of OTEL_EXPORTER_OTLP_HEADERS.
        timeout: Seconds for one call of `export`, retries and split requests included; 10 by default.
        compression: A `Compression`, `"none"`, `"gzip"`, or an enum member with one of these values, such as the
            official exporter's `Compression`.
        session: A `urllib3.PoolManager` to send with, which keeps its own TLS and proxy settings and is not closed by
            `shutdown`. Its headers are sent too, under those of the exporter. The official exporter takes a
            `requests.Session` here.
        max_request_size: Largest request in bytes, before compression; 64 MiB by default, 0 or less for no limit.
            A batch over it is sent in parts.
        meter_provider: For the exporter's own metrics, which OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED=true turns on;
            the global one by default.

    Raises:
        ValueError: A setting cannot be right: the message names the argument or the environment variable.
        TypeError: `session` is not a `urllib3.PoolManager`.

    Every argument but the last three also has OTEL_EXPORTER_OTLP_TRACES_* and OTEL_EXPORTER_OTLP_* variables, in that
    order of precedence, as https://opentelemetry.io/docs/specs/otel/protocol/exporter/ says. HTTP_PROXY, HTTPS_PROXY,
    ALL_PROXY and NO_PROXY are read when the exporter is made.

    Safe to use from several threads, and in forked children of the process that made it.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        certificate_file: str | None = None,
        client_key_file: str | None = None,
        client_certificate_file: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        compression: Enum | str | None = None,
        session: urllib3.PoolManager | None = None,
        *,
        max_request_size: int | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        _check_session(session, certificate_file, client_key_file, client_certificate_file)
        settings = resolve_settings(
            "traces",
            endpoint=endpoint,
            certificate_file=certificate_file,
            client_key_file=client_key_file,
            client_certificate_file=client_certificate_file,
            headers=headers,
            timeout=timeout,
            compression=compression,
            max_request_size=max_request_size,
        )
        self._settings = settings
        self._client = OTLPClient(settings, session, _logger)
        self._delivery: BatchDelivery[ReadableSpan] = BatchDelivery(
            self._client,
            encode=otlp_fast.encode_spans,
            new_encoder=otlp_fast.SpanEncoder,
            compression=settings.compression,
            max_request_size=settings.max_request_size,
        )
        self._metrics = (
            ExporterMetrics("otlp_http_span_exporter", "span", settings.endpoint, meter_provider) if enabled() else None
        )
        self._is_shut_down = False
        self._reset_stats()
        renew_in_forked_children(self)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send `spans` within the exporter's timeout.

        Gives SUCCESS where every span arrived, FAILURE where one did not: one log line then says how many and why.
        Never raises.
        """
        started = time.monotonic()
        try:
            batch = tuple(spans)
            if self._is_shut_down:
                _logger.warning("Exporter already shutdown, ignoring batch")
                self._add_to_stats({_AFTER_SHUTDOWN: len(batch)})
                return SpanExportResult.FAILURE
            if not batch:
                return SpanExportResult.SUCCESS
            report = self._deliver(batch, started)
        except Exception:
            _logger.exception("Failed to export spans to %s", self._settings.address)
            return SpanExportResult.FAILURE
        return SpanExportResult.FAILURE if report.lost else SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Refuse further batches, and wake a call of `export` that waits for a retry: it fails then. Does not block."""
        if self._is_shut_down:
            _logger.warning("Exporter already shutdown, ignoring call")
            return
        self._is_shut_down = True
        self._client.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Give True: nothing is kept between calls of `export`."""
        return True

    def stats(self) -> dict[str, int]:
        """Give how many spans this exporter was given, by what became of them; together they are all of them.

        - `exported`: taken by the receiver.
        - `refused_by_encoder`: not spans.
        - `too_large`: a single span over `max_request_size`, or refused with HTTP 413 when sent alone.
        - `rejected_by_receiver`: rejected in a partial success.
        - `failed`: not delivered: refused, no answer until the deadline, or shut down while waiting.
        - `after_shutdown`: given to `export` after `shutdown`.

        A forked child counts from zero.
        """
        with self._stats_lock:
            return dict(self._stats)

    def renew_after_fork(self) -> None:
        """Replace connections, locks and counts in a forked child; called by the fork hook."""
        self._reset_stats()
        self._client.renew_after_fork()

    def _deliver(self, batch: tuple[ReadableSpan, ...], started: float) -> DeliveryReport:
        report = DeliveryReport()
        unexpected: Exception | None = None
        if self._metrics is not None:
            self._metrics.started(len(batch))
        try:
            with instrumentation_suppressed():
                self._delivery.deliver(batch, started + self._settings.timeout, report)
        except Exception as error:
            unexpected = error
            name = type(error).__qualname__
            report.lose(FAILED, len(batch) - report.exported - report.lost, f"{name}: {error}", name)

        counts = {_EXPORTED: report.exported}
        counts.update((reason, loss.count) for reason, loss in report.losses.items())
        self._add_to_stats(counts)
        if report.lost:
            _logger.error(
                "Failed to export %d of %d spans to %s: %s",
                report.lost,
                len(batch),
                self._settings.address,
                report.describe(),
                exc_info=unexpected,
            )
        if self._metrics is not None:
            self._metrics.finished(len(batch), report, time.monotonic() - started)
        return report

    def _reset_stats(self) -> None:
        self._stats_lock = threading.Lock()
        reasons = (_EXPORTED, REFUSED_BY_ENCODER, TOO_LARGE, REJECTED_BY_RECEIVER, FAILED, _AFTER_SHUTDOWN)
        self._stats = dict.fromkeys(reasons, 0)

    def _add_to_stats(self, counts: Mapping[str, int]) -> None:
        with self._stats_lock:
            for reason, count in counts.items():
                self._stats[reason] += count


def _check_session(session: object, *certificates: str | None) -> None:
    for variable in _CREDENTIAL_PROVIDER_VARIABLES:
        if os.environ.get(variable):
            _logger.warning("%s is not used: it provides a requests.Session; pass a pool manager as session", variable)
    if session is None:
        return
    if not isinstance(session, urllib3.PoolManager):
        raise TypeError(
            f"argument session: expected a urllib3.PoolManager, not a {type(session).__module__}"
            f".{type(session).__qualname__}; otlp-fast does not use requests"
        )
    if any(certificates):
        raise ValueError(
            "argument session: a pool manager has its own TLS settings; give it the certificates, not the exporter"
        )
