"""The exporter of metrics over HTTP."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import Enum
from typing import Any

import urllib3
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.metrics.view import Aggregation

from otlp_fast.exporter.configuration import DEFAULT_SPOOL_BYTES
from otlp_fast.exporter.http.exporter import HTTPExporter
from otlp_fast.exporter.metric_preferences import resolve_aggregation, resolve_batch_size, resolve_temporality
from otlp_fast.exporter.signals import METRICS


class OTLPMetricExporter(HTTPExporter, MetricExporter):
    """Sends metrics to an OTLP/HTTP receiver.

    Arguments and errors are those of `OTLPSpanExporter`, with `metrics` for `traces` in URLs and variables, and:

    Args:
        preferred_temporality: Temporality by kind of instrument, over what
            OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE says: `cumulative` (default), `delta` or `lowmemory`.
        preferred_aggregation: Aggregation by kind of instrument, over what
            OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION says: `explicit_bucket_histogram` (default) or
            `base2_exponential_bucket_histogram`.
        max_export_batch_size: Data points in a request at most; no limit by default.
    """

    _signal = METRICS

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
        preferred_temporality: dict[type, AggregationTemporality] | None = None,
        preferred_aggregation: dict[type, Aggregation] | None = None,
        max_export_batch_size: int | None = None,
        *,
        max_request_size: int | None = None,
        meter_provider: MeterProvider | None = None,
        spool_dir: str | os.PathLike[str] | None = None,
        spool_max_bytes: int = DEFAULT_SPOOL_BYTES,
    ) -> None:
        MetricExporter.__init__(
            self, resolve_temporality(preferred_temporality), resolve_aggregation(preferred_aggregation)
        )
        self._max_items = resolve_batch_size(max_export_batch_size)
        HTTPExporter.__init__(
            self,
            endpoint=endpoint,
            certificate_file=certificate_file,
            client_key_file=client_key_file,
            client_certificate_file=client_certificate_file,
            headers=headers,
            timeout=timeout,
            compression=compression,
            session=session,
            max_request_size=max_request_size,
            meter_provider=meter_provider,
            spool_dir=spool_dir,
            spool_max_bytes=spool_max_bytes,
        )

    def export(
        self, metrics_data: MetricsData, timeout_millis: float | None = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        """Send `metrics_data` within `timeout_millis` or the exporter's timeout, whichever ends first.

        Gives results as `OTLPSpanExporter.export` does.
        """
        timeout = None if timeout_millis is None else timeout_millis / 1000
        return MetricExportResult.SUCCESS if self._export_metrics(metrics_data, timeout) else MetricExportResult.FAILURE
