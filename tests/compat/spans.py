"""Spans by hand, one field different from the ordinary at a time."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind

RESOURCE = Resource({"service.name": "shop"})


def make_span(**fields: Any) -> ReadableSpan:
    """An ordinary span but for the given fields, which are those of the constructor of ReadableSpan."""
    ordinary: dict[str, Any] = {
        "name": "GET /",
        "context": SpanContext(0x1234, 0x56, is_remote=False),
        "resource": RESOURCE,
        "attributes": {"before": 1, "after": 2},
        "kind": SpanKind.SERVER,
        "start_time": 1_700_000_000_000_000_000,
        "end_time": 1_700_000_000_000_000_500,
    }
    return ReadableSpan(**{**ordinary, **fields})
