"""Log records of a request as the SDK's logger emits them."""

from __future__ import annotations

from typing import Any

from opentelemetry._logs import Logger, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider, LogRecordLimits, ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import SpanContext, TraceFlags

import otlp_fast
from otlp_fast.bench.workloads.logs import LogRecorder
from otlp_fast.bench.workloads.workload import within
from otlp_fast.columns import items, records

_UNLIMITED = LogRecordLimits(
    max_attributes=LogRecordLimits.UNSET,
    max_attribute_length=LogRecordLimits.UNSET,
    max_log_record_attributes=LogRecordLimits.UNSET,
    max_log_record_attribute_length=LogRecordLimits.UNSET,
)
_SEVERITIES = {severity.value: severity for severity in SeverityNumber}


class LogRebuilder:
    """Makes log records."""

    def __init__(self) -> None:
        self._recorder = LogRecorder("captured")
        self._loggers: dict[str, Logger] = {}

    def rebuild(self, request: bytes) -> list[ReadableLogRecord]:
        """Make the log records of a request, in its order."""
        emitted: list[ReadableLogRecord] = []
        self._recorder.items = emitted
        for record in otlp_fast.decode_logs(request):
            self._emit(record)
        return emitted

    def _emit(self, captured: records.LogRecord) -> None:
        logger = self._logger(captured.resource, captured.instrumentation_scope)
        body: Any = captured.body
        logger.emit(
            timestamp=captured.timestamp,
            observed_timestamp=captured.observed_timestamp,
            context=within(SpanContext(captured.trace_id, captured.span_id, False, TraceFlags(captured.trace_flags))),
            severity_number=_SEVERITIES.get(captured.severity_number),
            severity_text=captured.severity_text or None,
            body=body,
            attributes=captured.attributes,
            event_name=captured.event_name or None,
        )

    def _logger(self, resource: items.Resource, scope: items.InstrumentationScope) -> Logger:
        key = repr((resource, scope))
        if key not in self._loggers:
            provider = LoggerProvider(
                resource=Resource(resource.attributes, resource.schema_url),
                shutdown_on_exit=False,
                log_record_limits=_UNLIMITED,
            )
            provider.add_log_record_processor(self._recorder)
            self._loggers[key] = provider.get_logger(scope.name, scope.version, scope.schema_url, scope.attributes)
        return self._loggers[key]
