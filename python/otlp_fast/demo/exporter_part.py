"""The demo's first part: the official exporters and those of otlp-fast behind the SDK's own processors, one after the
other, and then both encoders on the very same batches.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from otlp_fast.demo.child import Child
from otlp_fast.demo.errors import DemoError
from otlp_fast.demo.progress import Progress, Report
from otlp_fast.demo.result import PIPELINES, Encoding, ExporterRun, Received, SignalRun, summarize_encoding
from otlp_fast.demo.surroundings import Surroundings
from otlp_fast.demo.telemetry import ITEMS
from otlp_fast.demo.traffic import HttpRequest, Traffic

# About a second of traffic. The SDK's default is a minute.
_REQUESTS_PER_COLLECTION = 250

# Encoding is measured again and again for about this long in each service, but not more often than is of use.
_SECONDS_OF_MEASURING = 2.0
_MAX_ROUNDS = 5

_NS_PER_US = 1000


class ExporterPart:
    """Its results; a pipeline that failed is missing in them, and its error is among the failures."""

    def __init__(self, surroundings: Surroundings, progress: Progress) -> None:
        self.runs: dict[str, ExporterRun] = {}
        self.failures: list[str] = []
        self._surroundings = surroundings
        self._progress = progress
        self._checks: list[Mapping[str, Any]] = []
        self._rounds: list[Mapping[str, Any]] = []

    @property
    def encoding(self) -> dict[str, Encoding]:
        """What the encoders did, by signal."""
        if not self._rounds:
            return {}
        return {
            signal: summarize_encoding(
                [check[signal] for check in self._checks], [each[signal] for each in self._rounds]
            )
            for signal in ITEMS
        }

    def run(self, planned: Sequence[HttpRequest]) -> None:
        """Run the service once with each pipeline's exporters."""
        for name, title in PIPELINES.items():
            try:
                self._run_service(name, f"{title} exporters", planned)
            except DemoError as error:
                self.failures.append(f"{title} exporters: {error}")

    def _run_service(self, name: str, title: str, planned: Sequence[HttpRequest]) -> None:
        self._surroundings.take_counts()
        settings = self._surroundings.settings(name, f"{name} exporters")
        with Child("service", "otlp_fast.demo.service", asdict(settings), self._surroundings.environment) as service:
            with self._progress.step(f"{title}, requests", len(planned)) as report:
                finished = answer_requests(service, planned, report)
            self.runs[name] = _exporter_run(finished, self._surroundings.take_counts())
            with self._progress.step(f"{title}, encoders compared", _MAX_ROUNDS) as report:
                self._compare_encoders(service, report)

    def _compare_encoders(self, service: Child, report: Report) -> None:
        self._checks.append(service.ask("check"))
        end = time.monotonic() + _SECONDS_OF_MEASURING
        for done in range(1, _MAX_ROUNDS + 1):
            self._rounds.append(service.ask("measure"))
            report(done)
            if time.monotonic() > end:
                break
        report(_MAX_ROUNDS)


def answer_requests(service: Child, planned: Sequence[HttpRequest], report: Report) -> Mapping[str, Any]:
    """Have a service answer all requests and export all of its telemetry; give what it says of it."""
    for begin in range(0, len(planned), _REQUESTS_PER_COLLECTION):
        requests = planned[begin : begin + _REQUESTS_PER_COLLECTION]
        Traffic(service.greeting["port"], requests).send_all(partial(_report_further, report, begin))
        service.ask("collect")
    return service.ask("finish")


def _report_further(report: Report, before: int, answered: int) -> None:
    report(before + answered)


def _exporter_run(finished: Mapping[str, Any], counts: Mapping[str, Mapping[str, Any]] | None) -> ExporterRun:
    return ExporterRun(
        signals={
            signal: SignalRun(
                made=figures["made"],
                delivered=figures["delivered"],
                received=None if counts is None else Received(**counts[signal]),
                export_cpu_us_per_item=figures["export_cpu_ns_per_item"] / _NS_PER_US,
            )
            for signal, figures in finished["signals"].items()
        },
        first_message=finished["first_message"],
    )
