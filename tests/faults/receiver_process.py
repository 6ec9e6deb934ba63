"""A receiver in a process of its own, which can be killed and has memory of its own.

Run as `python -m tests.faults.receiver_process <transport> <port> <behaviour>...`: it meets the first requests with
these behaviours, and accepts all others. It writes its port, and then each request that it takes, in hexadecimal,
before it answers.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from tests.faults import grpc_receiver, http_receiver
from tests.faults.ledger import Ledger, Receipt

_BEHAVIOURS = {
    "http": {
        "accept": http_receiver.accept,
        "hang": http_receiver.hang_after_taking,
        "large": http_receiver.large_body("200 OK"),
        "large refusal": http_receiver.large_body("400 Bad Request"),
        "bomb": http_receiver.gzip_bomb("200 OK"),
        "bomb refusal": http_receiver.gzip_bomb("400 Bad Request"),
    },
    "grpc": {
        "accept": grpc_receiver.accept,
        "hang": grpc_receiver.hang_after_taking,
        "large": grpc_receiver.accept_with_large_response,
    },
}


class WrittenLedger(Ledger):
    """Writes down what is taken, so that it outlives the process."""

    def take(self, body: bytes, encoding: str = "", rejected: int = 0) -> Receipt:
        print(body.hex(), flush=True)
        return Receipt(body)


class ReceiverProcess:
    """A running receiver. What it takes is in `ledger`, from where nothing tells whether it was acknowledged."""

    def __init__(self, transport: str, ledger: Ledger, port: int = 0, script: tuple[str, ...] = ()) -> None:
        self.transport = transport
        self._ledger = ledger
        command = [sys.executable, "-m", "tests.faults.receiver_process", transport, str(port), *script]
        project = Path(__file__).resolve().parents[2]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=project)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input = self._process.stdin
        self._lines = self._process.stdout
        self.port = int(self._lines.readline())
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def endpoint(self, signal: str) -> str:
        path = f"/v1/{signal}" if self.transport == "http" else ""
        return f"http://127.0.0.1:{self.port}{path}"

    def kill(self) -> None:
        """End it with SIGKILL, and wait until everything that it took is in the ledger."""
        self._process.kill()
        self._process.wait(10)
        self._reader.join(10)
        self._lines.close()
        self._input.close()

    def _read(self) -> None:
        for line in self._lines:
            self._ledger.take(bytes.fromhex(line))


def main(transport: str, port: str, *script: str) -> None:
    """Receive until killed, or until the process that began this one is gone and its end of the pipe with it."""
    receiver_class = {"http": http_receiver.HTTPReceiver, "grpc": grpc_receiver.GRPCReceiver}[transport]
    receiver = receiver_class(int(port), ledger=WrittenLedger())
    receiver.script(*(_BEHAVIOURS[transport][name] for name in script))
    print(receiver.port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
