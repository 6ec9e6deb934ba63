"""Spans: opentelemetry/proto/trace/v1/trace.proto and collector/trace/v1/trace_service.proto of opentelemetry-proto
1.11.

Fields stand in the order of their numbers, and a field that is zero or empty is left out, but for the messages, which
are present whenever there is something to say: `status` even when it is empty.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from otlp_fast.reference.common import attributes
from otlp_fast.reference.fields import count, identifier, optional_string, time
from otlp_fast.reference.request import Groups
from otlp_fast.reference.wire import bytes_field, fixed32_field, string_field, varint_field

CONTEXT_HAS_IS_REMOTE = 0x100
"""SpanFlags: whether the parent is remote is known. Always set; the W3C trace flags below it are not written."""
CONTEXT_IS_REMOTE = 0x200
"""SpanFlags: the parent (of a link: its target) belongs to another process."""


def encode_spans(spans: Iterable[Any]) -> bytes:
    """An `ExportTraceServiceRequest`: spans grouped by resource, then by scope, both in first-seen order."""
    groups = Groups()
    for item in spans:
        groups.items(item.resource, item.instrumentation_scope).append(span(item))
    return groups.request()


def span(of: Any) -> bytes:
    """The content of a `Span`."""
    context = of.get_span_context()
    return (
        identifier(1, getattr(context, "trace_id", None), 16)
        + identifier(2, getattr(context, "span_id", None), 8)
        + trace_state(3, context)
        + (identifier(4, getattr(of.parent, "span_id", None), 8) if of.parent else b"")
        + optional_string(5, of.name)
        + kind(6, of.kind)
        + time(7, of.start_time)
        + time(8, of.end_time)
        + attributes(9, of.attributes, 4)
        + count(10, of.dropped_attributes)
        + b"".join(bytes_field(11, event(item)) for item in of.events)
        + count(12, of.dropped_events)
        + b"".join(bytes_field(13, link(item)) for item in of.links)
        + count(14, of.dropped_links)
        + (bytes_field(15, status(of.status)) if of.status is not None else b"")
        + fixed32_field(16, flags(of.parent))
    )


def event(of: Any) -> bytes:
    """The content of a `Span.Event`."""
    return (
        time(1, of.timestamp)
        + optional_string(2, of.name)
        + attributes(3, of.attributes, 5)
        + count(4, of.dropped_attributes)
    )


def link(of: Any) -> bytes:
    """The content of a `Span.Link`. Its trace state (field 3) is not written."""
    return (
        identifier(1, getattr(of.context, "trace_id", None), 16)
        + identifier(2, getattr(of.context, "span_id", None), 8)
        + attributes(4, of.attributes, 5)
        + count(5, of.dropped_attributes)
        + fixed32_field(6, flags(of.context))
    )


def status(of: Any) -> bytes:
    """The content of a `Status`: `message = 2`, `code = 3`."""
    code = of.status_code.value
    return optional_string(2, of.description) + (varint_field(3, code) if code else b"")


def flags(context: Any) -> int:
    """The flags that belong to a span with this parent, or to a link with this target."""
    return CONTEXT_HAS_IS_REMOTE | (CONTEXT_IS_REMOTE if context and context.is_remote else 0)


def trace_state(field: int, context: Any) -> bytes:
    """The W3C tracestate header: `key=value` joined by commas."""
    state = getattr(context, "trace_state", None)
    if state is None:
        return b""
    header = ",".join(f"{key}={value}" for key, value in state.items())
    return string_field(field, header) if header else b""


def kind(field: int, value: Any) -> bytes:
    """SpanKind: the API counts from 0 (internal), OTLP from 1; anything that is not a SpanKind is unspecified."""
    names = ("INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
    name = getattr(value, "name", None)
    return varint_field(field, 1 + names.index(name)) if name in names else b""
