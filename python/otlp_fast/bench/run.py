"""Runs the parts one after the other; a figure whose answers differ is a problem, and the others are measured still."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import Any

from otlp_fast.bench import environment
from otlp_fast.bench.effort import Effort
from otlp_fast.bench.errors import RivalError
from otlp_fast.bench.figures import Encodings, Pair
from otlp_fast.bench.measure import WrongAnswerError
from otlp_fast.bench.parts import PARTS
from otlp_fast.bench.steps import Step
from otlp_fast.bench.telemetry import Telemetry
from otlp_fast.demo.progress import Progress
from otlp_fast.errors import OtlpError

FORMAT = 1


@dataclass
class BenchResult:
    """What was measured, and what was not."""

    telemetry: Telemetry
    effort: Effort
    left_out: list[str]
    """What was not measured, and why: one line each."""
    pairs: list[Pair] = field(default_factory=list)
    encodings: list[Encodings] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Answers that differ: one line each."""
    seconds: float = 0.0
    date: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give the record: everything, with the figure of every round."""
        return {
            "format": FORMAT,
            "date": self.date,
            **environment.environment(),
            "source": self.telemetry.source,
            "method": {
                "unit": "microseconds per item",
                "ratio": "CPU time of the rival / CPU time of otlp-fast, within a round",
                **asdict(self.effort),
            },
            "figures": [pair.as_json() for pair in self.pairs],
            "encodings": [encodings.as_json() for encodings in self.encodings],
            "left_out": self.left_out,
            "notes": self.telemetry.notes,
            "problems": self.problems,
            "seconds": round(self.seconds, 1),
        }


def run_bench(
    make_telemetry: Callable[[], Telemetry], parts: Collection[str], missing: Mapping[str, str], effort: Effort
) -> BenchResult:
    """Run the benchmarks.

    Args:
        make_telemetry: gives what is measured on.
        parts: names of those that are wanted, of `PARTS`.
        missing: by part, what it needs and is not installed.
        effort: how much to measure.

    Raises:
        BenchError: there is nothing to measure on.
    """
    begin = time.monotonic()
    date = datetime.now(timezone.utc).isoformat(timespec="seconds")
    progress = Progress()
    with progress.step("telemetry", 1) as report:
        telemetry = make_telemetry()
        report(1)
    left_out = [f"{part}: needs {missing[part]}" for part in PARTS if part in parts and part in missing]
    result = BenchResult(telemetry, effort, left_out, date=date)
    for step in _steps(telemetry, [part for part in PARTS if part in parts and part not in missing], effort):
        _measure(step, progress, result)
    result.seconds = time.monotonic() - begin
    return result


def _steps(telemetry: Telemetry, parts: Collection[str], effort: Effort) -> Iterator[Step]:
    for part in parts:
        yield from PARTS[part].steps()(telemetry, effort)


def _measure(step: Step, progress: Progress, result: BenchResult) -> None:
    rounds = result.effort.rounds
    done = 0
    with progress.step(step.title, rounds) as report:

        def on_round() -> None:
            nonlocal done
            done += 1
            report(done)

        try:
            for figure in step.measure(on_round):
                if isinstance(figure, Pair):
                    result.pairs.append(figure)
                else:
                    result.encodings.append(figure)
        except WrongAnswerError as error:
            result.problems.append(f"{step.title}: the answers differ, so nothing was timed: {error}")
        except OtlpError as error:
            result.problems.append(f"{step.title}: otlp-fast fails on it: {error}")
        except RivalError as error:
            result.left_out.append(f"{step.title}: {error}")
        report(rounds)
