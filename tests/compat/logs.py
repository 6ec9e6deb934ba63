"""Log records by hand, one field different from the ordinary at a time."""

from __future__ import annotations

from typing import Any

from opentelemetry import _logs as api_logs
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk import _logs as sdk_logs
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import TraceFlags

from tests.compat.spans import RESOURCE

SCOPE = InstrumentationScope("shop.checkout", "1.0")


def make_log_record(resource: Any = RESOURCE, scope: Any = SCOPE, **fields: Any) -> Any:
    """An ordinary record but for the given fields, which are those of the API's LogRecord."""
    ordinary = {
        "timestamp": 1_700_000_000_000_000_000,
        "observed_timestamp": 1_700_000_000_000_000_500,
        "trace_id": 0x1234,
        "span_id": 0x56,
        "trace_flags": TraceFlags(1),
        "severity_text": "INFO",
        "severity_number": api_logs.SeverityNumber.INFO,
        "body": "paid",
        "attributes": {"before": 1, "after": 2},
    }
    fields = {**ordinary, **fields}
    # Not by the constructors, which replace ids and flags that are false by those of the current span.
    if hasattr(sdk_logs, "ReadableLogRecord"):
        record = api_logs.LogRecord()
        record.__dict__.update(fields)
        return sdk_logs.ReadableLogRecord(record, resource, scope)
    # SDKs before 1.39: their own LogRecord knows its resource, and asks its attributes how many of them were dropped.
    if type(fields["attributes"]) is dict:
        attributes = BoundedAttributes()
        attributes._dict, fields["attributes"] = fields["attributes"], attributes
    record = sdk_logs.LogRecord()
    record.__dict__.update(fields, resource=resource)
    return sdk_logs.LogData(record, scope)
