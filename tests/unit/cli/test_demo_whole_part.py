"""The arithmetic of the demo's second part, and that a service which fails does so alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from otlp_fast.demo import whole_part
from otlp_fast.demo.child import Child
from otlp_fast.demo.errors import DemoError
from otlp_fast.demo.progress import Progress
from otlp_fast.demo.result import WholeRun
from otlp_fast.demo.service_settings import ServiceSettings
from otlp_fast.demo.surroundings import Surroundings
from otlp_fast.demo.whole_part import WholePart

REQUESTS_PER_TURN = 10
TURNS = 3
BURST = 7

# CPU time per request in us, turn by turn, of the services in the order in which they start: two that export nothing,
# the official processors, those of otlp-fast. The first turn is as expensive as no other, and not counted.
CPU_US = ([900, 100, 104], [900, 102, 100], [9000, 501, 602], [9900, 121, 132])
SERVICES = ("none", "none", "official", "otlp_fast")


class Services:
    """Stands in for the processes: services that take the turns that they are given, and a receiver that counts."""

    def __init__(self, failing: Mapping[int, str]) -> None:
        self.failing = failing
        self.started: list[str] = []
        self.closed = 0
        self.answered: list[int] = []
        self.counts = {"traces": 0, "logs": 0}

    def start(self, name: str, module: str, argument: Mapping[str, Any], environment: Mapping[str, str]) -> Service:
        assert Path(argument["database"]).exists()
        assert (argument["requests"], argument["requests_per_turn"]) == (TURNS * REQUESTS_PER_TURN, REQUESTS_PER_TURN)
        service = Service(self, len(self.started), argument["pipeline"], argument["burst_spans"])
        self.started.append(argument["pipeline"])
        service.fail_if("start")
        return service

    def ask(self, command: str) -> Mapping[str, Mapping[str, int]]:
        assert command == "take"
        counts = {signal: {"items": items} for signal, items in self.counts.items()}
        self.counts = {"traces": 0, "logs": 0}
        return counts


class Service:
    def __init__(self, services: Services, number: int, pipeline: str, burst_spans: int) -> None:
        self.services, self.number, self.pipeline, self.burst_spans = services, number, pipeline, burst_spans
        self.turns = 0

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *error: object) -> None:
        self.services.closed += 1

    def fail_if(self, occasion: str) -> None:
        if self.services.failing.get(self.number) == occasion:
            raise DemoError(f"no {occasion}")

    def ask(self, command: str) -> Mapping[str, Any]:
        self.fail_if(command)
        exporting = self.pipeline != "none"
        if command == "burst":
            # One span is lost.
            self.services.counts["traces"] += self.burst_spans - 1
            return {"made": self.burst_spans, "seconds": 0.5, "first_message": "Queue full"}
        self.services.answered.append(self.number)
        self.services.counts["traces"] += 20 * exporting
        self.services.counts["logs"] += 10 * exporting
        cpu_us = CPU_US[self.number][self.turns]
        self.turns += 1
        made = {"traces": 20 * self.turns, "logs": 10 * self.turns}
        return {"cpu_ns_per_request": cpu_us * 1000, "made": made}


def run_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: Mapping[int, str]) -> tuple[WholePart, Services]:
    services = Services(failing)
    monkeypatch.setattr(whole_part, "Child", services.start)
    monkeypatch.setattr(whole_part, "_REQUESTS_PER_TURN", REQUESTS_PER_TURN)
    receiver: Any = services
    surroundings = Surroundings("http://x", "gzip", {}, receiver, tmp_path)
    part = WholePart(surroundings, Progress(), TURNS * REQUESTS_PER_TURN, BURST)
    part.run()
    return part, services


def whole_run(cpu_us_per_request: list[float]) -> WholeRun:
    return WholeRun(
        made={"traces": 60, "logs": 30},
        received={"traces": 60, "logs": 30},
        cpu_us_per_request=cpu_us_per_request,
        burst_made=7,
        burst_received=6,
        burst_seconds=0.5,
        first_message="Queue full",
    )


def test_costs_are_above_the_mean_of_those_that_export_nothing_without_the_first_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, services = run_part(tmp_path, monkeypatch, {})
    assert part.runs == {"official": whole_run([400.0, 500.0]), "otlp_fast": whole_run([20.0, 30.0])}
    assert part.bare_differences == [-2.0, 4.0]
    assert part.failures == []
    assert tuple(services.started) == SERVICES
    assert services.closed == 4


def test_turns_go_to_every_service_in_an_order_that_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, services = run_part(tmp_path, monkeypatch, {})
    turns = [services.answered[begin : begin + 4] for begin in range(0, 4 * TURNS, 4)]
    assert [sorted(turn) for turn in turns] == [[0, 1, 2, 3]] * TURNS
    assert len({tuple(turn) for turn in turns}) > 1


@pytest.mark.parametrize("occasion", ["start", "turn", "burst"])
def test_a_pipeline_that_fails_leaves_the_other_its_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, occasion: str
) -> None:
    part, services = run_part(tmp_path, monkeypatch, {2: occasion})
    assert part.runs == {"otlp_fast": whole_run([20.0, 30.0])}
    assert part.failures == [f"official processors: no {occasion}"]
    assert services.closed == (3 if occasion == "start" else 4)


@pytest.mark.parametrize("number", [0, 1])
def test_without_a_service_that_exports_nothing_there_is_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    part, services = run_part(tmp_path, monkeypatch, {number: "turn"})
    assert part.runs == {}
    assert part.bare_differences == []
    assert part.failures == ["service without exporters: no turn"]
    assert services.closed == 4


def test_a_turn_with_an_answer_that_was_not_planned_is_an_error(tmp_path: Path) -> None:
    no_tables = tmp_path / "empty.sqlite"
    settings = ServiceSettings("none", "http://x", "none", str(no_tables), requests=1, requests_per_turn=1)
    with (
        Child("service", "otlp_fast.demo.whole_service", asdict(settings), os.environ) as service,
        pytest.raises(DemoError, match=r"the service process: GET /\S+ was answered with 500"),
    ):
        service.ask("turn")
