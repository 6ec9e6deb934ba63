"""Log records by hand, one field different from the ordinary at a time."""

from __future__ import annotations

from typing import Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import TraceFlags

from tests.compat.spans import RESOURCE

SCOPE = InstrumentationScope("shop.checkout", "1.0")


def make_log_record(resource: Any = RESOURCE, scope: Any = SCOPE, **fields: Any) -> ReadableLogRecord:
    """An ordinary record but for the given fields, which are those of the API's LogRecord."""
    record = LogRecord()
    ordinary = {
        "timestamp": 1_700_000_000_000_000_000,
        "observed_timestamp": 1_700_000_000_000_000_500,
        "trace_id": 0x1234,
        "span_id": 0x56,
        "trace_flags": TraceFlags(1),
        "severity_text": "INFO",
        "severity_number": SeverityNumber.INFO,
        "body": "paid",
        "attributes": {"before": 1, "after": 2},
        "event_name": None,
    }
    # Not by the constructor, which replaces ids and flags that are false by those of the current span.
    record.__dict__.update(ordinary, **fields)
    return ReadableLogRecord(record, resource, scope)
