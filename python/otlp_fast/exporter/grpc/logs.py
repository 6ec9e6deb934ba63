"""The exporter of log records over gRPC."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

import grpc
from opentelemetry.metrics import MeterProvider

from otlp_fast.exporter.configuration import DEFAULT_SPOOL_BYTES
from otlp_fast.exporter.grpc.configuration import resolve_settings
from otlp_fast.exporter.grpc.exporter import GRPCExporter
from otlp_fast.exporter.sdk_logs import LogRecordExporter, LogRecordExportResult
from otlp_fast.exporter.signals import LOGS


class OTLPLogExporter(GRPCExporter, LogRecordExporter):
    """Sends log records to an OTLP/gRPC receiver.

    Arguments and errors are those of `OTLPSpanExporter`, with LOGS for TRACES in variables.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        insecure: bool | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        headers: Sequence[tuple[str, str]] | Mapping[str, str] | str | None = None,
        timeout: float | None = None,
        compression: grpc.Compression | Enum | str | None = None,
        channel_options: Sequence[tuple[str, object]] | None = None,
        retryable_error_codes: Iterable[grpc.StatusCode] | None = None,
        *,
        max_request_size: int | None = None,
        meter_provider: MeterProvider | None = None,
        spool_dir: str | os.PathLike[str] | None = None,
        spool_max_bytes: int = DEFAULT_SPOOL_BYTES,
    ) -> None:
        GRPCExporter.__init__(
            self,
            resolve_settings(
                LOGS,
                endpoint=endpoint,
                insecure=insecure,
                credentials=credentials,
                headers=headers,
                timeout=timeout,
                compression=compression,
                channel_options=channel_options,
                retryable_error_codes=retryable_error_codes,
                max_request_size=max_request_size,
            ),
            meter_provider=meter_provider,
            spool_dir=spool_dir,
            spool_max_bytes=spool_max_bytes,
        )

    def export(self, batch: Sequence[Any]) -> LogRecordExportResult:
        """Send the log records of `batch`, as `OTLPSpanExporter.export` sends spans."""
        return LogRecordExportResult.SUCCESS if self._export_batch(batch) else LogRecordExportResult.FAILURE
