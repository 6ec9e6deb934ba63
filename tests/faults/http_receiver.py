"""An HTTP receiver that misbehaves as it is told, on plain sockets: it does what no HTTP server would.

A behaviour is a function of one `Exchange`: it reads the request or does not, takes it or does not, and answers what
it likes. What was taken is in the ledger.
"""

from __future__ import annotations

import gzip
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Mapping
from email.utils import formatdate
from functools import cached_property
from time import time
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from otlp_fast.tracezip import StateLostError
from tests.faults.ledger import Ledger, Receipt
from tests.faults.tracezip_streams import TracezipStreams

MEBIBYTE = 1024 * 1024
LARGE_BODY = 100 * MEBIBYTE


class Exchange:
    """One request on one connection, which is not read before the behaviour asks for it."""

    def __init__(self, receiver: HTTPReceiver, connection: socket.socket, stream: Any) -> None:
        self.closing = receiver.closing
        self.is_over = False
        """Nothing more can be said on this connection."""
        self._ledger = receiver.ledger
        self._streams = receiver.streams
        self._connection = connection
        self._stream = stream
        self._receipt: Receipt | None = None
        self._unread = 0

    @cached_property
    def headers(self) -> dict[str, str]:
        self._stream.readline()
        headers = {}
        while line := self._stream.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        self._unread = int(headers["content-length"])
        return headers

    def read(self, size: int | None = None) -> bytes:
        """Read the body, or the first `size` bytes of it."""
        wanted = int(self.headers["content-length"]) if size is None else size
        body: bytes = self._stream.read(wanted)
        self._unread -= len(body)
        return body

    def take(self, rejected: int = 0) -> None:
        """Read the request and take it, but its first `rejected` items."""
        body = self.read()
        if self._unread:
            return
        encoding = self.headers.get("content-encoding", "")
        if encoding == "tracezip":
            self._receipt = self._streams.take(body, rejected)
        else:
            self._receipt = self._ledger.take(body, encoding, rejected)

    def send(self, *pieces: bytes, pause: float = 0.0) -> None:
        """Write bytes as they are, with a pause before each piece but the first."""
        for number, piece in enumerate(pieces):
            if number and pause and self.closing.wait(pause):
                raise ConnectionAbortedError("the receiver was stopped")
            self._connection.sendall(piece)

    def answer(self, status: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """Give a whole answer. A request that was taken is acknowledged by it."""
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in (headers or {}).items())]
        self.send("\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body)
        self.acknowledge()

    def acknowledge(self) -> None:
        """Note that the sender knows now that the request was taken."""
        if self._receipt is not None:
            self._receipt.acknowledged = True

    def close(self) -> None:
        """End the connection in good order."""
        self.is_over = True
        self._connection.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        self.is_over = True
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # The stream holds the socket open, too.
        self._stream.close()
        self._connection.close()

    def end(self) -> None:
        """Close where the rest of a request would be taken for the next one."""
        if not self.is_over and ("headers" not in self.__dict__ or self._unread):
            self.close()


Behaviour = Callable[[Exchange], None]


class _Handler(socketserver.StreamRequestHandler):
    server: Any
    rbufsize = 64 * 1024

    def handle(self) -> None:
        receiver: HTTPReceiver = self.server.receiver
        try:
            # A kept connection on which nothing more comes uses up no behaviour.
            while receiver.is_running and self.rfile.peek(1):
                exchange = Exchange(receiver, self.connection, self.rfile)
                try:
                    receiver.next_behaviour()(exchange)
                except StateLostError:
                    exchange.answer("409 Conflict", headers={"Tracezip-State": "reset"})
                exchange.end()
                if exchange.is_over:
                    return
        except (OSError, ValueError):
            # The sender, or the receiver, has ended the connection.
            return

    def finish(self) -> None:
        self.rfile.close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64
    receiver: HTTPReceiver

    def process_request(self, request: Any, client_address: Any) -> None:
        self.receiver.connections.append(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        request.close()


class HTTPReceiver:
    """Does with each request what the script says next, and `default` after the script."""

    transport = "http"

    def __init__(self, port: int = 0, default: Behaviour | None = None, ledger: Ledger | None = None) -> None:
        self.ledger = ledger or Ledger()
        self.streams = TracezipStreams(self.ledger)
        self.default = default or accept
        self.closing = threading.Event()
        self.connections: list[socket.socket] = []
        self.is_running = False
        self.port = port
        self.played: set[Behaviour] = set()
        self._script: list[Behaviour] = []
        self._lock = threading.Lock()
        self.start()

    def endpoint(self, signal: str) -> str:
        return f"http://127.0.0.1:{self.port}/v1/{signal}"

    def script(self, *behaviours: Behaviour) -> None:
        with self._lock:
            self._script = list(behaviours)

    def next_behaviour(self) -> Behaviour:
        with self._lock:
            behaviour = self._script.pop(0) if self._script else self.default
            self.played.add(behaviour)
        return behaviour

    def start(self) -> None:
        """Listen, on the same port as before."""
        self.closing.clear()
        self._server = _Server(("127.0.0.1", self.port), _Handler, bind_and_activate=False)
        self._server.receiver = self
        self._server.server_bind()
        self._server.server_activate()
        self.port = self._server.server_address[1]
        self.is_running = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the port and every connection, and lose the state of tracezip streams."""
        if not self.is_running:
            return
        self.is_running = False
        self.streams.forget()
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
        while self.connections:
            connection = self.connections.pop()
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def answering(status: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Behaviour:
    """Read the request, do not take it, and answer so."""

    def play(exchange: Exchange) -> None:
        exchange.read()
        exchange.answer(status, body, headers)

    return play


def taking(status: str = "200 OK", body: bytes = b"", headers: Mapping[str, str] | None = None) -> Behaviour:
    """Take the request and answer so."""

    def play(exchange: Exchange) -> None:
        exchange.take()
        exchange.answer(status, body, headers)

    return play


def taking_then_sending(*pieces: bytes, pause: float = 0.0, acknowledged: bool) -> Behaviour:
    """Take the request, send these bytes, whatever they are, and close. Is the sender to understand them as a yes?"""

    def play(exchange: Exchange) -> None:
        exchange.take()
        exchange.send(*pieces, pause=pause)
        if acknowledged:
            exchange.acknowledge()
        exchange.close()

    return play


accept = taking()


def accept_in_part(exchange: Exchange) -> None:
    """Reject the first item of the request, whatever there is more."""
    exchange.take(rejected=1)
    response = ExportTraceServiceResponse()
    response.partial_success.rejected_spans = 1
    response.partial_success.error_message = "too old"
    exchange.answer("200 OK", response.SerializeToString(), {"Content-Type": "application/x-protobuf"})


def refuse_by_length(limit: int) -> Behaviour:
    """Take what is short enough, and answer 413 to the rest, before it has arrived, as proxies do."""

    def play(exchange: Exchange) -> None:
        if int(exchange.headers["content-length"]) <= limit:
            accept(exchange)
        else:
            exchange.answer("413 Content Too Large", headers={"Connection": "close"})

    return play


def answer_503_until_in_a_second(exchange: Exchange) -> None:
    exchange.read()
    exchange.answer("503 Service Unavailable", headers={"Retry-After": formatdate(time() + 1, usegmt=True)})


def close_before_reading(exchange: Exchange) -> None:
    exchange.close()


def reset_before_reading(exchange: Exchange) -> None:
    exchange.reset()


def reset_in_body(exchange: Exchange) -> None:
    exchange.read(int(exchange.headers["content-length"]) // 2)
    exchange.reset()


def close_after_taking(exchange: Exchange) -> None:
    exchange.take()
    exchange.close()


def reset_after_taking(exchange: Exchange) -> None:
    exchange.take()
    exchange.reset()


def reset_in_answer(exchange: Exchange) -> None:
    exchange.take()
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    exchange.reset()


def hang_before_reading(exchange: Exchange) -> None:
    exchange.closing.wait()


def hang_after_taking(exchange: Exchange) -> None:
    exchange.take()
    exchange.closing.wait()


def drip_an_endless_head(exchange: Exchange) -> None:
    exchange.take()
    exchange.send(b"HTTP/1.1 200 OK\r\nX-Slow: ", *[b"x"] * 10_000, pause=0.01)


def continue_for_ever(exchange: Exchange) -> None:
    exchange.take()
    exchange.send(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 10_000, pause=0.01)


def answer_with_leftovers(exchange: Exchange) -> None:
    """Acknowledge, and go on: what lies on the kept connection is no answer to the next request."""
    exchange.take()
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\x0a\x00" + b"HTTP/1.1 500 Leftover\r\n\r\n" * 3)
    exchange.acknowledge()


def large_body(status: str) -> Behaviour:
    """Answer with a body of 100 MiB."""

    def play(exchange: Exchange) -> None:
        piece = bytes(64 * 1024)
        if status.startswith("200"):
            exchange.take()
        else:
            exchange.read()
        exchange.send(f"HTTP/1.1 {status}\r\nContent-Length: {LARGE_BODY}\r\n\r\n".encode())
        exchange.acknowledge()
        exchange.send(*[piece] * (LARGE_BODY // len(piece)))

    return play


def gzip_bomb(status: str) -> Behaviour:
    """Answer with a body of 100 MiB that was compressed to a thousandth."""

    def play(exchange: Exchange) -> None:
        headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
        bomb = gzip.compress(bytes(LARGE_BODY), compresslevel=1)
        (taking if status.startswith("200") else answering)(status, bomb, headers)(exchange)

    return play
