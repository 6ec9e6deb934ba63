"""A Collector in a process of its own: configured, started, killed, started again, and what its exporters wrote.

Each signal goes through `otlp` (gRPC and HTTP on loopback), `memory_limiter` and `batch` into a file of
length-prefixed protobuf messages, so that nothing is lost in a text form, and beside it into the text of the `debug`
exporter. Processors and exporters can be replaced.

What a Collector like that acknowledges is in its memory for a while. With `writes_at_once` it is in the file before it
is acknowledged: nothing batches, the file exporter has no queue, and one that may rotate its file writes each request
by a single `write` instead of through a buffer. So nothing is to be waited for, and nothing acknowledged dies with it.
"""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

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
        debug: what its debug exporter wrote, a line for each request.
    """

    def __init__(
        self,
        folder: Path,
        *,
        exporters: Mapping[str, Any] | None = None,
        processors: Mapping[str, Any] | None = None,
        receiver: Mapping[str, Any] | None = None,
        writes_at_once: bool = False,
        verbosity: str = "basic",
    ) -> None:
        """Prepare a Collector that keeps its files in `folder`.

        Args:
            folder: exists, and belongs to this Collector.
            exporters: its exporters by name, each of them for all signals; by default a file for each, and `debug`.
            processors: its processors by name, in their order; by default `memory_limiter` and `batch`.
            receiver: settings added to both protocols of its receiver, such as `max_request_body_size` under "http".
            writes_at_once: a request is in the file before it is acknowledged; no `batch` processor by default.
            verbosity: of the debug exporter; "detailed" has every item.
        """
        self.folder = folder
        self._writes_at_once = writes_at_once
        http, grpc = free_ports(2)
        self.http, self.grpc = f"http://127.0.0.1:{http}", f"127.0.0.1:{grpc}"
        self.log, self.debug = folder / "collector.log", folder / "debug.txt"
        self._verbosity = verbosity
        self._positions: dict[str, int] = {}
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
            processors = {"memory_limiter": {"check_interval": "1s", "limit_mib": 1024, "spike_limit_mib": 256}}
            if not self._writes_at_once:
                processors["batch"] = {"timeout": "50ms"}
        by_signal: dict[str, Sequence[str]] = {name: list(exporters or ()) for name in SIGNALS}
        if exporters is None:
            text = {"verbosity": self._verbosity, "use_internal_logger": False, "output_paths": [str(self.debug)]}
            exporters = {**{f"file/{name}": self._file(name) for name in SIGNALS}, "debug": text}
            by_signal = {name: [f"file/{name}", "debug"] for name in SIGNALS}
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
        file = {"path": str(self._path(name)), "format": "proto"}
        if self._writes_at_once:
            return {**file, "rotation": {"max_megabytes": 1024}}
        return {**file, "append": True, "flush_interval": "100ms"}

    def __enter__(self) -> Collector:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._process is not None:
            self.stop()

    def start(self) -> None:
        """Start it, and wait until both receivers take connections. What a killed one wrote in part is cut off."""
        for name in SIGNALS:
            self._cut_off_what_was_written_in_part(name)
        command = [collector_program(), "--config", f"file:{self._configuration}"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder)
        try:
            for address in (self.grpc, self.http.removeprefix("http://")):
                self._wait_for(address)
        except BaseException:
            self.kill()
            raise

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
            self._process.wait()
            self._process = None

    def written(self, name: str, after: int = 0) -> Iterator[bytes]:
        """The requests that its file exporter wrote for a signal behind a position of the file.

        Whole ones only: a killed Collector leaves parts.
        """
        with self._opened(name) as file:
            file.seek(after)
            while (head := file.read(4)) and len(head) == 4:
                length = int.from_bytes(head, "big")
                request = file.read(length)
                if len(request) < length:
                    return
                yield request

    def position(self, name: str) -> int:
        """Where the next request of a signal will be written, as `written` takes it."""
        known = self._positions.get(name, 0)
        self._positions[name] = known + sum(4 + len(request) for request in self.written(name, known))
        return self._positions[name]

    def _cut_off_what_was_written_in_part(self, name: str) -> None:
        if self._path(name).exists():
            os.truncate(self._path(name), self.position(name))

    def _opened(self, name: str) -> BinaryIO:
        return self._path(name).open("rb") if self._path(name).exists() else io.BytesIO()

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.bin"
