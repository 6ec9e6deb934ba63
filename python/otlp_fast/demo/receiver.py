"""The demo's OTLP receiver: takes `POST /v1/traces`, `/v1/logs` and `/v1/metrics`, and counts what is in the bytes.

It reads them with the official protobuf classes, not with otlp-fast, so what it counts is an independent check of what
both exporters sent. It runs as a process of its own (`python -m otlp_fast.demo.receiver {}`), listens on loopback
only, and speaks with its parent as `child` describes: the greeting names the port, the command `take` gives the counts
since the last `take`, by signal, and the `digest` of the requests.
"""

from __future__ import annotations

import gzip
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from werkzeug.wrappers import Request, Response

from otlp_fast.demo.child import Conversation
from otlp_fast.demo.digest import digest_of_all, digest_of_request
from otlp_fast.demo.server import start_server
from otlp_fast.demo.telemetry import path_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_CONTENT_TYPE = "application/x-protobuf"
# The response of every signal where all was accepted: a message without any field.
_ACCEPTED = b""

Counts = dict[str, dict[str, Any]]


@dataclass
class _Accepted:
    items: int = 0
    wire_bytes: int = 0
    digests: list[bytes] = field(default_factory=list)

    def tell(self) -> dict[str, Any]:
        return {
            "items": self.items,
            "requests": len(self.digests),
            "bytes": self.wire_bytes,
            "digest": digest_of_all(self.digests),
        }


class _Signal(NamedTuple):
    parse: Callable[[bytes], Any]
    count_items: Callable[[Any], int]


def _count_spans(request: Any) -> int:
    return sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)


def _count_log_records(request: Any) -> int:
    return sum(len(scope.log_records) for resource in request.resource_logs for scope in resource.scope_logs)


def _count_data_points(request: Any) -> int:
    return sum(
        len(getattr(metric, metric.WhichOneof("data")).data_points)
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    )


_SIGNALS: Mapping[str, _Signal] = {
    "traces": _Signal(ExportTraceServiceRequest.FromString, _count_spans),
    "logs": _Signal(ExportLogsServiceRequest.FromString, _count_log_records),
    "metrics": _Signal(ExportMetricsServiceRequest.FromString, _count_data_points),
}
_SIGNAL_AT = {path_of(signal): signal for signal in _SIGNALS}


class Receiver:
    """A WSGI application. Its counts are of requests that it accepted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accepted = _nothing()

    def __call__(self, environment: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        return self._answer(Request(environment))(environment, start_response)

    def take(self) -> Counts:
        """Give the counts since the last call, and begin again at zero."""
        with self._lock:
            accepted, self._accepted = self._accepted, _nothing()
        return {signal: each.tell() for signal, each in accepted.items()}

    def _answer(self, request: Request) -> Response:
        body = request.get_data()
        name = _SIGNAL_AT.get(request.path)
        if name is None:
            return Response(f"only {', '.join(_SIGNAL_AT)} are served here", status=404)
        if request.method != "POST":
            return Response(status=405)
        signal = _SIGNALS[name]
        try:
            decoded = _decoded(body, request.headers.get("Content-Encoding", ""))
            message = signal.parse(decoded)
        except (DecodeError, ValueError, OSError, EOFError, zlib.error) as error:
            return Response(f"not an export request: {error}", status=400)
        items = signal.count_items(message)
        with self._lock:
            accepted = self._accepted[name]
            accepted.items += items
            accepted.wire_bytes += len(body)
            accepted.digests.append(digest_of_request(decoded))
        return Response(_ACCEPTED, content_type=_CONTENT_TYPE)


def _nothing() -> dict[str, _Accepted]:
    return {signal: _Accepted() for signal in _SIGNALS}


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
