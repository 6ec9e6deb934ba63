"""The demo's OTLP receiver: takes `POST /v1/traces`, and counts what is in the bytes that arrive.

It reads them with the official protobuf classes, not with otlp-fast, so what it counts is an independent check of what
both exporters sent. It runs as a process of its own (`python -m otlp_fast.demo.receiver {}`), listens on loopback
only, and speaks with its parent as `child` describes: the greeting names the port, the command `take` gives the counts
since the last `take`.
"""

from __future__ import annotations

import gzip
import threading
import zlib
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from werkzeug.wrappers import Request, Response

from otlp_fast.demo.child import Conversation
from otlp_fast.demo.server import start_server

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

TRACES_PATH = "/v1/traces"

_CONTENT_TYPE = "application/x-protobuf"
_ACCEPTED = ExportTraceServiceResponse().SerializeToString()


class Receiver:
    """A WSGI application. Its counts are of requests that it accepted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = _no_counts()

    def __call__(self, environment: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        return self._answer(Request(environment))(environment, start_response)

    def take(self) -> dict[str, int]:
        """Give the counts since the last call, and begin again at zero."""
        with self._lock:
            counts, self._counts = self._counts, _no_counts()
        return counts

    def _answer(self, request: Request) -> Response:
        body = request.get_data()
        if request.path != TRACES_PATH:
            return Response(f"only {TRACES_PATH} is served here", status=404)
        if request.method != "POST":
            return Response(status=405)
        try:
            message = ExportTraceServiceRequest.FromString(_decoded(body, request.headers.get("Content-Encoding", "")))
        except (DecodeError, ValueError, OSError, EOFError, zlib.error) as error:
            return Response(f"not an export request: {error}", status=400)
        spans = sum(
            len(scope_spans.spans)
            for resource_spans in message.resource_spans
            for scope_spans in resource_spans.scope_spans
        )
        with self._lock:
            self._counts["spans"] += spans
            self._counts["requests"] += 1
            self._counts["bytes"] += len(body)
        return Response(_ACCEPTED, content_type=_CONTENT_TYPE)


def _no_counts() -> dict[str, int]:
    return {"spans": 0, "requests": 0, "bytes": 0}


def _decoded(body: bytes, encoding: str) -> bytes:
    if encoding in ("", "identity"):
        return body
    if encoding == "gzip":
        return gzip.decompress(body)
    raise ValueError(f"Content-Encoding {encoding!r} is not supported")


def main() -> None:
    """Run as a child process."""
    conversation = Conversation()
    receiver = Receiver()
    try:
        server = start_server(receiver)
    except OSError as error:
        conversation.send({"error": f"cannot listen on loopback: {error}"})
        return
    conversation.send({"port": server.server_port})
    conversation.serve({"take": receiver.take})


if __name__ == "__main__":
    main()
