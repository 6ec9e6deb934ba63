"""Runs the demo: starts the processes, sends the traffic, gathers the result.

Everything that could make the two runs differ is the same for both or is taken away: each has a fresh process, a fresh
database with the same content, the same requests, and an environment without OTEL_* variables and proxies. For an
endpoint of the user's those variables that are about reaching it stay.
"""

from __future__ import annotations

import logging
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import otlp_fast
from otlp_fast.demo.child import Child
from otlp_fast.demo.database import create_database
from otlp_fast.demo.errors import DemoError
from otlp_fast.demo.progress import Progress, Report
from otlp_fast.demo.result import EXPORTERS, DemoResult, ExporterRun, Received, summarize_encoding
from otlp_fast.demo.server import LOOPBACK
from otlp_fast.demo.service_settings import ServiceSettings
from otlp_fast.demo.traffic import Traffic, plan_requests
from otlp_fast.exporter.client import OTLPClient
from otlp_fast.exporter.compression import compress
from otlp_fast.exporter.configuration import resolve_settings

_TRACES_PATH = "/v1/traces"
_SECONDS_TO_ANSWER = 3.0

# Encoding is measured again and again for about this long in each service, but not more often than is of use.
_SECONDS_OF_MEASURING = 2.0
_MAX_ROUNDS = 5

_NS_PER_US = 1000


def run_demo(requests: int, endpoint: str | None, compression: str) -> DemoResult:
    """Run the demo with `requests` HTTP requests for each exporter.

    Args:
        requests: How many the service answers.
        endpoint: What `checked_endpoint` gave, or None for a receiver of the demo's own.
        compression: `none` or `gzip`.

    Raises:
        DemoError: It could not be done.
    """
    if endpoint is None:
        environment = _child_environment(own_receiver=True)
        with Child("receiver", "otlp_fast.demo.receiver", {}, environment) as receiver:
            own_endpoint = f"http://{LOOPBACK}:{receiver.greeting['port']}{_TRACES_PATH}"
            return _Demo(requests, own_endpoint, compression, environment, receiver).run()
    return _Demo(requests, endpoint, compression, _child_environment(own_receiver=False), None).run()


def checked_endpoint(endpoint: str, compression: str) -> str:
    """Give the full URL of a receiver, having sent it an empty request.

    A wrong endpoint is one line now and not a failed demo later. Where the URL has no path, the one for traces is
    appended, as the exporters do with OTEL_EXPORTER_OTLP_ENDPOINT.

    Raises:
        DemoError: The URL or a variable for exporters cannot be right, or the receiver did not take the request.
    """
    if urlsplit(endpoint).path in ("", "/"):
        endpoint = endpoint.rstrip("/") + _TRACES_PATH
    try:
        settings = resolve_settings("traces", endpoint=endpoint, compression=compression)
        client = OTLPClient(settings, None, logging.Logger("otlp_fast.demo", logging.CRITICAL))
    except ValueError as error:
        raise DemoError(str(error)) from None
    outcome = client.send(compress(b"", settings.compression), time.monotonic() + _SECONDS_TO_ANSWER)
    client.shutdown()
    if not outcome.delivered:
        raise DemoError(f"{settings.address} does not take spans: {outcome.explanation}")
    return endpoint


class _Demo:
    """Both runs against one receiver."""

    def __init__(
        self, requests: int, endpoint: str, compression: str, environment: Mapping[str, str], receiver: Child | None
    ) -> None:
        self._planned = plan_requests(requests)
        self._endpoint = endpoint
        self._compression = compression
        self._environment = environment
        self._receiver = receiver
        self._progress = Progress()
        self._checks: list[Mapping[str, Any]] = []
        self._rounds: list[Mapping[str, Mapping[str, list[float]]]] = []

    def run(self) -> DemoResult:
        """Run the service once with each exporter."""
        begin = time.monotonic()
        with TemporaryDirectory(prefix="otlp-fast-demo-") as folder:
            runs = {name: self._run_exporter(name, Path(folder, f"{name}.sqlite")) for name in EXPORTERS}
        return DemoResult(
            http_requests=len(self._planned),
            endpoint=self._endpoint,
            compression=self._compression,
            runs=runs,
            encoding=summarize_encoding(self._checks, self._rounds),
            versions=_versions(),
            seconds=time.monotonic() - begin,
        )

    def _run_exporter(self, name: str, database: Path) -> ExporterRun:
        create_database(database)
        settings = ServiceSettings(name, self._endpoint, self._compression, str(database))
        with Child("service", "otlp_fast.demo.service", asdict(settings), self._environment) as service:
            with self._progress.step(f"{EXPORTERS[name]}, requests", len(self._planned)) as report:
                Traffic(service.greeting["port"], self._planned).send_all(report)
                finished = service.ask("finish")
            received = None if self._receiver is None else self._receiver.ask("take")
            with self._progress.step(f"{EXPORTERS[name]}, encoders compared", _MAX_ROUNDS) as report:
                self._compare_encoders(service, report)
        return _exporter_run(finished, received)

    def _compare_encoders(self, service: Child, report: Report) -> None:
        self._checks.append(service.ask("check"))
        end = time.monotonic() + _SECONDS_OF_MEASURING
        for done in range(1, _MAX_ROUNDS + 1):
            self._rounds.append(service.ask("measure"))
            report(done)
            if time.monotonic() > end:
                break
        report(_MAX_ROUNDS)


def _exporter_run(finished: Mapping[str, Any], received: Mapping[str, int] | None) -> ExporterRun:
    return ExporterRun(
        spans_created=finished["created"],
        spans_delivered=finished["delivered"],
        received=None if received is None else Received(**received),
        export_cpu_us_per_span=finished["export_cpu_ns"] / _NS_PER_US / finished["exported"],
        export_cpu_share=finished["export_cpu_ns"] / finished["service_cpu_ns"],
        first_message=finished["first_message"],
    )


def _child_environment(*, own_receiver: bool) -> dict[str, str]:
    """Give the environment of the child processes, without what would make one demo differ from another.

    PYTHONSAFEPATH keeps modules in the current folder from standing in for those that are meant.
    """
    environment = {"PYTHONSAFEPATH": "1"}
    for name, value in os.environ.items():
        if name.startswith("OTEL_EXPORTER_OTLP_") or name.lower().endswith("_proxy"):
            kept = not own_receiver
        else:
            kept = not name.startswith("OTEL_")
        if kept:
            environment[name] = value
    return environment


def _versions() -> dict[str, str]:
    distributions = ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http", "protobuf", "flask")
    return {
        "otlp-fast": otlp_fast.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in distributions},
    }
