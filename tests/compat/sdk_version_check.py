"""Run by test_sdk_versions.py under another opentelemetry-sdk: both paths give the bytes of the reference.

Prints the version and how often each path was taken; any difference is an assertion.
"""

from __future__ import annotations

import sys
from collections import Counter
from importlib.metadata import version
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

import otlp_fast
from otlp_fast import reference


class Recorder(SpanProcessor):
    """Keeps what ends."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


def record() -> list[ReadableSpan]:
    """Spans of all sorts, made by the SDK itself."""
    recorder = Recorder()
    provider = TracerProvider(resource=Resource({"service.name": "shop", "größe": 3}, "https://example.com/schema"))
    provider.add_span_processor(recorder)
    remote = SpanContext(1 << 100, 1 << 50, True, TraceFlags(1), TraceState([("vendor", "value"), ("b", "c")]))
    for name in ("flask", "sqlite3"):
        tracer = provider.get_tracer(name, "1.0", "https://example.com/scope")
        for number in range(5):
            with tracer.start_as_current_span(
                f"{name} {number}",
                kind=list(SpanKind)[number],
                attributes={
                    "text": "東京 " * number,
                    "number": 10**number,
                    "flags": [True, False],
                    "ratio": number / 3,
                },
                links=[Link(remote, {"k": number})],
            ) as span:
                span.add_event("event", {"detail": "x" * number})
                if number == 2:
                    span.record_exception(ValueError("broken"))
                    span.set_status(Status(StatusCode.ERROR, "broken"))
                if number == 3:
                    for extra in range(200):  # above the limit: some are dropped
                        span.set_attribute(f"extra.{extra}", extra)
                        span.add_event("many")
    return recorder.spans


class Unknown(ReadableSpan):
    """A class that the walker does not know: the safe path."""


def main() -> None:
    spans = record()
    spans.append(
        ReadableSpan("by hand", SpanContext(1, 2, False), attributes={"k": (1, 2)}, events=[Event("e", {"k": 1}, 5)])
    )
    unknown = []
    for span in spans:
        copy = Unknown.__new__(Unknown)
        copy.__dict__.update(span.__dict__)
        unknown.append(copy)

    readers: Counter[str] = Counter()

    def count(frame: Any, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.endswith("_sdk_fields.py"):
            readers[frame.f_code.co_name] += 1

    expected = reference.encode_spans(spans)
    assert otlp_fast.encode_spans(spans) == expected
    sys.setprofile(count)
    again = otlp_fast.encode_spans(spans)
    sys.setprofile(None)
    assert again == expected
    assert otlp_fast.encode_spans(unknown) == expected
    print(version("opentelemetry-sdk"), len(spans), readers["read_span"], readers["read_public_span"])


if __name__ == "__main__":
    main()
