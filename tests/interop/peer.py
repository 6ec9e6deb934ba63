"""A Collector in a process of its own: configured, started, killed, started again, and what its file exporter wrote.

Each signal goes through `otlp` (gRPC and HTTP on loopback), `memory_limiter` and `batch` into a file of
length-prefixed protobuf messages, so that nothing is lost in a text form. Processors and exporters can be replaced.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.interop.build import collector_program

SIGNALS = ("traces", "logs", "metrics")
_START_SECONDS = 30
_STOP_SECONDS = 30


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on: the Collector cannot say what it took, and takes the same again."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listening.getsockname()[1] for listening in sockets]
    for listening in sockets:
        listening.close()
    return ports


class Collector:
    """One Collector, on ports that it keeps when it is started again; use it as a context manager.

    Attributes:
        folder: where its configuration, its log and its files are.
        http: the base URL of its OTLP/HTTP receiver.
        grpc: host:port of its OTLP/gRPC receiver.
        log: what it wrote to stderr, of all its starts.
    """

    def __init__(
        self,
        folder: Path,
        *,
        exporters: Mapping[str, Any] | None = None,
        processors: Mapping[str, Any] | None = None,
        receiver: Mapping[str, Any] | None = None,
    ) -> None:
        """Prepare a Collector that keeps its files in `folder`.

        Args:
            folder: exists, and belongs to this Collector.
            exporters: its exporters by name, each of them for all signals; by default a file for each signal.
            processors: its processors by name, in their order; by default `memory_limiter` and `batch`.
            receiver: settings added to both protocols of its receiver, such as `max_request_body_size` under "http".
        """
        self.folder = folder
        http, grpc = free_ports(2)
        self.http, self.grpc = f"http://127.0.0.1:{http}", f"127.0.0.1:{grpc}"
        self.log = folder / "collector.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._configuration = folder / "collector.json"
        self._configuration.write_text(json.dumps(self._configured(exporters, processors, receiver or {}), indent=1))

    def _configured(
        self, exporters: Mapping[str, Any] | None, processors: Mapping[str, Any] | None, receiver: Mapping[str, Any]
    ) -> dict[str, Any]:
        protocols = {
            "grpc": {"endpoint": self.grpc, **receiver.get("grpc", {})},
            "http": {"endpoint": self.http.removeprefix("http://"), **receiver.get("http", {})},
        }
        if processors is None:
            processors = {
                "memory_limiter": {"check_interval": "1s", "limit_mib": 1024, "spike_limit_mib": 256},
                "batch": {"timeout": "50ms"},
            }
        by_signal: dict[str, Sequence[str]] = {name: list(exporters or ()) for name in SIGNALS}
        if exporters is None:
            exporters = {f"file/{name}": self._file(name) for name in SIGNALS}
            by_signal = {name: [f"file/{name}"] for name in SIGNALS}
        return {
            "receivers": {"otlp": {"protocols": protocols}},
            "processors": dict(processors),
            "exporters": dict(exporters),
            "service": {
                "telemetry": {"metrics": {"level": "none"}, "logs": {"level": "info"}},
                "pipelines": {
                    name: {"receivers": ["otlp"], "processors": list(processors), "exporters": by_signal[name]}
                    for name in SIGNALS
                },
            },
        }

    def _file(self, name: str) -> dict[str, Any]:
        return {"path": str(self.folder / f"{name}.bin"), "format": "proto", "append": True, "flush_interval": "100ms"}

    def __enter__(self) -> Collector:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._process is not None:
            self.stop()

    def start(self) -> None:
        """Start it, and wait until both receivers take connections."""
        command = [collector_program(), "--config", f"file:{self._configuration}"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder)
        for address in (self.grpc, self.http.removeprefix("http://")):
            self._wait_for(address)

    def _wait_for(self, address: str) -> None:
        host, port = address.split(":")
        end = time.monotonic() + _START_SECONDS
        while True:
            assert self._process is not None
            assert self._process.poll() is None, f"the Collector ended:\n{self.log.read_text()[-3000:]}"
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
                return
            except OSError:
                assert time.monotonic() < end, f"the Collector does not listen:\n{self.log.read_text()[-3000:]}"
                time.sleep(0.05)

    @property
    def pid(self) -> int:
        """Its process id, while it runs."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """End it as an orchestrator does: everything it has taken is written before it ends."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash does: what it had not written is gone."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        try:
            self._process.wait(_STOP_SECONDS)
        finally:
            self._process.kill()
            self._process = None

    def written(self, name: str) -> Iterator[bytes]:
        """The requests that its file exporter wrote for a signal, whole ones only: a killed Collector leaves parts."""
        data = (self.folder / f"{name}.bin").read_bytes()
        position = 0
        while position + 4 <= len(data):
            end = position + 4 + int.from_bytes(data[position : position + 4], "big")
            if end > len(data):
                return
            yield data[position + 4 : end]
            position = end
