"""`otlp-fast gateway` in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

RUN_MAIN = "from otlp_fast.cli import main; main()"
PROTOBUF = "application/x-protobuf"
WAIT_SECONDS = 60


class GatewayProcess:
    """A gateway that runs."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN_MAIN, "gateway", "--listen", "127.0.0.1:0", *options],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        self.announced = self.process.stderr.readline()
        self.urls = re.findall(r"https?://[^, \n]+", self.announced)

    @property
    def url(self) -> str:
        return self.urls[0]

    def end(self, signal: int) -> tuple[int, str]:
        """Send a signal, and give the exit status and what was written to stderr."""
        self.process.send_signal(signal)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        _, said = self.process.communicate(timeout=WAIT_SECONDS)
        return self.process.returncode, said


@contextmanager
def gateway_process(*options: str) -> Iterator[GatewayProcess]:
    """Run a gateway; what is left of it is killed."""
    running = GatewayProcess(*options)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
        running.process.communicate()


class BlockingHop(ThreadingHTTPServer):
    """A next hop that answers when it is let."""

    daemon_threads = True

    def __init__(self) -> None:
        self.arrived, self.opened = Event(), Event()
        self.bodies: list[bytes] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: BlockingHop

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.arrived.set()
        self.server.opened.wait(WAIT_SECONDS)
        self.send_response(200)
        self.send_header("Content-Type", PROTOBUF)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def blocking_hop(opened: bool = True) -> Iterator[BlockingHop]:
    """Serve a next hop, which answers at once where it is `opened`."""
    with BlockingHop() as hop:
        if opened:
            hop.opened.set()
        thread = Thread(target=hop.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield hop
        finally:
            hop.opened.set()
            hop.shutdown()
            thread.join()


def post(url: str, body: bytes, context: Any = None, **headers: str) -> tuple[int, Message]:
    """Send a request of traces, and give status and headers of the answer."""
    named = {"Content-Type": PROTOBUF, **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = urllib.request.Request(f"{url}/v1/traces", body, named)
    return _open(request, context)


def get(url: str) -> int:
    return _open(urllib.request.Request(url), None)[0]


def _open(request: urllib.request.Request, context: Any) -> tuple[int, Message]:
    try:
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS, context=context) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers
