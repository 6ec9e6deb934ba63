"""The SDK's names for log exporters, which changed in opentelemetry-sdk 1.39."""

from __future__ import annotations

try:
    from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
except ImportError:
    from opentelemetry.sdk._logs.export import LogExporter as LogRecordExporter
    from opentelemetry.sdk._logs.export import LogExportResult as LogRecordExportResult  # type: ignore[assignment]

__all__ = ["LogRecordExportResult", "LogRecordExporter"]
