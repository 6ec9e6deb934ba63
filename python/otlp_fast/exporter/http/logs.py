"""The exporter of log records over HTTP."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import urllib3
from opentelemetry.metrics import MeterProvider

from otlp_fast.exporter.configuration import DEFAULT_SPOOL_BYTES
from otlp_fast.exporter.http.configuration import resolve_settings
from otlp_fast.exporter.http.exporter import HTTPExporter
from otlp_fast.exporter.sdk_logs import LogRecordExporter, LogRecordExportResult
from otlp_fast.exporter.signals import LOGS


class OTLPLogExporter(HTTPExporter, LogRecordExporter):
    """Sends log records to an OTLP/HTTP receiver.

    Arguments and errors are those of `OTLPSpanExporter`, with `logs` for `traces` in URLs and variables.
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
        spool_dir: str | os.PathLike[str] | None = None,
        spool_max_bytes: int = DEFAULT_SPOOL_BYTES,
    ) -> None:
        HTTPExporter.__init__(
            self,
            resolve_settings(
                LOGS,
                endpoint=endpoint,
                certificate_file=certificate_file,
                client_key_file=client_key_file,
                client_certificate_file=client_certificate_file,
                headers=headers,
                timeout=timeout,
                compression=compression,
                max_request_size=max_request_size,
            ),
            session,
            meter_provider=meter_provider,
            spool_dir=spool_dir,
            spool_max_bytes=spool_max_bytes,
        )

    def export(self, batch: Sequence[Any]) -> LogRecordExportResult:
        """Send the log records of `batch`, as `OTLPSpanExporter.export` sends spans."""
        return LogRecordExportResult.SUCCESS if self._export_batch(batch) else LogRecordExportResult.FAILURE
