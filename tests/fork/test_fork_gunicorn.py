"""A real gunicorn with two workers and a preloaded application: what master and workers made arrives, each once."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.fork.receiver import PROJECT, received_log_records, received_spans
from tests.unit.exporter.scripted_receiver import Receiver

pytest.importorskip("gunicorn")

BEFORE_THE_FORK = 600
AT_WORKER_START = 5
PER_REQUEST = 10
REQUESTS = 40


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(str(self._path))


def get(path: Path, target: str) -> str:
    connection = UnixConnection(path)
    connection.request("GET", target)
    body = connection.getresponse().read().decode()
    connection.close()
    return body


def test_nothing_is_lost_and_nothing_sent_twice(receiver: Receiver, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    counts = map(str, (BEFORE_THE_FORK, AT_WORKER_START, PER_REQUEST))
    command = [sys.executable, "-m", "tests.fork.gunicorn_app", receiver.base, str(path), *counts]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as master:
        try:
            assert master.stdout is not None
            started = {master.stdout.readline().strip() for _ in range(2)}
            answered_by = {get(path, f"/{number}") for number in range(REQUESTS)}
            master.send_signal(signal.SIGTERM)
            _, errors = master.communicate(timeout=90)
        finally:
            master.kill()
    assert master.returncode == 0, errors
    assert answered_by <= started

    expected = Counter(
        f"{who} {number}"
        for who, count in [
            ("preload", BEFORE_THE_FORK),
            *((who, AT_WORKER_START) for who in started),
            *((f"/{number}", PER_REQUEST) for number in range(REQUESTS)),
        ]
        for number in range(count)
    )
    assert received_spans(receiver) == received_log_records(receiver) == expected
