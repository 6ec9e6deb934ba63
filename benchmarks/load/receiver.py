"""The end of the chain: takes plain OTLP from the Collector, and has a place for the number of every span.

A process of its own, run as `python -m benchmarks.load.receiver {"senders": ..., "spans": ..., "windows": ...}` and
spoken to as `otlp_fast.demo.child` describes. Of every span it looks at number, name and times, by columns of
`otlp_fast.decode_traces`; of each request the first span is compared whole, by the official protobuf classes. A request
that cannot be read is an error 500, and its spans are missing in the end.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from werkzeug.wrappers import Request, Response

import otlp_fast
from benchmarks.load.latencies import Latencies
from benchmarks.receiver import ANSWER, PATH_PREFIX, checked_number, spans_of
from benchmarks.web_service import KINDS_OF_REQUESTS, kinds_of_requests
from otlp_fast.demo.child import Conversation
from otlp_fast.demo.server import start_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

NUMBERS_PER_SENDER = 10**9
"""A sender's first number is so many times its place among the senders."""

WINDOW_SECONDS = 10


class Receiver:
    """A WSGI application."""

    def __init__(self, senders: int, spans: int, windows: int) -> None:
        """Take so many spans of each sender; all memory is taken here, so that none is taken later."""
        self._lock = threading.Lock()
        self._seen = np.full((senders, spans), False)
        self._names = np.array([name for name, _, _ in kinds_of_requests()], dtype=object)
        self._latencies = Latencies(windows)
        self._begin_ns = 0
        self._requests = self._spans = self._wrong = 0

    def __call__(self, environment: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        body = Request(environment).get_data()
        self.take(body, time.time_ns())
        return Response(ANSWER, content_type="application/x-protobuf")(environment, start_response)

    def take(self, body: bytes, arrival_ns: int) -> None:
        """Count the spans of a request that arrived at a time."""
        with self._lock:  # One at a time, so that it is no larger than one request needs.
            traces = otlp_fast.decode_traces(body)
            paths = traces.attributes["url.path"].values.tolist()
            numbers = np.array([int(path.removeprefix(PATH_PREFIX)) for path in paths], dtype=np.int64)
            senders, places = np.divmod(numbers, NUMBERS_PER_SENDER)
            right = self._names[numbers % KINDS_OF_REQUESTS] == traces.name.to_numpy()
            right &= (senders < self._seen.shape[0]) & (places < self._seen.shape[1])
            right[0] &= is_whole(traces.filter(np.arange(len(numbers)) == 0).to_bytes())
            self._seen[senders[right], places[right]] = True
            ends: npt.NDArray[np.int64] = traces.end_time_unix_nano.astype(np.int64)
            # Windows are of the time at which spans ended: what a stop of the chain held up is where it began.
            self._begin_ns = self._begin_ns or int(ends.min())
            self._latencies.add(arrival_ns - ends, (ends - self._begin_ns) // (WINDOW_SECONDS * 10**9))
            self._requests += 1
            self._spans += len(numbers)
            self._wrong += int(np.count_nonzero(~right))

    def figures(self) -> dict[str, Any]:
        """Say how much has come."""
        with self._lock:
            return {"spans": self._spans, "requests": self._requests}

    def result(self) -> dict[str, Any]:
        """Say what has come: how many different numbers of each sender, what came twice, what was wrong, latencies."""
        with self._lock:
            distinct = np.count_nonzero(self._seen, axis=1)
            return {
                "requests": self._requests,
                "spans": self._spans,
                "wrong": self._wrong,
                "distinct": distinct.tolist(),
                "repeated": self._spans - self._wrong - int(distinct.sum()),
                "latency": {"whole": self._latencies.whole(), "windows": self._latencies.by_window()},
            }


def is_whole(request: bytes) -> bool:
    """Say whether the one span of a request is in every field what its number demands."""
    [span] = spans_of(ExportTraceServiceRequest.FromString(request))
    return checked_number(span) is not None


def main() -> None:
    """Run as a child process."""
    conversation = Conversation()
    receiver = Receiver(**json.loads(sys.argv[1]))
    server = start_server(receiver)
    conversation.send({"port": server.server_port})
    conversation.serve({"figures": receiver.figures, "result": receiver.result})


if __name__ == "__main__":
    main()
