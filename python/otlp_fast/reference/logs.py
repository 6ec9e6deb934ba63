"""Log records: opentelemetry/proto/logs/v1/logs.proto and collector/logs/v1/logs_service.proto of opentelemetry-proto
1.11.

The SDK gives a record in two objects: the API's `LogRecord`, and around it one that adds resource and scope. Since SDK
1.39 the outer one is a `ReadableLogRecord`. Before, it was a `LogData`, and the `LogRecord` a class of the SDK that had
the resource itself; `event_name` came with 1.35.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from otlp_fast.reference.common import any_value, attributes
from otlp_fast.reference.fields import count, enumeration, identifier, optional_string, time, unsigned
from otlp_fast.reference.request import Groups
from otlp_fast.reference.wire import bytes_field, fixed32_field


def encode_logs(records: Iterable[Any]) -> bytes:
    """An `ExportLogsServiceRequest`: records grouped by resource, then by scope, both in first-seen order."""
    groups = Groups()
    for item in records:
        groups.items(outer_or_inner(item, "resource"), item.instrumentation_scope).append(log_record(item))
    return groups.request()


def outer_or_inner(item: Any, name: str) -> Any:
    """What SDK 1.39 and newer have in the outer object, and older ones in the inner."""
    return getattr(item if hasattr(item, name) else item.log_record, name, None)


def log_record(item: Any) -> bytes:
    """The content of a `LogRecord`. Ids that are zero are none."""
    of = item.log_record
    return (
        time(1, of.timestamp)
        + enumeration(2, getattr(of.severity_number, "value", None))
        + optional_string(3, of.severity_text)
        + bytes_field(5, body(of.body))
        + attributes(6, of.attributes, 4)
        + count(7, outer_or_inner(item, "dropped_attributes"))
        + flags(8, of.trace_flags)
        + identifier(9, of.trace_id or None, 16)
        + identifier(10, of.span_id or None, 8)
        + time(11, of.observed_timestamp)
        + optional_string(12, getattr(of, "event_name", None))
    )


def body(value: Any) -> bytes:
    """The content of the `AnyValue` that is the body: empty for None, and for what cannot be written."""
    try:
        return any_value(value, 4, beyond)
    except Exception:
        return b""


def beyond(value: Any) -> Any:
    """What a body makes of a value beyond those of an AnyValue: a set is an array, any other object its `str()`.

    https://opentelemetry.io/docs/specs/otel/common/attribute-type-mapping/ allows it for attributes as well, where the
    official encoder drops such a value, and so do we.
    """
    return list(value) if isinstance(value, (set, frozenset)) else str(value)


def flags(field: int, value: Any) -> bytes:
    """The W3C trace flags, left out where they do not fit 32 bits."""
    number = unsigned(value, 2**32 - 1)
    return fixed32_field(field, number) if number else b""
