"""The exporter of log records over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from otlp_fast.exporter.http.exporter import HTTPExporter
from otlp_fast.exporter.sdk_logs import LogRecordExporter, LogRecordExportResult
from otlp_fast.exporter.signals import LOGS


class OTLPLogExporter(HTTPExporter, LogRecordExporter):
    """Sends log records to an OTLP/HTTP receiver.

    Arguments and errors are those of `OTLPSpanExporter`, with `logs` for `traces` in URLs and variables.
    """

    _signal = LOGS

    def export(self, batch: Sequence[Any]) -> LogRecordExportResult:
        """Send the log records of `batch`, as `OTLPSpanExporter.export` sends spans."""
        return LogRecordExportResult.SUCCESS if self._export_batch(batch) else LogRecordExportResult.FAILURE
