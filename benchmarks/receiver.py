"""The receiver of the whole-process benchmarks: takes OTLP/HTTP, and checks every span of `WebService` that arrives.

A process of its own (`python -m benchmarks.receiver {}`), spoken to as `otlp_fast.demo.child` describes. It reads with
the official protobuf classes. A request is decoded before it is answered, as a real receiver does; its spans are looked
at only when the counts are asked for, when nothing is measured.
"""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.trace import SpanKind
from werkzeug.wrappers import Request, Response

from benchmarks.web_service import expected_span, path_of
from otlp_fast.demo.child import Conversation
from otlp_fast.demo.server import start_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ANSWER = ExportTraceServiceResponse().SerializeToString()
PATH_PREFIX = path_of(0).removesuffix("0")


class Receiver:
    """A WSGI application."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._messages: list[Any] = []
        self._bytes = 0

    def __call__(self, environment: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request. Whatever is no gzip of an export request is an error 500, and so not counted."""
        body = Request(environment).get_data()
        message = ExportTraceServiceRequest.FromString(gzip.decompress(body))
        with self._lock:
            self._messages.append(message)
            self._bytes += len(body)
        return Response(ANSWER, content_type="application/x-protobuf")(environment, start_response)

    def take(self) -> dict[str, int]:
        """Say what has come since the last call, and forget it: requests, bytes, spans, and how many of them are right.

        A span is right if it is what its number demands and no other with that number has come.
        """
        with self._lock:
            messages, self._messages = self._messages, []
            size, self._bytes = self._bytes, 0
        spans = [span for message in messages for span in spans_of(message)]
        right = {number for span in spans if (number := checked_number(span)) is not None}
        return {"requests": len(messages), "bytes": size, "spans": len(spans), "right": len(right)}


def spans_of(message: Any) -> Iterable[Any]:
    """Give the spans of a request."""
    for resource_spans in message.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            yield from scope_spans.spans


def checked_number(span: Any) -> int | None:
    """Give the number of the request that a span is of, or None where the span is not what it should be."""
    attributes = {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in span.attributes}
    number = int(attributes["url.path"].removeprefix(PATH_PREFIX))
    name, expected, parent = expected_span(number)
    right = (
        (span.name, attributes, int.from_bytes(span.parent_span_id, "big")) == (name, expected, parent)
        and span.kind == SpanKind.SERVER.value + 1
        and len(span.trace_id) == 16
        and len(span.span_id) == 8
        and 0 < span.start_time_unix_nano <= span.end_time_unix_nano
    )
    return number if right else None


def main() -> None:
    """Run as a child process."""
    conversation = Conversation()
    receiver = Receiver()
    server = start_server(receiver)
    conversation.send({"port": server.server_port})
    conversation.serve({"take": receiver.take})


if __name__ == "__main__":
    main()
