"""A receiver on a real socket whose answers each test scripts."""

from __future__ import annotations

import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOGGER = "otlp_fast.exporter.http"


@dataclass
class Request:
    """What arrived in one request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    """Number of the connection, in the order in which they were opened."""


@dataclass
class Reply:
    """An HTTP answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0

    def __call__(self, handler: Handler, request: Request) -> None:
        if self.delay:
            handler.receiver.closing.wait(self.delay)
        handler.send_response(self.status)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(self.body)))
        handler.end_headers()
        handler.wfile.write(self.body)


@dataclass
class Raw:
    """Bytes written as they are, with a pause before each piece, then the end of the connection."""

    pieces: Sequence[bytes]
    pause: float = 0.0

    def __call__(self, handler: Handler, request: Request) -> None:
        handler.close_connection = True
        for piece in self.pieces:
            if handler.receiver.closing.wait(self.pause):
                return
            handler.wfile.write(piece)
            handler.wfile.flush()


def reset(handler: Handler, request: Request) -> None:
    """Answer with a TCP reset."""
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


Answer = Callable[["Handler", Request], None]


class Handler(BaseHTTPRequestHandler):
    """Records each request and plays the next answer of the script."""

    protocol_version = "HTTP/1.1"
    server: Any

    @property
    def receiver(self) -> Receiver:
        return self.server.receiver

    def setup(self) -> None:
        super().setup()
        self.number = self.receiver.opened(self.connection)

    def handle(self) -> None:
        try:
            super().handle()
        except (OSError, ValueError):
            # The client or the test ended the connection.
            self.close_connection = True

    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):
            self.close_connection = True

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        if length > self.receiver.body_limit:
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body, self.number)
        self.receiver.next_answer(request)(self, request)

    def log_message(self, *arguments: Any) -> None:
        """Keep quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet: a client that hangs up is part of many tests."""

    def shutdown_request(self, request: Any) -> None:
        try:
            super().shutdown_request(request)
        except OSError:
            request.close()


class Receiver:
    """An OTLP/HTTP receiver for one test: answers 200 with an empty body where the script has no more to say."""

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self.body_limit = sys.maxsize
        self._script: list[Answer] = []
        self._default: Answer = Reply()
        self._connections: list[socket.socket] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), Handler)
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            # The handshake belongs to the connection's thread, not to the one that accepts.
            listener = self._server.socket
            self._server.socket = tls.wrap_socket(listener, server_side=True, do_handshake_on_connect=False)
        self._server.receiver = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def base(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.base}/v1/traces"

    def script(self, *answers: Answer) -> None:
        """Answer the next requests so."""
        self._script = list(answers)

    def always(self, answer: Answer) -> None:
        """Answer every request after the script so."""
        self._default = answer

    def refuse_bodies_over(self, size: int) -> None:
        """Answer 413 to longer requests, without reading or recording them."""
        self.body_limit = size

    def opened(self, connection: socket.socket) -> int:
        with self._lock:
            self._connections.append(connection)
            return len(self._connections) - 1

    def next_answer(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            return self._script.pop(0) if self._script else self._default

    def end_connections(self) -> None:
        """Close every open connection from this side."""
        with self._lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self.end_connections()
        self._thread.join(5)


class Stopwatch:
    """Seconds spent in the body of the `with` statement."""

    def __enter__(self) -> Stopwatch:
        self._started = time.monotonic()
        return self

    def __exit__(self, *exception: object) -> None:
        self.seconds = time.monotonic() - self._started
